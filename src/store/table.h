#ifndef KITH_STORE_TABLE_H
#define KITH_STORE_TABLE_H

/* The table in memory: shards, a mutex each; in each a hash table that grows little by little,
 * one allocation an entry. Keys are placed by a hash with a seed of the process, so nobody
 * outside can choose keys that collide.
 *
 * A shard also knows the LSN of its newest removal, which a miss depends on, and of its newest
 * mutation, which a whole-table answer depends on. One table holds one keyspace.
 *
 * Nothing here locks but table_lock: the caller locks the shards of its keys, each once and in
 * ascending order, and unlocks them when done. */

#include "base/blob.h"
#include "base/bytes.h"
#include "base/time.h"

enum {
    TABLE_SHARDS = 256,
    TABLE_SHARED_BYTES = 64 * 1024,
    TABLE_EXPECTED = 32,
    TABLE_GROWTH = 64
};

struct table;
struct table_entry; /* key, value, expiry and LSN in one allocation; the layout is table.c's */

int table_new(struct table **ret, uint64_t seed);
void table_free(struct table *t);

/* Makes room for about n entries in an empty table that nobody else uses yet, so that it need
 * not grow to them bit by bit. Where memory is out, it grows. */
void table_reserve(struct table *t, size_t n);

/* A key's hash, to be handed to the functions below with the key. */
uint64_t table_hash(const struct table *t, struct bytes key);
size_t table_shard(uint64_t hash);

void table_lock(struct table *t, size_t shard);
void table_unlock(struct table *t, size_t shard);

/* These keys are going to be looked for soon: fetches what that needs into the processor's
 * caches, all at the same time. At most TABLE_EXPECTED keys, no shard locked by the caller. */
void table_expect(struct table *t, const struct bytes *keys, size_t n);

/* The same in two steps, one key each, for who has locked their shards: where its chain begins,
 * then, some time later, the beginning. */
void table_fetch_bucket(struct table *t, uint64_t hash);
void table_fetch_chain(struct table *t, uint64_t hash);

/* The entry of a key, NULL where there is none. It holds while its shard is locked. */
struct table_entry *table_find(struct table *t, struct bytes key, uint64_t hash);

struct bytes table_entry_key(const struct table_entry *e);
struct bytes table_entry_value(const struct table_entry *e);
struct walltime table_entry_expires(const struct table_entry *e);
uint64_t table_entry_lsn(const struct table_entry *e);

/* Where the value is shared: its blob; else NULL. */
struct blob *table_entry_blob(const struct table_entry *e);

/* Makes an entry that is not in the table yet; NULL when memory is out. Then either
 * table_put takes it or table_entry_free does. A value of more than TABLE_SHARED_BYTES lies in
 * a blob: in `blob`, of which the entry takes a reference of its own, or a new one where that
 * is NULL. No lock needed. */
struct table_entry *table_entry_new(struct bytes key, struct bytes value, struct blob *blob,
                                    struct walltime expires);
void table_entry_free(struct table_entry *e); /* takes NULL */

/* Puts an entry in; returns the one with the same key whose place it takes, or NULL: it is the
 * caller's to free, best when nothing is locked any more. Cannot fail: the table grows when it
 * can. */
struct table_entry *table_put(struct table *t, struct table_entry *e, uint64_t hash,
                              uint64_t lsn);

/* Does an entry have room for just this, in place of what it holds? */
bool table_entry_fits(const struct table_entry *e, struct bytes value, struct walltime expires);

/* Then it may be given that: what table_put would do, without an allocation. value may lie in
 * the entry. */
void table_rewrite(struct table *t, struct table_entry *e, uint64_t hash, struct bytes value,
                   uint64_t lsn);

/* Takes a key's entry out and returns it, likewise; the shard remembers the LSN where there is
 * none, too. */
struct table_entry *table_remove(struct table *t, struct bytes key, uint64_t hash,
                                 uint64_t lsn);

/* How far somebody is who goes through a shard; zeroed but for the shard to begin with. Any
 * numbers are allowed. */
struct table_place {
    size_t shard, bucket; /* what comes next: 0 at the beginning, and again at the end */
    size_t buckets;       /* how many there were at the beginning; 0 there, and at the end */
};

/* Visits the entries of about n buckets from a place on, moves it on, and returns how many
 * buckets that were. An entry that stays is met by whoever goes through a whole shard, and only
 * once, however the table grows meanwhile: what has moved since the beginning is visited where
 * it was then. Only where the shard has grown more than TABLE_GROWTH-fold, it may be met again.
 * fn must not change the table. */
typedef void (*table_visit_fn)(void *ctx, const struct table_entry *e);
size_t table_visit(struct table *t, struct table_place *at, size_t n, table_visit_fn fn,
                   void *ctx);

/* What was in emptied shards, to be freed little by little: table_garbage_free_some frees about
 * n entries, and says whether there is more. No lock is needed. */
struct table_garbage;
int table_garbage_new(struct table_garbage **ret);
bool table_garbage_free_some(struct table_garbage *g, size_t n);
void table_garbage_free(struct table_garbage *g); /* all of it, and itself; takes NULL */

/* Empties a shard, as of that LSN. Cannot fail; one garbage takes each shard once. */
void table_clear(struct table *t, size_t shard, uint64_t lsn, struct table_garbage *into);

size_t table_shard_count(const struct table *t, size_t shard);

/* How many entries have an expiry, and the sum of these in ms. */
size_t table_shard_expiring(const struct table *t, size_t shard, double *ret_sum_ms);

uint64_t table_shard_removal_lsn(const struct table *t, size_t shard);
uint64_t table_shard_change_lsn(const struct table *t, size_t shard);

/* No entry of the shard expires before this; INT64_MAX: none does at all. It may be earlier
 * than the truth. To bring it up to date: begin, look at all entries, and end with the earliest
 * expiry met; what is put in meanwhile is minded. */
struct walltime table_shard_expiry(const struct table *t, size_t shard);
void table_shard_expiry_begin(struct table *t, size_t shard);
void table_shard_expiry_end(struct table *t, size_t shard, struct walltime earliest);

/* Bytes of memory the entries and buckets take. No lock needed. */
size_t table_memory(const struct table *t);

#endif
