#ifndef KITH_BASE_BUFFER_POOL_H
#define KITH_BASE_BUFFER_POOL_H

/* Empty buffers kept for the next who needs one, so that a connection owns a buffer only while
 * bytes are in it, and taking one costs no allocation. Used by one thread. */

#include "base/buffer.h"

enum { BUFFER_POOL_SLOTS = 64, BUFFER_POOL_BYTES_MAX = 64 * 1024 };

struct buffer_pool {
    struct {
        uint8_t *data;
        size_t capacity;
    } slots[BUFFER_POOL_SLOTS];
    size_t count;
};

void buffer_pool_fini(struct buffer_pool *p);

/* Gives an empty buffer without memory the memory of a pooled one; nothing where none is kept.
 */
void buffer_pool_take(struct buffer_pool *p, struct buffer *b);

/* Takes the memory of an empty buffer back; what is too large or too many is freed. */
void buffer_pool_give(struct buffer_pool *p, struct buffer *b);

#endif
