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

#include "base/bytes.h"
#include "base/time.h"

enum { TABLE_SHARDS = 256 };

struct table;
struct table_entry; /* key, value, expiry and LSN in one allocation; the layout is table.c's */

int table_new(struct table **ret, uint64_t seed);
void table_free(struct table *t);

/* A key's hash, to be handed to the functions below with the key. */
uint64_t table_hash(const struct table *t, struct bytes key);
size_t table_shard(uint64_t hash);

void table_lock(struct table *t, size_t shard);
void table_unlock(struct table *t, size_t shard);

/* The entry of a key, NULL where there is none. It holds while its shard is locked. */
struct table_entry *table_find(struct table *t, struct bytes key, uint64_t hash);

struct bytes table_entry_key(const struct table_entry *e);
struct bytes table_entry_value(const struct table_entry *e);
struct walltime table_entry_expires(const struct table_entry *e);
uint64_t table_entry_lsn(const struct table_entry *e);

/* Makes an entry that is not in the table yet; NULL when memory is out. Then either
 * table_put takes it or table_entry_free does. No lock needed. */
struct table_entry *table_entry_new(struct bytes key, struct bytes value,
                                    struct walltime expires);
void table_entry_free(struct table_entry *e);

/* Puts an entry in, in place of one with the same key, which is freed. Cannot fail:
 * the table grows when it can. */
void table_put(struct table *t, struct table_entry *e, uint64_t hash, uint64_t lsn);

/* Removes a key where it is there; the shard remembers the LSN either way. */
void table_remove(struct table *t, struct bytes key, uint64_t hash, uint64_t lsn);

size_t table_shard_count(const struct table *t, size_t shard);
uint64_t table_shard_removal_lsn(const struct table *t, size_t shard);
uint64_t table_shard_change_lsn(const struct table *t, size_t shard);

#endif
