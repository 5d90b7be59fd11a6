#include "witness.h"

#include <assert.h>

static struct witness *witness_of(struct store *s)
{
    return (struct witness *)(void *)s; /* its first member */
}

static int get(struct store *s, enum store_space space, struct bytes key, struct walltime now,
               store_visit_fn visit, void *ctx, uint64_t *ret_lsn)
{
    return store_get(witness_of(s)->inner, space, key, now, visit, ctx, ret_lsn);
}

static int update(struct store *s, enum store_space space, struct store_slot *slots, size_t n,
                  struct walltime now, store_update_fn fn, void *ctx, uint64_t *ret_lsn)
{
    struct witness *w = witness_of(s);
    int r = store_update(w->inner, space, slots, n, now, fn, ctx, ret_lsn);
    if (r == STORE_BUSY)
        return r;
    assert(w->count < WITNESS_OUTCOMES_MAX);
    w->outcomes[(w->first + w->count++) % WITNESS_OUTCOMES_MAX] = r;
    return r;
}

static size_t count(struct store *s, enum store_space space, uint64_t *ret_lsn)
{
    return store_count(witness_of(s)->inner, space, ret_lsn);
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
    return store_flush(witness_of(s)->inner, space, now, ret_lsn);
}

static void watch(struct store *s, store_watch_fn fn, void *ctx)
{
    store_watch(witness_of(s)->inner, fn, ctx);
}

static bool save(struct store *s)
{
    return store_save(witness_of(s)->inner);
}

static void saved(struct store *s, struct store_saved *ret)
{
    store_saved(witness_of(s)->inner, ret);
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
    .durable = durable,
    .time = time_of,
    .memory = memory,
};

void witness_init(struct witness *w, struct store *inner)
{
    w->store.ops = &ops;
    w->inner = inner;
    w->first = w->count = 0;
}

bool witness_next(struct witness *w, int *ret)
{
    if (w->count == 0)
        return false;
    *ret = w->outcomes[w->first];
    w->first = (w->first + 1) % WITNESS_OUTCOMES_MAX;
    w->count--;
    return true;
}
