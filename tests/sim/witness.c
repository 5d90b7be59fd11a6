#include "witness.h"

#include <assert.h>
#include <stdlib.h>

static struct witness *witness_of(struct store *s)
{
    return (struct witness *)(void *)s; /* its first member */
}

static void *grow(void *list, size_t count, size_t *capacity, size_t each)
{
    if (count < *capacity)
        return list;
    *capacity = *capacity ? 2 * *capacity : 64;
    list = realloc(list, *capacity * each);
    if (!list)
        abort();
    return list;
}

static void see_change(void *ctx, const struct store_change *change)
{
    struct witness *w = ctx;
    w->changes = grow(w->changes, w->change_count, &w->change_capacity, sizeof *w->changes);
    struct witness_change *c = &w->changes[w->change_count++];
    *c = (struct witness_change){change->kind, change->space, "", change->lsn};
    assert(change->key.len < sizeof c->key);
    if (change->key.len)
        memcpy(c->key, change->key.data, change->key.len);
    if (w->watch)
        w->watch(w->watch_ctx, change);
}

static struct witness *begin_call(struct store *s)
{
    struct witness *w = witness_of(s);
    w->call_begin = w->change_count;
    return w;
}

static int end_call(struct witness *w, int result, size_t count)
{
    size_t changes = w->change_count - w->call_begin;
    w->calls = grow(w->calls, w->call_count, &w->call_capacity, sizeof *w->calls);
    w->calls[w->call_count++] =
        (struct witness_call){.result = result, .count = count, .change_count = changes};
    return result;
}

/* One that was put off is as if it had not been. */
static int end_call_that_waits(struct witness *w, int result)
{
    if (result != STORE_BUSY)
        return end_call(w, result, 0);
    w->amiss |= w->change_count != w->call_begin;
    return result;
}

static int get(struct store *s, enum store_space space, struct bytes key, struct walltime now,
               store_visit_fn visit, void *ctx, uint64_t *ret_lsn)
{
    struct witness *w = begin_call(s);
    return end_call_that_waits(w, store_get(w->inner, space, key, now, visit, ctx, ret_lsn));
}

static int update(struct store *s, enum store_space space, struct store_slot *slots, size_t n,
                  struct walltime now, store_update_fn fn, void *ctx, uint64_t *ret_lsn)
{
    struct witness *w = begin_call(s);
    return end_call_that_waits(w,
                               store_update(w->inner, space, slots, n, now, fn, ctx, ret_lsn));
}

static size_t count(struct store *s, enum store_space space, uint64_t *ret_lsn)
{
    struct witness *w = begin_call(s);
    size_t n = store_count(w->inner, space, ret_lsn);
    end_call(w, 0, n);
    return n;
}

static void expect(struct store *s, enum store_space space, const struct bytes *keys, size_t n)
{
    store_expect(witness_of(s)->inner, space, keys, n);
}

static int backup(struct store *s, struct backup **ret)
{
    return store_backup(witness_of(s)->inner, ret);
}

static uint64_t durable(struct store *s)
{
    return store_durable(witness_of(s)->inner);
}

static void stats(struct store *s, enum store_space space, struct walltime now,
                  struct store_stats *ret, uint64_t *ret_lsn)
{
    store_stats(witness_of(s)->inner, space, now, ret, ret_lsn);
}

static int scan(struct store *s, enum store_space space, uint64_t *cursor, size_t budget,
                struct walltime now, store_scan_fn fn, void *ctx, uint64_t *ret_lsn)
{
    return store_scan(witness_of(s)->inner, space, cursor, budget, now, fn, ctx, ret_lsn);
}

static int flush(struct store *s, enum store_space space, struct walltime now,
                 uint64_t *ret_lsn)
{
    struct witness *w = begin_call(s);
    return end_call_that_waits(w, store_flush(w->inner, space, now, ret_lsn));
}

static void watch(struct store *s, store_watch_fn fn, void *ctx)
{
    witness_of(s)->watch = fn;
    witness_of(s)->watch_ctx = ctx;
}

static bool save(struct store *s)
{
    struct witness *w = begin_call(s);
    return end_call(w, store_save(w->inner), 0);
}

static void saved(struct store *s, struct store_saved *ret)
{
    store_saved(witness_of(s)->inner, ret);
}

static int trouble(struct store *s)
{
    return store_trouble(witness_of(s)->inner);
}

static struct walltime time_of(struct store *s, struct walltime now)
{
    return store_time(witness_of(s)->inner, now);
}

static size_t memory(struct store *s)
{
    return store_memory(witness_of(s)->inner);
}

static const struct store_ops ops = {
    .get = get,
    .update = update,
    .expect = expect,
    .backup = backup,
    .count = count,
    .stats = stats,
    .scan = scan,
    .flush = flush,
    .watch = watch,
    .save = save,
    .saved = saved,
    .trouble = trouble,
    .durable = durable,
    .time = time_of,
    .memory = memory,
};

void witness_init(struct witness *w, struct store *inner)
{
    *w = (struct witness){.store.ops = &ops, .inner = inner};
    store_watch(inner, see_change, w);
}

void witness_fini(struct witness *w)
{
    free(w->calls);
    free(w->changes);
    w->calls = NULL;
    w->changes = NULL;
}

bool witness_next(struct witness *w, struct witness_call *ret)
{
    if (w->call_next == w->call_count)
        return false;
    *ret = w->calls[w->call_next++];
    ret->changes = ret->change_count ? &w->changes[w->change_next] : NULL;
    w->change_next += ret->change_count;
    return true;
}

size_t witness_loose(struct witness *w, const struct witness_change **ret)
{
    size_t n = w->change_count - w->change_next;
    *ret = n ? &w->changes[w->change_next] : NULL;
    return n;
}

void witness_forget(struct witness *w)
{
    w->call_next = w->call_count = w->change_next = w->change_count = 0;
}
