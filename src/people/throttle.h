#ifndef KITH_PEOPLE_THROTTLE_H
#define KITH_PEOPLE_THROTTLE_H

/* Slows down who guesses passwords. An attempt is counted, at its begin, for whatever it is to
 * be counted for: an address, an account. Some are free; after those each must wait longer than
 * the one before, 1 s at first, LIMIT_THROTTLE_WAIT_MS at most. One that turned out right is
 * uncounted. What nobody tried for LIMIT_THROTTLE_FORGET_MS is forgotten.
 *
 * A table of fixed size, shared by all workers, with a lock: where it is full, what was tried
 * longest ago makes room. A zeroed throttle with a set seed is empty. */

#include "base/bytes.h"
#include "base/limits.h"
#include "base/time.h"

#include <pthread.h>

struct throttle_entry {
    uint64_t subject;    /* hashed */
    uint32_t count;      /* 0: free */
    struct instant last; /* when it was counted last */
};

struct throttle {
    pthread_mutex_t lock;
    uint64_t seed; /* secret, so that nobody can choose what shares a place */
    struct throttle_entry entries[LIMIT_THROTTLE_PLACES];
};

/* Counts an attempt and returns 0; or the milliseconds until one may be made again, uncounted.
 * free: how many need not wait. */
uint64_t throttle_begin(struct throttle *t, struct bytes subject, uint32_t free,
                        struct instant now);

/* Counts one less. */
void throttle_forgive(struct throttle *t, struct bytes subject);

#endif
