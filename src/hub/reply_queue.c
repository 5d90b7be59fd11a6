#include "hub/reply_queue.h"

#include "base/limits.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { GATES_FIRST = 4 };

void reply_queue_init(struct reply_queue *q)
{
    *q = (struct reply_queue){0};
    buffer_init(&q->out, LIMIT_REPLY_BYTES);
}

void reply_queue_fini(struct reply_queue *q)
{
    buffer_fini(&q->out);
    free(q->gates);
    *q = (struct reply_queue){0};
}

struct buffer *reply_queue_begin(struct reply_queue *q, struct buffer_pool *pool)
{
    if (!q->out.data)
        buffer_pool_take(pool, &q->out);
    return &q->out;
}

static int make_room_for_gate(struct reply_queue *q)
{
    if (q->first + q->count < q->capacity)
        return 0;
    if (q->first > 0) {
        assert(q->gates); /* there were some */
        memmove(q->gates, q->gates + q->first, q->count * sizeof *q->gates);
        q->first = 0;
        return 0;
    }
    uint32_t capacity = q->capacity ? q->capacity * 2 : GATES_FIRST;
    struct reply_gate *gates = realloc(q->gates, capacity * sizeof *gates);
    if (!gates)
        return -ENOMEM;
    q->gates = gates;
    q->capacity = capacity;
    return 0;
}

int reply_queue_end(struct reply_queue *q, size_t before, uint64_t lsn, struct instant after)
{
    if (lsn == 0 && after.ns == 0)
        return 0;
    struct reply_gate *last = q->count > 0 ? &q->gates[q->first + q->count - 1] : NULL;
    if (last && after.ns == 0 && lsn <= last->lsn)
        return 0;
    if (last && after.ns == 0 && q->shared) {
        last->lsn = lsn;
        return 0;
    }
    int r = make_room_for_gate(q);
    if (r < 0) {
        buffer_truncate(&q->out, before);
        return r;
    }
    assert(q->gates); /* there is room */
    q->gates[q->first + q->count++] = (struct reply_gate){q->left + before, lsn, after};
    q->shared = after.ns == 0;
    return 0;
}

const struct reply_gate *reply_queue_gate(const struct reply_queue *q)
{
    return q->count > 0 ? &q->gates[q->first] : NULL;
}

static void open_gates(struct reply_queue *q, uint64_t durable, struct instant now)
{
    while (q->count > 0) {
        const struct reply_gate *g = &q->gates[q->first];
        if (g->lsn > durable || g->after.ns > now.ns)
            return;
        q->first++;
        q->count--;
    }
    q->first = 0;
}

struct bytes reply_queue_ready(struct reply_queue *q, uint64_t durable, struct instant now)
{
    q->shared = 0;
    if (q->count > 0)
        open_gates(q, durable, now);
    struct bytes all = buffer_view(&q->out);
    return q->count > 0 ? bytes_first(all, (size_t)(q->gates[q->first].start - q->left)) : all;
}

static void release_if_empty(struct reply_queue *q, struct buffer_pool *pool)
{
    if (buffer_len(&q->out) > 0)
        return;
    buffer_pool_give(pool, &q->out);
    free(q->gates);
    q->gates = NULL;
    q->first = q->count = q->capacity = 0;
}

void reply_queue_cancel(struct reply_queue *q, size_t before, struct buffer_pool *pool)
{
    buffer_truncate(&q->out, before);
    release_if_empty(q, pool);
}

void reply_queue_sent(struct reply_queue *q, size_t n, struct buffer_pool *pool)
{
    buffer_consume(&q->out, n);
    q->left += n;
    release_if_empty(q, pool);
}
