#include "people/introduction.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct introduction_entry {
    struct introduction what;
    bool accepted;
    bool disbelieved[2];                    /* each by the other side */
    size_t busy;                            /* so many have no time */
    struct introduction_entry *next, *prev; /* in its queue */
    struct introduction_entry *same_bucket;
};

void introduction_fini(struct introduction *i)
{
    free((char *)(uintptr_t)i->from.candidates);
    free((char *)(uintptr_t)i->to.candidates);
    i->from.candidates = i->to.candidates = NULL;
}

/* ---- the entries */

static struct introduction_entry **bucket_of(struct introductions *x,
                                             const struct random_id *id)
{
    return &x->buckets[(id->bytes[0] | (size_t)id->bytes[1] << 8) % INTRODUCTION_BUCKETS];
}

static struct introduction_entry *find(struct introductions *x, const struct random_id *id)
{
    struct introduction_entry *e = *bucket_of(x, id);
    while (e && !random_id_equal(&e->what.id, id))
        e = e->same_bucket;
    return e;
}

static void append(struct introduction_queue *q, struct introduction_entry *e)
{
    e->next = NULL;
    e->prev = q->last;
    if (q->last)
        q->last->next = e;
    else
        q->first = e;
    q->last = e;
    q->count++;
}

static void take_out(struct introduction_queue *q, struct introduction_entry *e)
{
    if (e->prev)
        e->prev->next = e->next;
    else
        q->first = e->next;
    if (e->next)
        e->next->prev = e->prev;
    else
        q->last = e->prev;
    q->count--;
}

/* All of an open one wait equally long, so the first is the next to be over; likewise of those
 * that are kept. */
static void set_deadline(struct introductions *x)
{
    struct instant due = INSTANT_NEVER;
    if (x->open.first)
        due = instant_after_ms(x->open.first->what.since, LIMIT_INVITED_MS);
    if (x->kept.first)
        due =
            instant_min(due, instant_after_ms(x->kept.first->what.since, LIMIT_INTRODUCED_MS));
    atomic_store(&x->deadline_ns, due.ns == INSTANT_NEVER.ns ? 0 : due.ns);
}

struct instant introductions_deadline(const struct introductions *x)
{
    uint64_t ns = atomic_load(&x->deadline_ns);
    return ns ? (struct instant){ns} : INSTANT_NEVER;
}

/* Forgets it; its candidates go over to *ret, which may be NULL. */
static void forget(struct introductions *x, struct introduction_entry *e,
                   struct introduction *ret)
{
    struct introduction_entry **link = bucket_of(x, &e->what.id);
    while (*link != e)
        link = &(*link)->same_bucket;
    *link = e->same_bucket;
    take_out(e->accepted ? &x->kept : &x->open, e);
    if (ret)
        *ret = e->what;
    else
        introduction_fini(&e->what);
    free(e);
    set_deadline(x);
}

void introductions_fini(struct introductions *x)
{
    while (x->open.first)
        forget(x, x->open.first, NULL);
    while (x->kept.first)
        forget(x, x->kept.first, NULL);
}

/* ---- inviting */

static int check_limits(const struct introductions *x, const char *from, const char *to)
{
    size_t inviting = 0, invited = 0;
    for (const struct introduction_entry *e = x->open.first; e; e = e->next) {
        bool is_from = strcmp(e->what.from.key, from) == 0;
        bool is_to = strcmp(e->what.to.key, to) == 0;
        if (is_from && is_to)
            return INTRODUCTION_ALREADY;
        inviting += is_from;
        invited += is_to;
    }
    return inviting >= LIMIT_INVITING || invited >= LIMIT_INVITED ||
                   x->open.count >= LIMIT_INTRODUCTIONS_OPEN
               ? INTRODUCTION_TOO_MANY
               : 0;
}

/* A copy that is one's own; false where memory is out. */
static bool copy_side(struct introduction_side *to, const struct introduction_side *from)
{
    *to = *from;
    to->candidates = from->candidates ? strdup(from->candidates) : NULL;
    return to->candidates || !from->candidates;
}

static int invite(struct introductions *x, const struct introduction_side *from,
                  const char *to_key, const char *to_name, struct instant now,
                  const struct random_id *id)
{
    int r = check_limits(x, from->key, to_key);
    if (r != 0)
        return r;
    struct introduction_entry *e = calloc(1, sizeof *e);
    if (!e || !copy_side(&e->what.from, from)) {
        free(e);
        return -ENOMEM;
    }
    snprintf(e->what.to.key, sizeof e->what.to.key, "%s", to_key);
    snprintf(e->what.to.name, sizeof e->what.to.name, "%s", to_name);
    e->what.since = now;
    e->what.id = *id;
    e->same_bucket = *bucket_of(x, id);
    *bucket_of(x, id) = e;
    append(&x->open, e);
    set_deadline(x);
    return 0;
}

int introductions_invite(struct introductions *x, const struct introduction_side *from,
                         const char *to_key, const char *to_name, struct instant now,
                         const struct random_id *id)
{
    if (strcmp(from->key, to_key) == 0)
        return INTRODUCTION_SELF;
    pthread_mutex_lock(&x->lock);
    int r = invite(x, from, to_key, to_name, now, id);
    pthread_mutex_unlock(&x->lock);
    return r;
}

/* ---- answering */

/* The open one of that id, where that account is the one invited (or has invited). */
static struct introduction_entry *find_open(struct introductions *x, const struct random_id *id,
                                            const char *key, bool invited)
{
    struct introduction_entry *e = find(x, id);
    if (!e || e->accepted)
        return NULL;
    return strcmp(invited ? e->what.to.key : e->what.from.key, key) == 0 ? e : NULL;
}

/* The candidates have been told and are not needed any more; the copy has them. */
static void keep(struct introductions *x, struct introduction_entry *e, struct instant now,
                 struct random_id *ret_forgotten)
{
    *ret_forgotten = e->what.id;
    if (x->kept.count >= LIMIT_INTRODUCTIONS_KEPT) {
        *ret_forgotten = x->kept.first->what.id;
        forget(x, x->kept.first, NULL);
    }
    take_out(&x->open, e);
    e->accepted = true;
    e->what.from.candidates = e->what.to.candidates = NULL;
    e->what.since = now;
    append(&x->kept, e);
    set_deadline(x);
}

int introductions_accept(struct introductions *x, const struct random_id *id,
                         const struct introduction_side *side, struct instant now,
                         struct introduction *ret, struct random_id *ret_forgotten)
{
    struct introduction_side accepted;
    if (!copy_side(&accepted, side))
        return -ENOMEM;
    pthread_mutex_lock(&x->lock);
    struct introduction_entry *e = find_open(x, id, side->key, true);
    if (e) {
        e->what.to = accepted;
        *ret = e->what;
        keep(x, e, now, ret_forgotten);
    }
    pthread_mutex_unlock(&x->lock);
    if (e)
        return 0;
    free((char *)(uintptr_t)accepted.candidates);
    return INTRODUCTION_UNKNOWN;
}

static int end_open(struct introductions *x, const struct random_id *id, const char *key,
                    bool invited, struct introduction *ret)
{
    pthread_mutex_lock(&x->lock);
    struct introduction_entry *e = find_open(x, id, key, invited);
    if (e)
        forget(x, e, ret);
    pthread_mutex_unlock(&x->lock);
    return e ? 0 : INTRODUCTION_UNKNOWN;
}

int introductions_decline(struct introductions *x, const struct random_id *id, const char *key,
                          struct introduction *ret)
{
    return end_open(x, id, key, true, ret);
}

int introductions_busy(struct introductions *x, const struct random_id *id, const char *key,
                       size_t others, struct introduction *ret)
{
    pthread_mutex_lock(&x->lock);
    struct introduction_entry *e = find_open(x, id, key, true);
    bool stays = e && e->busy++ < others;
    if (e && !stays)
        forget(x, e, ret);
    pthread_mutex_unlock(&x->lock);
    return !e ? INTRODUCTION_UNKNOWN : stays ? INTRODUCTION_STAYS : 0;
}

int introductions_cancel(struct introductions *x, const struct random_id *id, const char *key,
                         struct introduction *ret)
{
    return end_open(x, id, key, false, ret);
}

/* ---- ending by themselves */

static bool is_over(const struct introduction_entry *e, uint64_t ms, struct instant now)
{
    return e && instant_after_ms(e->what.since, ms).ns <= now.ns;
}

bool introductions_expire(struct introductions *x, struct instant now, struct introduction *ret)
{
    if (introductions_deadline(x).ns > now.ns)
        return false;
    pthread_mutex_lock(&x->lock);
    while (is_over(x->kept.first, LIMIT_INTRODUCED_MS, now))
        forget(x, x->kept.first, NULL);
    bool over = is_over(x->open.first, LIMIT_INVITED_MS, now);
    if (over)
        forget(x, x->open.first, ret);
    pthread_mutex_unlock(&x->lock);
    return over;
}

/* key: to that account; NULL: from that connection. */
static bool drop(struct introductions *x, const char *key, uint64_t connection,
                 struct introduction *ret)
{
    pthread_mutex_lock(&x->lock);
    struct introduction_entry *e = x->open.first;
    while (e &&
           (key ? strcmp(e->what.to.key, key) != 0 : e->what.from.connection != connection))
        e = e->next;
    if (e)
        forget(x, e, ret);
    pthread_mutex_unlock(&x->lock);
    return e != NULL;
}

bool introductions_drop_from(struct introductions *x, uint64_t connection,
                             struct introduction *ret)
{
    return drop(x, NULL, connection, ret);
}

bool introductions_drop_to(struct introductions *x, const char *key, struct introduction *ret)
{
    return drop(x, key, 0, ret);
}

static bool is_side(const struct introduction_side *side, const char *key,
                    const struct public_key *device)
{
    return strcmp(side->key, key) == 0 &&
           memcmp(side->device.bytes, device->bytes, PUBLIC_KEY_BYTES) == 0;
}

int introduction_side(const struct introduction *i, const char *key,
                      const struct public_key *device)
{
    if (is_side(&i->from, key, device))
        return 0;
    return is_side(&i->to, key, device) ? 1 : -1;
}

int introductions_disbelieve(struct introductions *x, const struct random_id *id,
                             const char *key, const struct public_key *device,
                             struct instant now, struct introduction *ret)
{
    pthread_mutex_lock(&x->lock);
    struct introduction_entry *e = find(x, id);
    int side = e && e->accepted && !is_over(e, LIMIT_INTRODUCED_MS, now)
                   ? introduction_side(&e->what, key, device)
                   : -1;
    bool is_new = side >= 0 && !e->disbelieved[side];
    if (is_new) {
        e->disbelieved[side] = true;
        *ret = e->what;
    }
    pthread_mutex_unlock(&x->lock);
    return is_new ? 0 : INTRODUCTION_UNKNOWN;
}

int introductions_find(struct introductions *x, const struct random_id *id, struct instant now,
                       struct introduction *ret)
{
    pthread_mutex_lock(&x->lock);
    const struct introduction_entry *e = find(x, id);
    bool found = e && e->accepted && !is_over(e, LIMIT_INTRODUCED_MS, now);
    if (found)
        *ret = e->what;
    pthread_mutex_unlock(&x->lock);
    return found ? 0 : INTRODUCTION_UNKNOWN;
}
