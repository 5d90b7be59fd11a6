#ifndef KITH_PEER_TRANSFER_REASON_H
#define KITH_PEER_TRANSFER_REASON_H

/* Why a transfer, an attempt at it or one entry of it is over; a byte on the wire. */

#include <stdbool.h>
#include <stdint.h>

enum transfer_reason {
    TRANSFER_REASON_NONE = 0,
    TRANSFER_DECLINED = 1,        /* the receiver wants none of it */
    TRANSFER_CANCELLED = 2,       /* by one of the two people */
    TRANSFER_PAUSED = 3,          /* goes on when somebody says so */
    TRANSFER_NAME_TAKEN = 4,      /* there is something of that name, and it is kept */
    TRANSFER_NAME_REFUSED = 5,    /* a name that the receiver cannot or may not give a file */
    TRANSFER_NO_ROOM = 6,         /* the receiver's disk is full */
    TRANSFER_TOO_MUCH = 7,        /* more than the receiver has accepted */
    TRANSFER_DISK_FAILED = 8,     /* the receiver cannot write, or read back */
    TRANSFER_SOURCE_FAILED = 9,   /* what is sent cannot be read */
    TRANSFER_SOURCE_CHANGED = 10, /* ... is not as it was, or changes all the time */
    TRANSFER_SOURCE_GONE = 11,
    TRANSFER_BROKEN = 12,   /* the other side breaks the protocol */
    TRANSFER_DIFFERS = 13,  /* what arrived is not what was sent: sums differ */
    TRANSFER_UNKNOWN = 14,  /* resumed, but nothing is known of it here (any more) */
    TRANSFER_BUSY = 15,     /* another kith of the same device carries it */
    TRANSFER_RELAYED = 16,  /* there is only the relay, which carries no files */
    TRANSFER_NOT_HERE = 17, /* that kith takes no files */
    TRANSFER_REASONS
};

/* In a few words, as in "bob: no room on the disk". Of a number that is none: "for a reason of
 * a later version". */
const char *transfer_reason_text(enum transfer_reason reason);

/* Is there nothing left for a person to decide? */
bool transfer_reason_is_final(enum transfer_reason reason);

/* May the same transfer be tried once more, as it is? */
bool transfer_reason_passes(enum transfer_reason reason);

#endif
