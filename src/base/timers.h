#ifndef KITH_BASE_TIMERS_H
#define KITH_BASE_TIMERS_H

/* A set of timers ordered by when they are due: a binary heap of embedded entries.
 * Setting, moving and removing cost O(log n); the earliest is found at once. */

#include "base/list.h"
#include "base/time.h"

#include <stdbool.h>

struct timer {
    struct instant due;
    size_t place; /* 1 + index in the heap; 0: not set */
};

struct timers {
    struct timer **heap;
    size_t count, capacity;
};

void timers_init(struct timers *t);

/* Frees the heap; the timers in it are the caller's. */
void timers_fini(struct timers *t);

/* Sets or moves a timer. -ENOMEM, the timer then as before. */
int timers_set(struct timers *t, struct timer *timer, struct instant due);

/* Nothing where the timer is not set. */
void timers_clear(struct timers *t, struct timer *timer);

static inline bool timer_is_set(const struct timer *timer)
{
    return timer->place != 0;
}

/* When the earliest is due, INSTANT_NEVER where none is set. */
struct instant timers_deadline(const struct timers *t);

/* Takes out and returns a timer due at now, NULL where none is. */
struct timer *timers_pop(struct timers *t, struct instant now);

#endif
