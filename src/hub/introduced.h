#ifndef KITH_HUB_INTRODUCED_H
#define KITH_HUB_INTRODUCED_H

/* Introductions that were accepted (people/introduction.h), in the system keyspace, so that the
 * two may meet at the relay after the hub has been started again, too:
 *
 *     "introduced:" 16 bytes    a record (people/introduction_record.h), by the id; it ends
 *                               by itself after LIMIT_INTRODUCED_MS
 *
 * Nobody waits for one to be durable, and an introduction that the store has no room for counts
 * until the hub ends. Limit: LIMIT_INTRODUCTIONS_KEPT of one run of the hub. */

#include "people/introduction.h"
#include "store/store.h"

/* Keeps one that is accepted now, and removes that of the id that was forgotten for it, which
 * may be its own: none was. What store_update returns. */
int introduced_keep(struct store *s, struct walltime now, const struct introduction *i,
                    const struct random_id *forgotten);

/* Of *ret, id, and key and device of both sides are set; nothing else is known. False where
 * there is none, or none that can be read. */
bool introduced_find(struct store *s, struct walltime now, const struct random_id *id,
                     struct introduction *ret, struct walltime *ret_since);

#endif
