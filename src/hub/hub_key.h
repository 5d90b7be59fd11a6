#ifndef KITH_HUB_HUB_KEY_H
#define KITH_HUB_HUB_KEY_H

/* The secret the hub's identity is made of (tls/identity.h): kept in the system keyspace under
 * "hub.key", so it outlives the process and is in every backup. */

#include "store/store.h"
#include "tls/identity.h"

/* Reads the secret; where there is none yet, keeps `fresh`, which is random. It may be used
 * once *ret_lsn is durable. What store_update returns; -EBADMSG: what is kept is no secret. */
int hub_key_obtain(struct store *s, struct walltime now,
                   const uint8_t fresh[IDENTITY_SEED_BYTES], uint8_t ret[IDENTITY_SEED_BYTES],
                   uint64_t *ret_lsn);

#endif
