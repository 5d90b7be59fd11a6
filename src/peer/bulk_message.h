#ifndef KITH_PEER_BULK_MESSAGE_H
#define KITH_PEER_BULK_MESSAGE_H

/* What is said on the bulk channel of a session: the byte stream of a transfer's data
 * connection, both ways, where that has no connection of its own (docs/peer-protocol.md, "Data
 * over the session"). Numbers are big-endian.
 *
 *     DATA     1  token 16, 1 to BULK_DATA_BYTES bytes of the stream
 *     TAKEN    2  token 16, taken 8
 *     END      3  token 16
 *
 * The token is the one of the attempt (peer/transfer_note.h): what is left of an earlier one is
 * never taken for a later one's. */

#include "base/buffer.h"
#include "base/random_id.h"

enum bulk_message_type { BULK_DATA = 1, BULK_TAKEN = 2, BULK_END = 3 };

enum {
    BULK_DATA_BYTES = 60 * 1024,
    BULK_HEAD_BYTES = 1 + RANDOM_ID_BYTES,
    BULK_MESSAGE_BYTES = BULK_HEAD_BYTES + BULK_DATA_BYTES /* the longest */
};

enum { BULK_MESSAGE_MALFORMED = 1 /* or of a later version */ };

struct bulk_message {
    enum bulk_message_type type;
    struct random_id token;
    struct bytes data; /* DATA: 1 to BULK_DATA_BYTES */
    uint64_t taken;    /* TAKEN: bytes of DATA that went to the reader, in all */
};

/* ret->data points into the message. BULK_MESSAGE_MALFORMED. */
int bulk_message_read(struct bytes message, struct bulk_message *ret);

/* Appends it. BUFFER_FULL, -ENOMEM. */
int bulk_message_write(struct buffer *out, const struct bulk_message *m);

#endif
