#ifndef KITH_HUB_HUB_NAME_H
#define KITH_HUB_HUB_NAME_H

/* The hub's name: kept in the system keyspace under "hub.name", so it outlives the process.
 * A hub that was never given one is called HUB_NAME_DEFAULT. */

#include "base/buffer.h"
#include "store/store.h"

#define HUB_NAME_DEFAULT "kith"

/* 1 to LIMIT_NAME_BYTES bytes of clean text (base/clean.h), not blank at its ends. */
bool hub_name_is_valid(struct bytes name);

/* Appends the name to out. What store_get returns, or what buffer_append does. */
int hub_name_read(struct store *s, struct walltime now, struct buffer *out, uint64_t *ret_lsn);

/* name must be valid. What store_update returns. */
int hub_name_write(struct store *s, struct walltime now, struct bytes name, uint64_t *ret_lsn);

#endif
