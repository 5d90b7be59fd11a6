#ifndef KITH_PEER_TRANSFER_NOTE_H
#define KITH_PEER_TRANSFER_NOTE_H

/* What two devices agree on about transfers, in their talk: messages on its channel, beside
 * texts (docs/peer-protocol.md, "Offers"). The content itself goes over a connection of its
 * own, whose secret is said here. Numbers are big-endian.
 *
 *     OFFER    32  id 16, token 16, secret 32, flags 1, entries 8, bytes 8, tops 8, name
 *     ACCEPT   33  id 16, token 16, flags 1
 *     CALL     34  id 16, token 16, flags 1
 *     OVER     35  id 16, reason 1
 *
 * Who sends OFFERs: a new transfer, or one that is to go on, which was accepted before. The
 * other side ACCEPTs with the token of that offer, or says OVER. The one of the two that dialed
 * the connection in use dials the one for content: who offered, at once; else CALL says that
 * the other may. Where the connection in use is relayed, who offered begins on the bulk channel
 * of the session (bulk_message.h), and CALL, with TRANSFER_IN_BULK, says so. OVER from either
 * side, at any time, ends the transfer, or this attempt, as its reason says
 * (transfer_reason.h); NONE: all of it was received. */

#include "base/random_id.h"
#include "peer/transfer_reason.h"

enum {
    TRANSFER_NOTE_OFFER = 32,
    TRANSFER_NOTE_ACCEPT = 33,
    TRANSFER_NOTE_CALL = 34,
    TRANSFER_NOTE_OVER = 35
};

enum {
    TRANSFER_SECRET_BYTES = 32,
    TRANSFER_NAME_BYTES = 255,
    TRANSFER_NOTE_BYTES = 1 + 16 + 16 + 32 + 1 + 3 * 8 + TRANSFER_NAME_BYTES /* the longest */
};

enum { TRANSFER_NOTE_MALFORMED = 3 };

/* Flags of OFFER, ACCEPT and CALL; others are for later versions. */
enum {
    TRANSFER_GOES_ON = 1,     /* OFFER: it was accepted before */
    TRANSFER_WITH_SHA256 = 2, /* who says it wants to see each file's SHA-256 */
    TRANSFER_IN_BULK = 4      /* CALL: content goes over the bulk channel */
};

struct transfer_note {
    uint8_t type;
    struct random_id id;
    struct random_id token;                /* all but OVER: of the attempt */
    uint8_t secret[TRANSFER_SECRET_BYTES]; /* OFFER: of the connection */
    uint8_t flags;
    uint64_t entries, bytes; /* OFFER; at most INT64_MAX, or TRANSFER_SIZE_UNKNOWN */
    uint64_t tops;           /* OFFER: entries at the top, the first of which is called name */
    struct bytes name;       /* 1 to TRANSFER_NAME_BYTES; as a file's, uncleaned */
    enum transfer_reason reason; /* OVER */
};

/* Is a message of the talk channel one of these? By its type alone. */
bool transfer_note_is(struct bytes message);

/* name points into the message. TRANSFER_NOTE_MALFORMED. */
int transfer_note_read(struct bytes message, struct transfer_note *ret);

/* Returns its length. */
size_t transfer_note_write(uint8_t out[TRANSFER_NOTE_BYTES], const struct transfer_note *n);

#endif
