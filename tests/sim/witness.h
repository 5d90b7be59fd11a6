#ifndef KITH_TESTS_SIM_WITNESS_H
#define KITH_TESTS_SIM_WITNESS_H

/* A store that hands everything to another and remembers what that one said to each update
 * that was not put off: whether a disk is full is not for the model to guess. */

#include "store/store.h"

enum { WITNESS_OUTCOMES_MAX = 8192 };

struct witness {
    struct store store;
    struct store *inner;
    int outcomes[WITNESS_OUTCOMES_MAX]; /* not asked for yet, oldest first */
    size_t first, count;
};

void witness_init(struct witness *w, struct store *inner);

/* What the oldest update came to; false where there was none. */
bool witness_next(struct witness *w, int *ret);

#endif
