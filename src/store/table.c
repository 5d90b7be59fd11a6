#include "store/table.h"

#include "base/hash.h"

#include <errno.h>
#include <pthread.h>
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
    uint32_t key_bytes; /* HAS_EXPIRY set: 8 bytes of expiry stand before the key */
    uint8_t bytes[];    /* key, value */
};

#define HAS_EXPIRY ((uint32_t)1 << 31)

/* On cache lines of its own, so that workers in neighbouring shards do not disturb one another;
 * what a hit needs is on the first. */
struct table_shard {
    _Alignas(64) pthread_mutex_t lock;
    struct table_entry **buckets; /* at first the one below */
    size_t bucket_count;          /* in use, at least 1 */
    size_t bucket_capacity;
    struct table_entry *first_bucket;
    size_t entry_count;
    uint64_t removal_lsn, change_lsn;
};

struct table {
    uint64_t seed;
    struct table_shard shards[TABLE_SHARDS];
};

enum { SHARD_SHIFT = 56 };

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
        s->buckets = &s->first_bucket;
        s->bucket_count = s->bucket_capacity = 1;
    }
    *ret = t;
    return 0;
}

static void free_chain(struct table_entry *e)
{
    while (e) {
        struct table_entry *next = e->next;
        free(e);
        e = next;
    }
}

void table_free(struct table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < TABLE_SHARDS; i++) {
        struct table_shard *s = &t->shards[i];
        for (size_t b = 0; b < s->bucket_count; b++)
            free_chain(s->buckets[b]);
        if (s->buckets != &s->first_bucket)
            free(s->buckets);
        pthread_mutex_destroy(&s->lock);
    }
    free(t);
}

uint64_t table_hash(const struct table *t, struct bytes key)
{
    return hash_bytes(key, t->seed);
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
    return bytes_make(e->bytes + entry_key_offset(e), e->key_bytes & ~HAS_EXPIRY);
}

struct bytes table_entry_value(const struct table_entry *e)
{
    struct bytes key = table_entry_key(e);
    return bytes_make(key.data + key.len, e->value_bytes);
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

struct table_entry *table_entry_new(struct bytes key, struct bytes value,
                                    struct walltime expires)
{
    size_t expiry_bytes = expires.ms ? sizeof expires.ms : 0;
    struct table_entry *e = malloc(sizeof *e + expiry_bytes + key.len + value.len);
    if (!e)
        return NULL;
    e->next = NULL;
    e->lsn = 0;
    e->value_bytes = (uint32_t)value.len;
    e->key_bytes = (uint32_t)key.len | (expires.ms ? HAS_EXPIRY : 0);
    memcpy(e->bytes, &expires.ms, expiry_bytes);
    memcpy(e->bytes + expiry_bytes, key.data, key.len);
    if (value.len)
        memcpy(e->bytes + expiry_bytes + key.len, value.data, value.len);
    return e;
}

void table_entry_free(struct table_entry *e)
{
    free(e);
}

/* The greatest power of two that is at most bucket_count, itself at least 1. */
static size_t shard_level(const struct table_shard *s)
{
    return (size_t)1 << (63 - __builtin_clzll(s->bucket_count));
}

static struct table_entry **shard_bucket(const struct table_shard *s, uint64_t hash)
{
    size_t level = shard_level(s);
    size_t b = hash & (2 * level - 1);
    return &s->buckets[b < s->bucket_count ? b : b - level];
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

static bool grow_array(struct table_shard *s)
{
    size_t capacity = s->bucket_capacity + s->bucket_capacity / 8 + 8;
    bool is_first = s->buckets == &s->first_bucket;
    struct table_entry **buckets =
        realloc(is_first ? NULL : s->buckets, capacity * sizeof(struct table_entry *));
    if (!buckets)
        return false;
    if (is_first)
        buckets[0] = s->first_bucket;
    s->buckets = buckets;
    s->bucket_capacity = capacity;
    return true;
}

/* Adds a bucket, and moves to it what of one older chain now belongs there. */
static void add_bucket(const struct table *t, struct table_shard *s)
{
    if (s->bucket_count == s->bucket_capacity && !grow_array(s))
        return;
    size_t added = s->bucket_count;
    struct table_entry **link = &s->buckets[added - shard_level(s)];
    struct table_entry **to = &s->buckets[added];
    *to = NULL;
    s->bucket_count++;
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
}

void table_put(struct table *t, struct table_entry *e, uint64_t hash, uint64_t lsn)
{
    struct table_shard *s = &t->shards[table_shard(hash)];
    struct table_entry **link = shard_link(s, table_entry_key(e), hash);
    struct table_entry *old = *link;
    e->lsn = lsn;
    e->next = old ? old->next : NULL;
    *link = e;
    s->change_lsn = lsn;
    free(old);
    if (!old && ++s->entry_count > s->bucket_count + s->bucket_count / 4)
        add_bucket(t, s);
}

void table_remove(struct table *t, struct bytes key, uint64_t hash, uint64_t lsn)
{
    struct table_shard *s = &t->shards[table_shard(hash)];
    struct table_entry **link = shard_link(s, key, hash);
    s->change_lsn = s->removal_lsn = lsn;
    struct table_entry *old = *link;
    if (!old)
        return;
    *link = old->next;
    s->entry_count--;
    free(old);
}

size_t table_shard_count(const struct table *t, size_t shard)
{
    return t->shards[shard].entry_count;
}

uint64_t table_shard_removal_lsn(const struct table *t, size_t shard)
{
    return t->shards[shard].removal_lsn;
}

uint64_t table_shard_change_lsn(const struct table *t, size_t shard)
{
    return t->shards[shard].change_lsn;
}
