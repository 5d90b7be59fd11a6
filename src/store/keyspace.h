#ifndef KITH_STORE_KEYSPACE_H
#define KITH_STORE_KEYSPACE_H

/* One keyspace of the embedded engine: a table, and the log its changes go to. Changing keys
 * is store/update.h's; here is the rest.
 *
 * Expiry: who meets an entry whose time has come removes it then and there, with a record, so
 * that an answer which says it is gone waits for that record: a clock set back, even over a
 * crash, brings nothing back. Only where nothing can be written there is no such record. */

#include "store/store.h"
#include "store/table.h"
#include "store/uploads.h"
#include "store/wal.h"

#include <stdatomic.h>

struct keyspace {
    enum store_space id;
    bool promises; /* answers wait for the disk; else their LSN is 0 */
    struct table *table;
    struct wal *wal;              /* both keyspaces' */
    struct uploads *uploads;      /* likewise */
    atomic_uint_fast64_t expired; /* entries removed because their time had come */
    store_watch_fn watch;
    void *watch_ctx;

    /* Where the sweep is, and the earliest expiry it has met in that shard. */
    struct table_place sweep;
    struct walltime sweep_earliest;
};

/* As in store.h. */
int keyspace_get(struct keyspace *k, struct bytes key, struct walltime now,
                 store_visit_fn visit, void *ctx, uint64_t *ret_lsn);
size_t keyspace_count(struct keyspace *k, uint64_t *ret_lsn);
void keyspace_stats(struct keyspace *k, struct walltime now, struct store_stats *ret,
                    uint64_t *ret_lsn);
int keyspace_scan(struct keyspace *k, uint64_t *cursor, size_t budget, struct walltime now,
                  store_scan_fn fn, void *ctx, uint64_t *ret_lsn);

/* Empties it; what was in it is the caller's to free (never NULL on 0). */
int keyspace_flush(struct keyspace *k, struct walltime now, struct table_garbage **ret_garbage,
                   uint64_t *ret_lsn);

/* Goes on sweeping: looks at about `budget` buckets of shards where something has expired, and
 * removes that. Shards where nothing can have are passed over at no cost. *ret_more: call again
 * soon; else there is nothing to sweep now. STORE_BUSY and the like: the log has no room. One
 * thread sweeps. */
int keyspace_sweep(struct keyspace *k, size_t budget, struct walltime now, bool *ret_more);

/* What the functions above share with store/update.h. */

/* Time never goes back, whatever the clock does. */
struct walltime keyspace_time(const struct keyspace *k, struct walltime now);
bool keyspace_entry_is_live(const struct table_entry *e, struct walltime now);
struct store_value keyspace_entry_value(const struct table_entry *e);

bool keyspace_key_is_valid(struct bytes key);

/* Tells the watcher, if there is one, of a change whose LSN is that of its record; fills in the
 * space. Between wal_begin and wal_end, so that changes are told in the order of their LSNs. */
void keyspace_tell(const struct keyspace *k, struct store_change *change);

static inline uint64_t keyspace_answer(const struct keyspace *k, uint64_t lsn)
{
    return k->promises ? lsn : 0;
}

#endif
