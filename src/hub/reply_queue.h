#ifndef KITH_HUB_REPLY_QUEUE_H
#define KITH_HUB_REPLY_QUEUE_H

/* The replies of one connection, in order. A reply may be held: until a log sequence number is
 * durable, until a moment, or both; what stands behind it waits with it.
 *
 * All replies are one run of bytes. A gate says: from this byte on, wait for this. So holding
 * costs a gate, not a copy, and a pipeline answered in one turn shares one. */

#include "base/buffer_pool.h"
#include "base/time.h"

struct reply_gate {
    uint64_t start;       /* bytes before this position are not held by it */
    uint64_t lsn;         /* durable before the bytes leave; 0: nothing to wait for */
    struct instant after; /* the moment before which they stay; 0: none */
};

struct reply_queue {
    struct buffer out; /* all replies that have not left */
    uint64_t left;     /* bytes that have left since the beginning */
    struct reply_gate *gates;
    uint32_t first, count, capacity; /* gates[first .. first + count) hold */
    uint32_t shared;                 /* 1: the last gate may take in the next reply too */
};

void reply_queue_init(struct reply_queue *q);
void reply_queue_fini(struct reply_queue *q);

/* Where the next reply is written; reply_queue_end must follow. */
struct buffer *reply_queue_begin(struct reply_queue *q, struct buffer_pool *pool);

/* The reply that began at length `before` of the buffer is whole and waits for lsn (0: nothing)
 * and until after (0: no moment). -ENOMEM: the reply is taken back. */
int reply_queue_end(struct reply_queue *q, size_t before, uint64_t lsn, struct instant after);

/* Takes back what was written since length `before`. */
void reply_queue_cancel(struct reply_queue *q, size_t before, struct buffer_pool *pool);

/* The bytes that may leave now. Opens the gates that need nothing more. */
struct bytes reply_queue_ready(struct reply_queue *q, uint64_t durable, struct instant now);

/* n of those bytes have left. */
void reply_queue_sent(struct reply_queue *q, size_t n, struct buffer_pool *pool);

static inline size_t reply_queue_len(const struct reply_queue *q)
{
    return buffer_len(&q->out);
}

/* The first gate that holds, NULL where nothing is held. */
const struct reply_gate *reply_queue_gate(const struct reply_queue *q);

#endif
