#ifndef KITH_HUB_REPLY_QUEUE_H
#define KITH_HUB_REPLY_QUEUE_H

/* The replies of one connection, in order. A reply may be held: until a log sequence number is
 * durable, until a moment, or both; what stands behind it waits with it.
 *
 * All replies are one run of bytes. A gate says: from this byte on, wait for this. So holding
 * costs a gate, not a copy, and a pipeline answered in one turn shares one. Most bytes lie in a
 * buffer; large values stand between them as pieces, by reference. */

#include "base/blob.h"
#include "base/buffer.h"
#include "base/time.h"

struct reply_gate {
    uint64_t start;       /* bytes before this position are not held by it */
    uint64_t asked;       /* bytes of commands answered before it */
    uint64_t lsn;         /* durable before the bytes leave; 0: nothing to wait for */
    struct instant after; /* the moment before which they stay; 0: none */
};

struct reply_piece {
    uint64_t at; /* bytes of the buffer before it, counted from the beginning */
    struct bytes bytes;
    struct blob *blob;
};

/* How far a reply has been written. */
struct reply_mark {
    size_t out;
    uint32_t pieces;
};

struct reply_queue {
    struct buffer out;  /* what has not left, but for pieces */
    uint64_t left;      /* bytes that have left since the beginning ... */
    uint64_t out_left;  /* ... and those of them that were in the buffer */
    size_t piece_bytes; /* in pieces, not left */
    struct reply_gate *gates;
    uint32_t first, count, capacity; /* gates[first .. first + count) hold */
    bool shared;                     /* the last gate may take in the next reply too */
    uint64_t asked;                  /* bytes of commands that were answered; the caller's */
    uint64_t told; /* of what was told unasked, since all had left; likewise */
    struct reply_piece *pieces;
    uint32_t piece_first, piece_count, piece_capacity; /* likewise */
    struct reply_mark begun;                           /* before the reply being written */
    struct instant stalled_since; /* for the connection: last progress, 0: none waits */
};

void reply_queue_init(struct reply_queue *q);
void reply_queue_fini(struct reply_queue *q);

/* Where the next reply is written; reply_queue_end or reply_queue_cancel must follow. */
struct buffer *reply_queue_begin(struct reply_queue *q);

/* Puts bytes of a blob, at least one, after what has been written so far, and takes a
 * reference. BUFFER_FULL: more than LIMIT_REPLY_BYTES would wait. -ENOMEM. */
int reply_queue_add(struct reply_queue *q, struct bytes bytes, struct blob *blob);

/* The reply is whole and waits for lsn (0: nothing) and until after (0: no moment). -ENOMEM:
 * the reply is taken back. */
int reply_queue_end(struct reply_queue *q, uint64_t lsn, struct instant after);

/* Takes back what was written since reply_queue_begin. */
void reply_queue_cancel(struct reply_queue *q);

/* Takes back what was written, of the same reply, since the mark. */
struct reply_mark reply_queue_mark(const struct reply_queue *q);
void reply_queue_rewind(struct reply_queue *q, struct reply_mark mark);

/* Bytes that may leave now, in one run; when they have left there may be more. Opens the gates
 * that need nothing more. */
struct bytes reply_queue_ready(struct reply_queue *q, uint64_t durable, struct instant now);

/* n of those bytes have left. */
void reply_queue_sent(struct reply_queue *q, size_t n);

static inline size_t reply_queue_len(const struct reply_queue *q)
{
    return buffer_len(&q->out) + q->piece_bytes;
}

/* What the reply being written holds so far. */
size_t reply_queue_begun(const struct reply_queue *q);

/* Bytes of commands whose replies are held. */
static inline uint64_t reply_queue_held(const struct reply_queue *q)
{
    return q->count > 0 ? q->asked - q->gates[q->first].asked : 0;
}

/* The first gate that holds, NULL where nothing is held. */
const struct reply_gate *reply_queue_gate(const struct reply_queue *q);

#endif
