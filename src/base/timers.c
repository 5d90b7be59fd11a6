#include "base/timers.h"

#include <errno.h>
#include <stdlib.h>

void timers_init(struct timers *t)
{
    *t = (struct timers){0};
}

void timers_fini(struct timers *t)
{
    free(t->heap);
    *t = (struct timers){0};
}

static void put(struct timers *t, size_t i, struct timer *timer)
{
    t->heap[i] = timer;
    timer->place = i + 1;
}

static void sift_up(struct timers *t, size_t i)
{
    struct timer *timer = t->heap[i];
    while (i > 0 && timer->due.ns < t->heap[(i - 1) / 2]->due.ns) {
        put(t, i, t->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(t, i, timer);
}

static void sift_down(struct timers *t, size_t i)
{
    struct timer *timer = t->heap[i];
    for (size_t child; (child = 2 * i + 1) < t->count; i = child) {
        if (child + 1 < t->count && t->heap[child + 1]->due.ns < t->heap[child]->due.ns)
            child++;
        if (t->heap[child]->due.ns >= timer->due.ns)
            break;
        put(t, i, t->heap[child]);
    }
    put(t, i, timer);
}

static int make_room(struct timers *t)
{
    if (t->count < t->capacity)
        return 0;
    size_t capacity = t->capacity ? t->capacity * 2 : 16;
    struct timer **heap = realloc(t->heap, capacity * sizeof *heap);
    if (!heap)
        return -ENOMEM;
    t->heap = heap;
    t->capacity = capacity;
    return 0;
}

int timers_set(struct timers *t, struct timer *timer, struct instant due)
{
    if (!timer_is_set(timer)) {
        int r = make_room(t);
        if (r < 0)
            return r;
        put(t, t->count++, timer);
    }
    timer->due = due;
    sift_up(t, timer->place - 1);
    sift_down(t, timer->place - 1);
    return 0;
}

void timers_clear(struct timers *t, struct timer *timer)
{
    if (!timer_is_set(timer))
        return;
    size_t i = timer->place - 1;
    timer->place = 0;
    struct timer *last = t->heap[--t->count];
    if (last == timer)
        return;
    put(t, i, last);
    sift_up(t, i);
    sift_down(t, last->place - 1);
}

struct instant timers_deadline(const struct timers *t)
{
    return t->count > 0 ? t->heap[0]->due : INSTANT_NEVER;
}

struct timer *timers_pop(struct timers *t, struct instant now)
{
    if (t->count == 0 || t->heap[0]->due.ns > now.ns)
        return NULL;
    struct timer *timer = t->heap[0];
    timers_clear(t, timer);
    return timer;
}
