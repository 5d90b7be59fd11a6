#ifndef KITH_WIRE_PEER_FRAME_H
#define KITH_WIRE_PEER_FRAME_H

/* Frames between two devices: the payload's length, 32 bits, big-endian; a byte that says what
 * it is; the payload, at most LIMIT_PEER_FRAME_BYTES (docs/peer-protocol.md). What the types
 * mean is for peer/ to know.
 *
 * Input is parsed in place: `in` begins at the first byte not yet consumed. Nothing is kept
 * between calls. */

#include "base/buffer.h"

enum { PEER_FRAME_HEAD_BYTES = 5 };

enum {
    PEER_FRAME_MORE = 2,    /* no whole frame yet */
    PEER_FRAME_TOO_LONG = 3 /* more than max: the stream is lost */
};

struct peer_frame {
    uint8_t type;
    struct bytes payload; /* in `in` */
};

/* One frame of at most max bytes of payload; refused as soon as its length is known. */
int peer_frame_parse(struct bytes in, size_t max, size_t *ret_consumed, struct peer_frame *ret);

/* payload.len is at most LIMIT_PEER_FRAME_BYTES. -ENOMEM, BUFFER_FULL; then nothing is written.
 */
int peer_frame_write(struct buffer *out, uint8_t type, struct bytes payload);

/* The same, where the payload begins with some bytes of the caller's. */
int peer_frame_write_two(struct buffer *out, uint8_t type, struct bytes first,
                         struct bytes second);

#endif
