#ifndef KITH_MEET_TRANSFER_RECORD_H
#define KITH_MEET_TRANSFER_RECORD_H

/* What a profile remembers of a transfer until it is over, whatever becomes of the processes:
 *
 *     sending-ID           this record            receiving-ID   likewise
 *     sending-ID.list      what is sent (io/outbox_files.h), or
 *     sending-ID.spool     of standard input what was read (io/outbox_stream.h)
 *
 * One process at a time works on a transfer: it holds the record's lock. Whoever removes the
 * record has cancelled it: who works on it looks now and then. The file: a sum, XXH3-64 of the
 * rest; fields (wire/field.h), in the order of the struct. */

#include "base/fingerprint.h"
#include "base/random_id.h"
#include "meet/self.h"
#include "peer/transfer_reason.h"
#include "people/account_name.h"

#include <limits.h>

enum { TRANSFER_TITLE_BYTES = 256, TRANSFER_FILE_NAME_BYTES = 64 };

enum transfer_result {
    TRANSFER_OPEN,     /* not over */
    TRANSFER_DONE_ALL, /* received whole; kept for a while, so that who asks again is told */
    TRANSFER_STUCK     /* nothing goes on until a person says so: reason */
};

struct transfer_record {
    struct random_id id;
    bool incoming;
    char hub[FINGERPRINT_TEXT_LEN + 1]; /* where the names mean something */
    char name[ACCOUNT_NAME_BYTES + 1];  /* of the other */
    bool has_device;                    /* outgoing: it was accepted, there */
    struct public_key device;           /* the other's */
    char title[TRANSFER_TITLE_BYTES]; /* what the first entry at the top is called, uncleaned */
    uint64_t entries, bytes, tops;    /* TRANSFER_SIZE_UNKNOWN: not known */
    bool sha256;
    uint64_t wish; /* outgoing: a hash of what was asked for */
    bool stream;   /* outgoing: standard input, which a restart cannot read on */
    /* Incoming: */
    char into[PATH_MAX]; /* absolute; "-": standard output */
    uint64_t rule;       /* enum inbox_rule */
    uint64_t cap;        /* bytes that may come */
    /* Both: */
    enum transfer_result result;
    enum transfer_reason reason;
    uint64_t kept; /* bytes known to be safe, for who looks */
    uint64_t when; /* it was written, ms since 1970 */
};

/* "sending-ID" and suffix. */
void transfer_record_file(const struct transfer_record *r, const char *suffix,
                          char out[TRANSFER_FILE_NAME_BYTES]);

/* Durably; when is set. -errno. */
int transfer_record_write(const struct profile *p, struct transfer_record *r);

enum { TRANSFER_RECORD_NONE = 1 /* there is none of that name, or it is damaged */ };
int transfer_record_read(const struct profile *p, const struct random_id *id, bool incoming,
                         struct transfer_record *ret);

/* Is it still there? */
bool transfer_record_exists(const struct profile *p, const struct transfer_record *r);

/* With what lies beside it. */
void transfer_record_remove(const struct profile *p, const struct transfer_record *r);

/* A descriptor to hold; -EWOULDBLOCK where another process works on it. */
int transfer_record_lock(const struct profile *p, const struct transfer_record *r);

/* How many there are of one sort, those of damaged ones, too. */
size_t transfer_record_count(const struct profile *p, bool incoming);

/* All of this profile; damaged ones are passed over. -errno. */
int transfer_record_each(const struct profile *p,
                         void (*see)(void *ctx, const struct transfer_record *r), void *ctx);

#endif
