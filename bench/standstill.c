#include "standstill.h"

#include "dial.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PERIOD_NS = 250 * 1000,
    GRACE_NS = 250 * 1000, /* a timer that late is no news */
    PAUSES = 4096,         /* of a processor, the newest */
    WATCHERS = 2,
    S = 1000000000,
};

struct pause {
    uint64_t begin, end;
};

struct watcher {
    pthread_mutex_t lock; /* of what follows */
    struct pause pauses[PAUSES];
    size_t count;
    uint64_t awake; /* it was, at that time: pauses before it are all known */
};

struct standstill {
    struct watcher watchers[WATCHERS];
    size_t watcher_count;
    struct pause
        seen[WATCHERS * PAUSES]; /* at the last look: in order, apart from each other */
    size_t seen_count;
    uint64_t looked, looked_before;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / S), .tv_nsec = (long)(ns % S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

static void note(struct watcher *w, uint64_t due, uint64_t woke)
{
    pthread_mutex_lock(&w->lock);
    if (woke > due + GRACE_NS)
        w->pauses[w->count++ % PAUSES] = (struct pause){due, woke};
    w->awake = woke;
    pthread_mutex_unlock(&w->lock);
}

static void *watch(void *arg)
{
    struct watcher *w = arg;
    while (true) {
        uint64_t due = now_ns() + PERIOD_NS;
        sleep_until(due);
        note(w, due, now_ns());
    }
    return NULL;
}

struct standstill *standstill_new(void)
{
    struct standstill *s = calloc(1, sizeof *s);
    if (!s)
        dial_fail("memory");
    s->looked = now_ns();
    return s;
}

void standstill_watch(struct standstill *s, int processor)
{
    struct watcher *w = &s->watchers[s->watcher_count];
    struct sched_param first = {.sched_priority = 2}; /* before the probe, too */
    pthread_t thread;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (pthread_mutex_init(&w->lock, NULL) != 0 || pthread_create(&thread, NULL, watch, w) != 0)
        dial_fail("a thread");
    if (pthread_setaffinity_np(thread, sizeof set, &set) == 0 &&
        pthread_setschedparam(thread, SCHED_FIFO, &first) == 0)
        s->watcher_count++;
}

/* What is over by then is known when the watcher has been awake since. */
static void take_pauses(struct standstill *s, struct watcher *w)
{
    pthread_mutex_lock(&w->lock);
    while (w->awake < s->looked) {
        pthread_mutex_unlock(&w->lock);
        sleep_until(now_ns() + PERIOD_NS);
        pthread_mutex_lock(&w->lock);
    }
    size_t n = w->count < PAUSES ? w->count : PAUSES;
    memcpy(s->seen + s->seen_count, w->pauses, n * sizeof *w->pauses);
    s->seen_count += n;
    pthread_mutex_unlock(&w->lock);
}

static int by_begin(const void *a, const void *b)
{
    const struct pause *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Pauses of two processors that overlap become one. */
static void join_pauses(struct standstill *s)
{
    size_t kept = 0;
    qsort(s->seen, s->seen_count, sizeof *s->seen, by_begin);
    for (size_t i = 0; i < s->seen_count; i++) {
        struct pause *last = kept > 0 ? &s->seen[kept - 1] : NULL;
        if (!last || s->seen[i].begin > last->end)
            s->seen[kept++] = s->seen[i];
        else if (s->seen[i].end > last->end)
            last->end = s->seen[i].end;
    }
    s->seen_count = kept;
}

void standstill_look(struct standstill *s)
{
    s->looked_before = s->looked;
    s->looked = now_ns();
    s->seen_count = 0;
    for (size_t i = 0; i < s->watcher_count; i++)
        take_pauses(s, &s->watchers[i]);
    join_pauses(s);
}

static uint64_t overlap(const struct pause *p, uint64_t begin, uint64_t end)
{
    uint64_t from = p->begin > begin ? p->begin : begin, to = p->end < end ? p->end : end;
    return from < to ? to - from : 0;
}

uint64_t standstill_within(const struct standstill *s, uint64_t begin, uint64_t end)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->seen_count; i++)
        sum += overlap(&s->seen[i], begin, end);
    return sum;
}

uint64_t standstill_longest(const struct standstill *s)
{
    uint64_t longest = 0;
    for (size_t i = 0; i < s->seen_count; i++) {
        uint64_t ns = overlap(&s->seen[i], s->looked_before, s->looked);
        longest = ns > longest ? ns : longest;
    }
    return longest;
}
