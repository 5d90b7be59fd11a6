#ifndef KITH_HUB_REPLY_POOL_H
#define KITH_HUB_REPLY_POOL_H

/* Empty reply queues kept, with some memory in them, for the next who needs one: a connection
 * owns a queue only while replies are in it, and taking one costs no allocation. Used by one
 * worker. */

#include "hub/reply_queue.h"

enum { REPLY_POOL_SLOTS = 64, REPLY_POOL_BYTES_MAX = 64 * 1024 };

struct reply_pool {
    struct reply_queue *slots[REPLY_POOL_SLOTS];
    size_t count;
};

void reply_pool_fini(struct reply_pool *p);

/* An empty queue; NULL when memory is out. */
struct reply_queue *reply_pool_take(struct reply_pool *p);

/* Takes a queue back, whatever is in it; what is too large or too many is freed. Takes NULL. */
void reply_pool_give(struct reply_pool *p, struct reply_queue *q);

#endif
