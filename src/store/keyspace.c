#include "store/keyspace.h"

#include "base/limits.h"
#include "store/record.h"
#include "store/update.h"

#include <errno.h>
#include <stdlib.h>

/* A cursor is a shard and a bucket in it; 0 is both the first place and the end. Clients may
 * keep it as a signed number. */
enum { CURSOR_SHARD_SHIFT = 54, CURSOR_BUCKETS_SHIFT = 27 };

struct walltime keyspace_time(const struct keyspace *k, struct walltime now)
{
    struct walltime in_log = wal_time(k->wal);
    return now.ms > in_log.ms ? now : in_log;
}

bool keyspace_entry_is_live(const struct table_entry *e, struct walltime now)
{
    struct walltime expires = table_entry_expires(e);
    return expires.ms == 0 || expires.ms > now.ms;
}

struct store_value keyspace_entry_value(const struct table_entry *e)
{
    return (struct store_value){
        .bytes = table_entry_value(e),
        .blob = table_entry_blob(e),
        .expires = table_entry_expires(e),
        .version = table_entry_lsn(e),
    };
}

void keyspace_tell(const struct keyspace *k, struct store_change *change)
{
    if (!k->watch)
        return;
    change->space = k->id;
    change->lsn = keyspace_answer(k, change->lsn);
    k->watch(k->watch_ctx, change);
}

bool keyspace_key_is_valid(struct bytes key)
{
    return key.len >= 1 && key.len <= LIMIT_KEY_BYTES;
}

/* ---- one key */

static int keep(void *ctx, struct store_slot *slots, size_t n)
{
    return 0;
}

/* An update that changes nothing removes what has expired. */
static int get_expired(struct keyspace *k, struct bytes key, struct walltime now,
                       store_visit_fn visit, void *ctx, uint64_t *ret_lsn)
{
    struct store_slot slot = {.key = key};
    int r = update_run(k, &slot, 1, now, keep, NULL, ret_lsn);
    if (r != 0)
        return r;
    if (!slot.present)
        return STORE_MISSING;
    return keyspace_get(k, key, now, visit, ctx, ret_lsn); /* somebody has just put it anew */
}

int keyspace_get(struct keyspace *k, struct bytes key, struct walltime now,
                 store_visit_fn visit, void *ctx, uint64_t *ret_lsn)
{
    if (!keyspace_key_is_valid(key))
        return STORE_TOO_LARGE;
    struct table *t = k->table;
    uint64_t hash = table_hash(t, key);
    size_t shard = table_shard(hash);
    table_lock(t, shard);
    const struct table_entry *entry = table_find(t, key, hash);
    bool present = entry && keyspace_entry_is_live(entry, keyspace_time(k, now));
    uint64_t lsn = entry ? table_entry_lsn(entry) : table_shard_removal_lsn(t, shard);
    if (present) {
        struct store_value value = keyspace_entry_value(entry);
        visit(ctx, &value);
    }
    table_unlock(t, shard);
    if (entry && !present)
        return get_expired(k, key, now, visit, ctx, ret_lsn);
    *ret_lsn = keyspace_answer(k, lsn);
    return present ? 0 : STORE_MISSING;
}

/* ---- all keys */

static void lock_all(struct table *t)
{
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++)
        table_lock(t, shard);
}

static void unlock_all(struct table *t)
{
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++)
        table_unlock(t, shard);
}

size_t keyspace_count(struct keyspace *k, uint64_t *ret_lsn)
{
    struct table *t = k->table;
    size_t n = 0;
    uint64_t lsn = 0;
    lock_all(t);
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++) {
        n += table_shard_count(t, shard);
        if (table_shard_change_lsn(t, shard) > lsn)
            lsn = table_shard_change_lsn(t, shard);
    }
    unlock_all(t);
    *ret_lsn = keyspace_answer(k, lsn);
    return n;
}

void keyspace_stats(struct keyspace *k, struct walltime now, struct store_stats *ret,
                    uint64_t *ret_lsn)
{
    struct table *t = k->table;
    struct store_stats stats = {.expired = atomic_load(&k->expired)};
    double sum = 0;
    uint64_t lsn = 0;
    lock_all(t);
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++) {
        double shard_sum;
        stats.keys += table_shard_count(t, shard);
        stats.expiring += table_shard_expiring(t, shard, &shard_sum);
        sum += shard_sum;
        if (table_shard_change_lsn(t, shard) > lsn)
            lsn = table_shard_change_lsn(t, shard);
    }
    unlock_all(t);
    double ttl = stats.expiring ? sum / (double)stats.expiring - (double)now.ms : 0;
    stats.ttl_ms = ttl > 0 ? (uint64_t)ttl : 0;
    *ret = stats;
    *ret_lsn = keyspace_answer(k, lsn);
}

static int append_flush(struct keyspace *k, struct walltime now, uint64_t *ret_lsn)
{
    struct record_op op = {.kind = RECORD_FLUSH, .space = k->id};
    uint8_t *to;
    int r = wal_begin(k->wal, record_op_bytes(&op), now, k->id == STORE_SYSTEM, &to, ret_lsn);
    if (r != 0)
        return r;
    record_op_write(to, &op);
    struct store_change change = {.kind = STORE_CHANGE_FLUSH, .lsn = *ret_lsn};
    keyspace_tell(k, &change);
    wal_end(k->wal);
    return 0;
}

int keyspace_flush(struct keyspace *k, struct walltime now, struct table_garbage **ret_garbage,
                   uint64_t *ret_lsn)
{
    struct table_garbage *garbage;
    int r = table_garbage_new(&garbage);
    if (r < 0)
        return r;
    uint64_t lsn;
    lock_all(k->table);
    r = append_flush(k, now, &lsn);
    for (size_t shard = 0; shard < TABLE_SHARDS && r == 0; shard++)
        table_clear(k->table, shard, lsn, garbage);
    unlock_all(k->table);
    if (r != 0) {
        table_garbage_free(garbage);
        return r;
    }
    *ret_garbage = garbage;
    *ret_lsn = keyspace_answer(k, lsn);
    return 0;
}

/* ---- going through the keys */

/* A cursor is a place: its shard, and the rest for half of what is left of 64 bits each. */
static struct table_place place_of(uint64_t cursor)
{
    const uint64_t mask = ((uint64_t)1 << CURSOR_BUCKETS_SHIFT) - 1;
    return (struct table_place){.shard = (cursor >> CURSOR_SHARD_SHIFT) % TABLE_SHARDS,
                                .buckets = cursor >> CURSOR_BUCKETS_SHIFT & mask,
                                .bucket = cursor & mask};
}

/* The cursor of what follows, where a visit has moved the place on. */
static uint64_t cursor_after(struct table_place at)
{
    if (at.bucket == 0)
        at.shard++;
    if (at.shard == TABLE_SHARDS)
        return 0;
    return (uint64_t)at.shard << CURSOR_SHARD_SHIFT |
           (uint64_t)at.buckets << CURSOR_BUCKETS_SHIFT | at.bucket;
}

/* The keys that have expired in some buckets of a shard, and the earliest time that has not. */
struct expired {
    struct walltime now;
    struct bytes *keys;
    size_t count, capacity;
    struct walltime earliest;
    bool failed; /* out of memory: the rest stays for the next time */
};

static void note_expired(void *ctx, const struct table_entry *e)
{
    struct expired *x = ctx;
    struct walltime expires = table_entry_expires(e);
    if (keyspace_entry_is_live(e, x->now)) {
        if (expires.ms != 0 && expires.ms < x->earliest.ms)
            x->earliest = expires;
        return;
    }
    if (x->count == x->capacity) {
        size_t capacity = x->capacity ? 2 * x->capacity : 16;
        struct bytes *keys = realloc(x->keys, capacity * sizeof *keys);
        if (!keys) {
            x->failed = true;
            return;
        }
        x->keys = keys;
        x->capacity = capacity;
    }
    x->keys[x->count++] = table_entry_key(e);
}

static size_t tombstone_bytes(const struct expired *x)
{
    size_t bytes = 0;
    for (size_t i = 0; i < x->count; i++) {
        struct record_op op = {.kind = RECORD_REMOVE, .key = x->keys[i]};
        bytes += record_op_bytes(&op);
    }
    return bytes;
}

/* Removes them, by one record. The shard is locked. */
static int remove_expired(struct keyspace *k, struct expired *x, struct walltime now)
{
    if (x->count == 0)
        return 0;
    uint8_t *to;
    uint64_t lsn;
    int r = wal_begin(k->wal, tombstone_bytes(x), now, k->id == STORE_SYSTEM, &to, &lsn);
    if (r != 0)
        return r;
    for (size_t i = 0; i < x->count; i++) {
        struct record_op op = {.kind = RECORD_REMOVE, .space = k->id, .key = x->keys[i]};
        to = record_op_write(to, &op);
        struct store_change change = {.kind = STORE_CHANGE_EXPIRE, .key = op.key, .lsn = lsn};
        keyspace_tell(k, &change);
    }
    wal_end(k->wal);
    atomic_fetch_add_explicit(&k->expired, x->count, memory_order_relaxed);
    for (size_t i = 0; i < x->count; i++) {
        struct bytes key = x->keys[i];
        uint64_t hash = table_hash(k->table, key);
        table_entry_free(table_remove(k->table, key, hash, lsn));
    }
    return 0;
}

/* Removes what has expired in n buckets of a locked shard, moves the place on and tells the
 * earliest expiry left. Where the log has no room it all stays. */
static int expire_buckets(struct keyspace *k, struct table_place *at, size_t n,
                          struct walltime now, struct walltime *ret_earliest)
{
    struct expired x = {.now = now, .earliest = {INT64_MAX}};
    table_visit(k->table, at, n, note_expired, &x);
    int r = x.failed ? -ENOMEM : remove_expired(k, &x, now);
    *ret_earliest = x.earliest;
    free(x.keys);
    return r;
}

struct scan {
    struct walltime now;
    store_scan_fn fn;
    void *ctx;
};

static void scan_entry(void *ctx, const struct table_entry *e)
{
    struct scan *s = ctx;
    if (!keyspace_entry_is_live(e, s->now))
        return;
    struct store_value value = keyspace_entry_value(e);
    s->fn(s->ctx, table_entry_key(e), &value);
}

/* One piece of a scan, within a shard; *budget is what is left of it. */
static int scan_buckets(struct keyspace *k, struct table_place *at, size_t *budget,
                        struct scan *s, struct walltime now, uint64_t *ret_lsn)
{
    struct table *t = k->table;
    size_t shard = at->shard, done = 0;
    int r = 0;
    table_lock(t, shard);
    s->now = keyspace_time(k, now);
    if (table_shard_expiry(t, shard).ms <= s->now.ms) {
        struct table_place same = *at;
        struct walltime earliest;
        r = expire_buckets(k, &same, *budget, s->now, &earliest);
    }
    if (wal_refuses(r))
        r = 0; /* what has expired may stay there: it is not told of */
    if (r == 0)
        done = table_visit(t, at, *budget, scan_entry, s);
    *ret_lsn = table_shard_change_lsn(t, shard);
    table_unlock(t, shard);
    *budget -= done < *budget ? done : *budget;
    return r;
}

int keyspace_scan(struct keyspace *k, uint64_t *cursor, size_t budget, struct walltime now,
                  store_scan_fn fn, void *ctx, uint64_t *ret_lsn)
{
    struct scan s = {.fn = fn, .ctx = ctx};
    uint64_t at = *cursor, newest = 0;
    do {
        struct table_place place = place_of(at);
        uint64_t lsn;
        int r = scan_buckets(k, &place, &budget, &s, now, &lsn);
        if (r != 0)
            return r;
        if (lsn > newest)
            newest = lsn;
        at = cursor_after(place);
    } while (at != 0 && budget > 0);
    *cursor = at;
    *ret_lsn = keyspace_answer(k, newest);
    return 0;
}

/* ---- sweeping */

/* Moves to the next shard that needs sweeping; false when it has come round to where it was. */
static bool find_shard(struct keyspace *k, struct walltime now)
{
    for (size_t i = 0; i < TABLE_SHARDS; i++) {
        size_t shard = (k->sweep.shard + i) % TABLE_SHARDS;
        table_lock(k->table, shard);
        bool due = table_shard_expiry(k->table, shard).ms <= now.ms;
        if (due)
            table_shard_expiry_begin(k->table, shard);
        table_unlock(k->table, shard);
        if (due) {
            k->sweep.shard = shard;
            k->sweep_earliest = (struct walltime){INT64_MAX};
            return true;
        }
    }
    return false;
}

static int sweep_buckets(struct keyspace *k, size_t n, struct walltime now)
{
    struct walltime earliest;
    struct table_place at = k->sweep;
    table_lock(k->table, at.shard);
    int r = expire_buckets(k, &at, n, now, &earliest);
    if (r == 0) {
        if (earliest.ms < k->sweep_earliest.ms)
            k->sweep_earliest = earliest;
        k->sweep = at;
        if (at.bucket == 0)
            table_shard_expiry_end(k->table, at.shard, k->sweep_earliest);
    }
    table_unlock(k->table, at.shard);
    return r;
}

int keyspace_sweep(struct keyspace *k, size_t budget, struct walltime now, bool *ret_more)
{
    *ret_more = false;
    now = keyspace_time(k, now);
    if (k->sweep.bucket == 0 && !find_shard(k, now))
        return 0;
    int r = sweep_buckets(k, budget, now);
    if (r == 0 && k->sweep.bucket == 0)
        k->sweep.shard = (k->sweep.shard + 1) % TABLE_SHARDS;
    *ret_more = r == 0;
    return r;
}
