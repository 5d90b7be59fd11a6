#ifndef KITH_HUB_NEWS_H
#define KITH_HUB_NEWS_H

/* Comings and goings, which concern everybody present: where many come at once, each is told of
 * all of them together, not of one after the other. The first after a silence is told at once,
 * what follows within LIMIT_NEWS_MS when that is over.
 *
 * Where many are present, LIMIT_NEWS_AT_ONCE of them are told, and the next after
 * LIMIT_NEWS_TURN_MS: ten thousand told in one turn would hold up everybody else, and take as
 * many buffers. What comes up before the last of them has been told is for the next round. A
 * zeroed one is empty. */

#include "hub/push.h"

#include "base/list.h"
#include "base/time.h"

struct hub;

struct news {
    struct push **items; /* not told yet, in order */
    size_t count, capacity;
    size_t telling;      /* the first so many are being told; 0: no round is under way */
    struct list *next;   /* of the attendants, who is told next; while a round is under way */
    struct instant told; /* when somebody was told last; 0: never */
};

void news_fini(struct news *n);

/* A notice for all present of this worker. */
void news_add(struct hub *hub, struct push *p);

/* An attendant is to be taken out of the hub's. */
void news_pass(struct hub *hub, const struct list *attendant);

/* When news_tick has something to do. */
struct instant news_deadline(const struct news *n);
void news_tick(struct hub *hub);

#endif
