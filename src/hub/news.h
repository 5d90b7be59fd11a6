#ifndef KITH_HUB_NEWS_H
#define KITH_HUB_NEWS_H

/* Comings and goings, which concern everybody present: where many come at once, each is told of
 * all of them together, not of one after the other. The first after a silence is told at once,
 * what follows within LIMIT_NEWS_MS when that is over. A zeroed one is empty. */

#include "hub/push.h"

#include "base/time.h"

struct hub;

struct news {
    struct push **items; /* not told yet, in order */
    size_t count, capacity;
    struct instant told; /* when some were told last; 0: never */
};

void news_fini(struct news *n);

/* A notice for all present of this worker. */
void news_add(struct hub *hub, struct push *p);

/* When news_tick has something to do. */
struct instant news_deadline(const struct news *n);
void news_tick(struct hub *hub);

#endif
