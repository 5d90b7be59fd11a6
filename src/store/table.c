#include "store/table.h"

#include "base/hash.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Each shard is a linear hash table: chains hang from buckets, and the array of buckets grows
 * by one at a time, splitting one chain in two, as entries come. Nothing ever pauses to rehash,
 * no second table stands beside the first, and putting an entry in needs no memory: where the
 * array cannot grow, chains are a little longer.
 *
 * Against 8-byte slots in open addressing: the link costs an entry of 16 + 32 bytes nothing
 * (malloc would round it away), the array is more than full instead of two thirds full. */

struct table_entry {
    struct table_entry *next;
    uint64_t lsn;
    uint32_t value_bytes;
    uint32_t key_bytes; /* and HAS_EXPIRY, IS_SHARED */
    uint8_t bytes[];    /* expiry, where it has one; key; value, or a struct shared */
};

#define HAS_EXPIRY ((uint32_t)1 << 31)
#define IS_SHARED ((uint32_t)1 << 30)
#define KEY_BYTES (IS_SHARED - 1)

struct shared {
    const uint8_t *data;
    struct blob *blob;
};

/* On cache lines of its own, so that workers in neighbouring shards do not disturb one another;
 * what a hit needs is on the first. The first two behind the lock are atomic for table_expect
 * alone, which guesses where a bucket lies without it. */
struct table_shard {
    _Alignas(64) pthread_mutex_t lock;
    _Atomic(struct table_entry **) buckets; /* at first the one below */
    atomic_size_t bucket_count;             /* in use, at least 1 */
    size_t bucket_capacity;
    struct table_entry *first_bucket;
    size_t entry_count;
    uint64_t removal_lsn, change_lsn;
    int64_t expiry_ms;     /* no entry expires before it */
    int64_t put_expiry_ms; /* likewise, of those put in since table_shard_expiry_begin */
    atomic_size_t bytes;   /* of memory; read without the lock */
    size_t expiring_count; /* entries with an expiry ... */
    unsigned __int128 expiring_sum; /* ... and the sum of these, in ms */
};

struct table {
    uint64_t seed;
    struct table_shard shards[TABLE_SHARDS];
};

struct table_garbage {
    struct {
        struct table_entry **buckets; /* NULL once freed */
        size_t count;
        struct table_entry *first_bucket;
    } shards[TABLE_SHARDS];
    size_t shard, bucket; /* what is freed next */
};

enum { SHARD_SHIFT = 56, MALLOC_BYTES = 8 /* that an allocation costs besides */ };

static struct table_entry **buckets_of(const struct table_shard *s)
{
    return atomic_load_explicit(&s->buckets, memory_order_relaxed);
}

static size_t bucket_count_of(const struct table_shard *s)
{
    return atomic_load_explicit(&s->bucket_count, memory_order_relaxed);
}

static void set_buckets(struct table_shard *s, struct table_entry **buckets, size_t count)
{
    atomic_store_explicit(&s->buckets, buckets, memory_order_relaxed);
    atomic_store_explicit(&s->bucket_count, count, memory_order_relaxed);
}

static void shard_reset(struct table_shard *s)
{
    s->first_bucket = NULL;
    set_buckets(s, &s->first_bucket, 1);
    s->bucket_capacity = 1;
    s->entry_count = 0;
    s->expiry_ms = s->put_expiry_ms = INT64_MAX;
    s->expiring_count = 0;
    s->expiring_sum = 0;
    atomic_store_explicit(&s->bytes, 0, memory_order_relaxed);
}

int table_new(struct table **ret, uint64_t seed)
{
    struct table *t = aligned_alloc(_Alignof(struct table), sizeof *t);
    if (!t)
        return -ENOMEM;
    memset(t, 0, sizeof *t);
    t->seed = seed;
    for (size_t i = 0; i < TABLE_SHARDS; i++) {
        struct table_shard *s = &t->shards[i];
        pthread_mutex_init(&s->lock, NULL);
        shard_reset(s);
    }
    *ret = t;
    return 0;
}

/* Only who holds the lock changes it, so this needs no atomic addition. */
static void shard_add_bytes(struct table_shard *s, size_t added, size_t gone)
{
    size_t bytes = atomic_load_explicit(&s->bytes, memory_order_relaxed);
    atomic_store_explicit(&s->bytes, bytes + added - gone, memory_order_relaxed);
}

void table_reserve(struct table *t, size_t n)
{
    size_t buckets = n / TABLE_SHARDS * 4 / 5 + 1;
    for (size_t i = 0; i < TABLE_SHARDS; i++) {
        struct table_shard *s = &t->shards[i];
        struct table_entry **array =
            bucket_count_of(s) == 1 && buckets > 1 ? calloc(buckets, sizeof *array) : NULL;
        if (!array)
            continue;
        set_buckets(s, array, buckets);
        s->bucket_capacity = buckets;
        shard_add_bytes(s, buckets * sizeof *array, 0);
    }
}

uint64_t table_hash(const struct table *t, struct bytes key)
{
    return hash_short(key, t->seed);
}

size_t table_shard(uint64_t hash)
{
    return hash >> SHARD_SHIFT;
}

void table_lock(struct table *t, size_t shard)
{
    pthread_mutex_lock(&t->shards[shard].lock);
}

void table_unlock(struct table *t, size_t shard)
{
    pthread_mutex_unlock(&t->shards[shard].lock);
}

static size_t entry_key_offset(const struct table_entry *e)
{
    return e->key_bytes & HAS_EXPIRY ? sizeof(int64_t) : 0;
}

struct bytes table_entry_key(const struct table_entry *e)
{
    return bytes_make(e->bytes + entry_key_offset(e), e->key_bytes & KEY_BYTES);
}

static struct shared entry_shared(const struct table_entry *e)
{
    struct bytes key = table_entry_key(e);
    struct shared shared;
    memcpy(&shared, key.data + key.len, sizeof shared);
    return shared;
}

struct bytes table_entry_value(const struct table_entry *e)
{
    if (e->key_bytes & IS_SHARED)
        return bytes_make(entry_shared(e).data, e->value_bytes);
    struct bytes key = table_entry_key(e);
    return bytes_make(key.data + key.len, e->value_bytes);
}

struct blob *table_entry_blob(const struct table_entry *e)
{
    return e->key_bytes & IS_SHARED ? entry_shared(e).blob : NULL;
}

struct walltime table_entry_expires(const struct table_entry *e)
{
    struct walltime expires = {0};
    if (e->key_bytes & HAS_EXPIRY)
        memcpy(&expires.ms, e->bytes, sizeof expires.ms);
    return expires;
}

uint64_t table_entry_lsn(const struct table_entry *e)
{
    return e->lsn;
}

static struct table_entry *entry_make(struct bytes key, struct bytes tail,
                                      struct walltime expires)
{
    size_t expiry_bytes = expires.ms ? sizeof expires.ms : 0;
    struct table_entry *e = malloc(sizeof *e + expiry_bytes + key.len + tail.len);
    if (!e)
        return NULL;
    e->next = NULL;
    e->lsn = 0;
    e->value_bytes = (uint32_t)tail.len;
    e->key_bytes = (uint32_t)key.len | (expires.ms ? HAS_EXPIRY : 0);
    memcpy(e->bytes, &expires.ms, expiry_bytes);
    memcpy(e->bytes + expiry_bytes, key.data, key.len);
    if (tail.len)
        memcpy(e->bytes + expiry_bytes + key.len, tail.data, tail.len);
    return e;
}

static struct table_entry *entry_make_shared(struct bytes key, struct bytes value,
                                             struct blob *blob, struct walltime expires)
{
    struct shared shared = {value.data, blob ? blob_ref(blob) : blob_copy(value, NULL)};
    if (!shared.blob)
        return NULL;
    if (!blob)
        shared.data = shared.blob->memory;
    struct table_entry *e = entry_make(key, bytes_make(&shared, sizeof shared), expires);
    if (!e) {
        blob_unref(shared.blob);
        return NULL;
    }
    e->value_bytes = (uint32_t)value.len;
    e->key_bytes |= IS_SHARED;
    return e;
}

struct table_entry *table_entry_new(struct bytes key, struct bytes value, struct blob *blob,
                                    struct walltime expires)
{
    return value.len > TABLE_SHARED_BYTES ? entry_make_shared(key, value, blob, expires)
                                          : entry_make(key, value, expires);
}

void table_entry_free(struct table_entry *e)
{
    if (e)
        blob_unref(table_entry_blob(e));
    free(e);
}

/* Returns how many there were. */
static size_t free_chain(struct table_entry *e)
{
    size_t n = 0;
    for (; e; n++) {
        struct table_entry *next = e->next;
        table_entry_free(e);
        e = next;
    }
    return n;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < TABLE_SHARDS; i++) {
        struct table_shard *s = &t->shards[i];
        struct table_entry **buckets = buckets_of(s);
        for (size_t b = 0; b < bucket_count_of(s); b++)
            free_chain(buckets[b]);
        if (buckets != &s->first_bucket)
            free(buckets);
        pthread_mutex_destroy(&s->lock);
    }
    free(t);
}

static size_t entry_memory(const struct table_entry *e)
{
    size_t shared = e->key_bytes & IS_SHARED ? e->value_bytes : 0;
    return malloc_usable_size((void *)(uintptr_t)e) + MALLOC_BYTES + shared;
}

/* The greatest power of two that is at most count, itself at least 1. */
static size_t level_of(size_t count)
{
    return (size_t)1 << (63 - __builtin_clzll(count));
}

static struct table_entry **shard_bucket(const struct table_shard *s, uint64_t hash)
{
    size_t count = bucket_count_of(s), level = level_of(count);
    size_t b = hash & (2 * level - 1);
    return &buckets_of(s)[b < count ? b : b - level];
}

/* The link that holds a key's entry, or the NULL at the end of its chain. */
static struct table_entry **shard_link(const struct table_shard *s, struct bytes key,
                                       uint64_t hash)
{
    struct table_entry **link = shard_bucket(s, hash);
    while (*link && !bytes_equal(table_entry_key(*link), key))
        link = &(*link)->next;
    return link;
}

struct table_entry *table_find(struct table *t, struct bytes key, uint64_t hash)
{
    return *shard_link(&t->shards[table_shard(hash)], key, hash);
}

static void prefetch_entry(const struct table_entry *e)
{
    enum { LINE_BYTES = 64 };
    if (!e)
        return;
    __builtin_prefetch(e);
    __builtin_prefetch((const uint8_t *)e + LINE_BYTES);
}

void table_fetch_bucket(struct table *t, uint64_t hash)
{
    __builtin_prefetch(shard_bucket(&t->shards[table_shard(hash)], hash));
}

void table_fetch_chain(struct table *t, uint64_t hash)
{
    prefetch_entry(*shard_bucket(&t->shards[table_shard(hash)], hash));
}

static void prefetch_first(struct table *t, uint64_t hash)
{
    struct table_shard *s = &t->shards[table_shard(hash)];
    pthread_mutex_lock(&s->lock);
    table_fetch_chain(t, hash);
    pthread_mutex_unlock(&s->lock);
}

/* Where another key stands first in its chain. */
static void prefetch_second(struct table *t, struct bytes key, uint64_t hash)
{
    struct table_shard *s = &t->shards[table_shard(hash)];
    pthread_mutex_lock(&s->lock);
    const struct table_entry *e = *shard_bucket(s, hash);
    if (e && e->next && !bytes_equal(table_entry_key(e), key))
        prefetch_entry(e->next);
    pthread_mutex_unlock(&s->lock);
}

/* What is behind a pointer to far away takes longer to come than to be used: so all buckets are
 * asked for, then what they point to, then what that points to. Only for the first of each is
 * anything waited for. */
void table_expect(struct table *t, const struct bytes *keys, size_t n)
{
    uint64_t hashes[TABLE_EXPECTED];
    for (size_t i = 0; i < n; i++) {
        hashes[i] = table_hash(t, keys[i]);
        /* Without the lock this may be where the bucket was, or nowhere: that is no harm. */
        table_fetch_bucket(t, hashes[i]);
    }
    for (size_t i = 0; i < n; i++)
        prefetch_first(t, hashes[i]);
    for (size_t i = 0; i < n; i++)
        prefetch_second(t, keys[i], hashes[i]);
}

static bool grow_array(struct table_shard *s)
{
    size_t capacity = s->bucket_capacity + s->bucket_capacity / 8 + 8;
    struct table_entry **old = buckets_of(s);
    bool is_first = old == &s->first_bucket;
    struct table_entry **buckets =
        realloc(is_first ? NULL : old, capacity * sizeof(struct table_entry *));
    if (!buckets)
        return false;
    if (is_first)
        buckets[0] = s->first_bucket;
    shard_add_bytes(s, (capacity - s->bucket_capacity) * sizeof(struct table_entry *), 0);
    set_buckets(s, buckets, bucket_count_of(s));
    s->bucket_capacity = capacity;
    return true;
}

/* The bucket that is split when this one is added. */
static struct table_entry **split_bucket(const struct table_shard *s, size_t added)
{
    return &buckets_of(s)[added - level_of(added)];
}

/* The chains that are split next are fetched before they are needed: the very next one was
 * begun with the time before. */
static void prefetch_split(const struct table_shard *s)
{
    size_t next = bucket_count_of(s);
    const struct table_entry *e = *split_bucket(s, next);
    if (e)
        prefetch_entry(e->next);
    prefetch_entry(*split_bucket(s, next + 1));
}

/* Adds a bucket, and moves to it what of one older chain now belongs there. */
static void add_bucket(const struct table *t, struct table_shard *s)
{
    size_t added = bucket_count_of(s);
    if (added == s->bucket_capacity && !grow_array(s))
        return;
    struct table_entry **link = split_bucket(s, added), **to = &buckets_of(s)[added];
    *to = NULL;
    atomic_store_explicit(&s->bucket_count, added + 1, memory_order_relaxed);
    while (*link) {
        struct table_entry *e = *link;
        if (shard_bucket(s, table_hash(t, table_entry_key(e))) != to) {
            link = &e->next;
            continue;
        }
        *link = e->next;
        e->next = *to;
        *to = e;
    }
    prefetch_split(s);
}

static void shard_mind_expiry(struct table_shard *s, int64_t ms)
{
    if (ms < s->expiry_ms)
        s->expiry_ms = ms;
    if (ms < s->put_expiry_ms)
        s->put_expiry_ms = ms;
}

static void shard_count_expiry(struct table_shard *s, const struct table_entry *e)
{
    if (e->key_bytes & HAS_EXPIRY) {
        s->expiring_count++;
        s->expiring_sum += (uint64_t)table_entry_expires(e).ms;
    }
}

static void shard_uncount_expiry(struct table_shard *s, const struct table_entry *e)
{
    if (e->key_bytes & HAS_EXPIRY) {
        s->expiring_count--;
        s->expiring_sum -= (uint64_t)table_entry_expires(e).ms;
    }
}

struct table_entry *table_put(struct table *t, struct table_entry *e, uint64_t hash,
                              uint64_t lsn)
{
    struct table_shard *s = &t->shards[table_shard(hash)];
    struct table_entry **link = shard_link(s, table_entry_key(e), hash);
    struct table_entry *old = *link;
    e->lsn = lsn;
    e->next = old ? old->next : NULL;
    *link = e;
    s->change_lsn = lsn;
    shard_add_bytes(s, entry_memory(e), old ? entry_memory(old) : 0);
    if (e->key_bytes & HAS_EXPIRY)
        shard_mind_expiry(s, table_entry_expires(e).ms);
    shard_count_expiry(s, e);
    if (old)
        shard_uncount_expiry(s, old);
    if (!old && ++s->entry_count > bucket_count_of(s) + bucket_count_of(s) / 4)
        add_bucket(t, s);
    return old;
}

bool table_entry_fits(const struct table_entry *e, struct bytes value, struct walltime expires)
{
    return (e->key_bytes & (HAS_EXPIRY | IS_SHARED)) == 0 && expires.ms == 0 &&
           e->value_bytes == value.len;
}

void table_rewrite(struct table *t, struct table_entry *e, uint64_t hash, struct bytes value,
                   uint64_t lsn)
{
    e->lsn = lsn;
    t->shards[table_shard(hash)].change_lsn = lsn;
    if (value.len)
        memmove(e->bytes + (e->key_bytes & KEY_BYTES), value.data, value.len);
}

struct table_entry *table_remove(struct table *t, struct bytes key, uint64_t hash, uint64_t lsn)
{
    struct table_shard *s = &t->shards[table_shard(hash)];
    struct table_entry **link = shard_link(s, key, hash);
    s->change_lsn = s->removal_lsn = lsn;
    struct table_entry *old = *link;
    if (!old)
        return NULL;
    *link = old->next;
    s->entry_count--;
    shard_uncount_expiry(s, old);
    shard_add_bytes(s, 0, entry_memory(old));
    return old;
}

/* Visits a bucket and those that were split off it, or off one of those, since there were
 * `then`. Returns how many. */
static size_t visit_family(const struct table_shard *s, size_t bucket, size_t then,
                           table_visit_fn fn, void *ctx)
{
    size_t level = level_of(then), count = bucket_count_of(s), visited = 0;
    bool was_split = bucket >= level || bucket + level < then;
    for (size_t b = bucket; b < count; b += was_split ? 2 * level : level) {
        for (const struct table_entry *e = buckets_of(s)[b]; e; e = e->next)
            fn(ctx, e);
        visited++;
    }
    return visited;
}

size_t table_visit(struct table *t, struct table_place *at, size_t n, table_visit_fn fn,
                   void *ctx)
{
    const struct table_shard *s = &t->shards[at->shard];
    size_t count = bucket_count_of(s), visited = 0;
    /* An entry only ever moves to a bucket further on, so what there is still to visit is
     * behind this place whatever the number. One family should be no more than a step. */
    if (at->buckets > count || at->buckets < count / TABLE_GROWTH + 1)
        at->buckets = count;
    for (; at->bucket < at->buckets && visited < n; at->bucket++)
        visited += visit_family(s, at->bucket, at->buckets, fn, ctx);
    if (at->bucket >= at->buckets)
        at->bucket = at->buckets = 0;
    return visited;
}

/* ---- emptying */

int table_garbage_new(struct table_garbage **ret)
{
    struct table_garbage *g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    *ret = g;
    return 0;
}

void table_clear(struct table *t, size_t shard, uint64_t lsn, struct table_garbage *into)
{
    struct table_shard *s = &t->shards[shard];
    into->shards[shard].first_bucket = s->first_bucket;
    into->shards[shard].count = bucket_count_of(s);
    into->shards[shard].buckets =
        buckets_of(s) == &s->first_bucket ? &into->shards[shard].first_bucket : buckets_of(s);
    shard_reset(s);
    s->change_lsn = s->removal_lsn = lsn;
}

/* Frees the chain that is next; false when there is none any more. */
static bool free_next_chain(struct table_garbage *g, size_t *ret_freed)
{
    while (g->shard < TABLE_SHARDS && g->bucket == g->shards[g->shard].count) {
        if (g->shards[g->shard].buckets != &g->shards[g->shard].first_bucket)
            free(g->shards[g->shard].buckets);
        g->shard++;
        g->bucket = 0;
    }
    if (g->shard == TABLE_SHARDS)
        return false;
    *ret_freed = 1 + free_chain(g->shards[g->shard].buckets[g->bucket++]);
    return true;
}

bool table_garbage_free_some(struct table_garbage *g, size_t n)
{
    for (size_t freed; n > 0; n -= freed < n ? freed : n)
        if (!free_next_chain(g, &freed))
            return false;
    return true;
}

void table_garbage_free(struct table_garbage *g)
{
    while (g && table_garbage_free_some(g, SIZE_MAX))
        ;
    free(g);
}

size_t table_shard_count(const struct table *t, size_t shard)
{
    return t->shards[shard].entry_count;
}

size_t table_shard_expiring(const struct table *t, size_t shard, double *ret_sum_ms)
{
    *ret_sum_ms = (double)t->shards[shard].expiring_sum;
    return t->shards[shard].expiring_count;
}

uint64_t table_shard_removal_lsn(const struct table *t, size_t shard)
{
    return t->shards[shard].removal_lsn;
}

uint64_t table_shard_change_lsn(const struct table *t, size_t shard)
{
    return t->shards[shard].change_lsn;
}

struct walltime table_shard_expiry(const struct table *t, size_t shard)
{
    return (struct walltime){t->shards[shard].expiry_ms};
}

void table_shard_expiry_begin(struct table *t, size_t shard)
{
    t->shards[shard].put_expiry_ms = INT64_MAX;
}

void table_shard_expiry_end(struct table *t, size_t shard, struct walltime earliest)
{
    struct table_shard *s = &t->shards[shard];
    s->expiry_ms = earliest.ms < s->put_expiry_ms ? earliest.ms : s->put_expiry_ms;
}

size_t table_memory(const struct table *t)
{
    size_t bytes = 0;
    for (size_t i = 0; i < TABLE_SHARDS; i++)
        bytes += atomic_load_explicit(&t->shards[i].bytes, memory_order_relaxed);
    return bytes;
}
