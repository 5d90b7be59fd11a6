#include "hub/reply_pool.h"

#include <stdlib.h>

static void queue_free(struct reply_queue *q)
{
    reply_queue_fini(q);
    free(q);
}

void reply_pool_fini(struct reply_pool *p)
{
    while (p->count > 0)
        queue_free(p->slots[--p->count]);
}

struct reply_queue *reply_pool_take(struct reply_pool *p)
{
    if (p->count > 0)
        return p->slots[--p->count];
    struct reply_queue *q = malloc(sizeof *q);
    if (q)
        reply_queue_init(q);
    return q;
}

static size_t memory_of(const struct reply_queue *q)
{
    return q->out.capacity + q->capacity * sizeof *q->gates +
           q->piece_capacity * sizeof *q->pieces;
}

static void keep(struct reply_pool *p, struct reply_queue *q)
{
    q->told = 0;
    p->slots[p->count++] = q;
}

void reply_pool_give(struct reply_pool *p, struct reply_queue *q)
{
    if (!q)
        return;
    if (p->count == REPLY_POOL_SLOTS || reply_queue_len(q) > 0 || q->count > 0 ||
        memory_of(q) > REPLY_POOL_BYTES_MAX)
        queue_free(q);
    else
        keep(p, q);
}
