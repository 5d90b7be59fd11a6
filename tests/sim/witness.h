#ifndef KITH_TESTS_SIM_WITNESS_H
#define KITH_TESTS_SIM_WITNESS_H

/* A store that hands everything to another and remembers what that one did: what each call came
 * to that was not put off, and every change it told, in their order. Whether a disk is full,
 * and when what has expired is swept, is not for the model to guess. */

#include "store/store.h"

enum { WITNESS_KEY_BYTES = 16 };

struct witness_change {
    enum store_change_kind kind;
    enum store_space space;
    char key[WITNESS_KEY_BYTES];
    uint64_t lsn; /* as told */
};

/* A get, update, count, flush or save. */
struct witness_call {
    int result;                           /* of a save: did it begin? */
    size_t count;                         /* of a count */
    const struct witness_change *changes; /* told while it ran */
    size_t change_count;
};

struct witness {
    struct store store;
    struct store *inner;
    store_watch_fn watch; /* is told, too */
    void *watch_ctx;

    struct witness_call *calls; /* changes: set when asked for */
    size_t call_next, call_count, call_capacity;
    struct witness_change *changes;
    size_t change_next, change_count, change_capacity;
    size_t call_begin; /* the first change of the call under way */
    bool amiss;        /* a call that was put off has changed something */
};

void witness_init(struct witness *w, struct store *inner);
void witness_fini(struct witness *w);

/* The oldest call not asked for yet; false where there is none. What it points to holds until
 * witness_forget. */
bool witness_next(struct witness *w, struct witness_call *ret);

/* Changes that were told while none of these calls ran. */
size_t witness_loose(struct witness *w, const struct witness_change **ret);

/* All has been asked for: begins anew. */
void witness_forget(struct witness *w);

#endif
