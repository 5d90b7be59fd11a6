#include "base/buffer_pool.h"

#include <assert.h>
#include <stdlib.h>

void buffer_pool_fini(struct buffer_pool *p)
{
    while (p->count > 0)
        free(p->slots[--p->count].data);
}

void buffer_pool_take(struct buffer_pool *p, struct buffer *b)
{
    assert(!b->data);
    if (p->count == 0)
        return;
    p->count--;
    b->data = p->slots[p->count].data;
    b->capacity = p->slots[p->count].capacity;
    b->start = b->end = 0;
}

void buffer_pool_give(struct buffer_pool *p, struct buffer *b)
{
    assert(buffer_len(b) == 0);
    if (!b->data)
        return;
    if (p->count == BUFFER_POOL_SLOTS || b->capacity > BUFFER_POOL_BYTES_MAX) {
        buffer_release(b);
        return;
    }
    p->slots[p->count].data = b->data;
    p->slots[p->count].capacity = b->capacity;
    p->count++;
    b->data = NULL;
    b->start = b->end = b->capacity = 0;
}
