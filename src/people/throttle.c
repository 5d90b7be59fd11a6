#include "people/throttle.h"

#include "base/hash.h"

enum { WAYS = 8, WAIT_FIRST_MS = 1000 };

_Static_assert(LIMIT_THROTTLE_PLACES % WAYS == 0, "whole sets");

/* The set of entries that a subject's may be in. */
static struct throttle_entry *set_of(struct throttle *t, uint64_t subject)
{
    return &t->entries[subject % (LIMIT_THROTTLE_PLACES / WAYS) * WAYS];
}

static struct throttle_entry *find(struct throttle *t, uint64_t subject)
{
    struct throttle_entry *set = set_of(t, subject);
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].count > 0 && set[i].subject == subject)
            return &set[i];
    return NULL;
}

/* Its entry, or one that it may have: a free one, else the one tried longest ago. */
static struct throttle_entry *place(struct throttle *t, uint64_t subject)
{
    struct throttle_entry *set = set_of(t, subject), *e = find(t, subject);
    if (e)
        return e;
    e = set;
    for (size_t i = 1; i < WAYS && e->count > 0; i++)
        if (set[i].count == 0 || set[i].last.ns < e->last.ns)
            e = &set[i];
    *e = (struct throttle_entry){.subject = subject};
    return e;
}

static uint64_t wait_ms(uint32_t count, uint32_t free)
{
    if (count < free)
        return 0;
    uint32_t doublings = count - free;
    uint64_t ms = doublings < 16 ? (uint64_t)WAIT_FIRST_MS << doublings : UINT64_MAX;
    return ms < LIMIT_THROTTLE_WAIT_MS ? ms : LIMIT_THROTTLE_WAIT_MS;
}

static uint64_t begin(struct throttle_entry *e, uint32_t free, struct instant now)
{
    if (e->count > 0 && instant_after_ms(e->last, LIMIT_THROTTLE_FORGET_MS).ns <= now.ns)
        e->count = 0;
    struct instant again = instant_after_ms(e->last, wait_ms(e->count, free));
    if (e->count >= free && again.ns > now.ns)
        return (again.ns - now.ns + 999999) / 1000000;
    e->count += e->count < UINT32_MAX;
    e->last = now;
    return 0;
}

uint64_t throttle_begin(struct throttle *t, struct bytes subject, uint32_t free,
                        struct instant now)
{
    pthread_mutex_lock(&t->lock);
    uint64_t ms = begin(place(t, hash_bytes(subject, t->seed)), free, now);
    pthread_mutex_unlock(&t->lock);
    return ms;
}

void throttle_forgive(struct throttle *t, struct bytes subject)
{
    pthread_mutex_lock(&t->lock);
    struct throttle_entry *e = find(t, hash_bytes(subject, t->seed));
    if (e)
        e->count--;
    pthread_mutex_unlock(&t->lock);
}
