#ifndef KITH_HUB_LETTERS_H
#define KITH_HUB_LETTERS_H

/* Letters in the system keyspace (people/letter.h says what they are):
 *
 *     "letters:" 32 bytes            a device's box, by its fingerprint
 *     "letter:" 32 bytes 16 bytes    a letter, by the device's fingerprint and its id
 *
 * A letter and its line in the box come and go as one. Functions return what store_get or
 * store_update do, and the conditions below. */

#include "people/letter.h"
#include "store/store.h"

enum {
    LETTERS_FULL = STORE_FN_FIRST, /* the box has no room, or none for that sender */
    LETTERS_DAMAGED,               /* a record cannot be read */
    LETTERS_KNOWN,                 /* that letter has come before: nothing was changed */
};

/* Puts a letter into a device's box; sender: the account's folded name. */
int letters_put(struct store *s, struct walltime now, const struct fingerprint *device,
                const struct random_id *id, const struct letter *letter, const char *sender,
                uint64_t *ret_lsn);

/* Takes those of the n letters out that are in the box; how many they are goes to *ret_taken.
 * n is at most LIMIT_LETTERS. */
int letters_take(struct store *s, struct walltime now, const struct fingerprint *device,
                 const struct random_id *ids, size_t n, size_t *ret_taken, uint64_t *ret_lsn);

/* Visits each letter that waits, the oldest first; it holds for the call. */
typedef void (*letters_see_fn)(void *ctx, const struct random_id *id, const struct letter *l);
int letters_each(struct store *s, struct walltime now, const struct fingerprint *device,
                 letters_see_fn see, void *ctx, uint64_t *ret_lsn);

#endif
