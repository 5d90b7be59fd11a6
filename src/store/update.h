#ifndef KITH_STORE_UPDATE_H
#define KITH_STORE_UPDATE_H

/* Several keys read and changed as one, in one keyspace: what store_update is.
 *
 * The shards of the keys are locked in ascending order, the caller's function runs, the new
 * entries are made, one record of what results is appended to the log, and the entries take
 * their places. Whatever can fail comes before the record. */

#include "store/keyspace.h"

int update_run(struct keyspace *k, struct store_slot *slots, size_t n, struct walltime now,
               store_update_fn fn, void *ctx, uint64_t *ret_lsn);

#endif
