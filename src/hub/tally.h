#ifndef KITH_HUB_TALLY_H
#define KITH_HUB_TALLY_H

/* What a worker counts as it works. It alone adds, with no more than a load and a store; all
 * workers may read. A zeroed tally is empty. */

#include "base/time.h"

#include <stdatomic.h>
#include <stddef.h>

enum tally_kind {
    TALLY_COMMANDS, /* run to their end */
    TALLY_HITS,     /* keys that commands which only read have found ... */
    TALLY_MISSES,   /* ... and have not */
    TALLY_BYTES_IN,
    TALLY_BYTES_OUT,
    TALLY_KINDS,
};

enum { TALLY_PAD_BYTES = 64 };

struct tally {
    atomic_uint_fast64_t counts[TALLY_KINDS];
    /* The second, or longer where nothing happened, that is being counted, and what the one
     * before came to. */
    atomic_uint_fast64_t since_ns;
    atomic_uint_fast64_t counts_then[TALLY_KINDS];
    _Atomic double rates[TALLY_KINDS];
    uint8_t pad[TALLY_PAD_BYTES]; /* so that workers do not disturb one another */
};

static inline void tally_add(struct tally *t, enum tally_kind kind, uint64_t n)
{
    uint64_t count = atomic_load_explicit(&t->counts[kind], memory_order_relaxed);
    atomic_store_explicit(&t->counts[kind], count + n, memory_order_relaxed);
}

/* It is now this time; called by the worker, once a turn. */
void tally_tick(struct tally *t, struct instant now);

/* Of n workers together: how many, and how many a second lately. */
uint64_t tally_sum(struct tally *all, size_t n, enum tally_kind kind);
double tally_rate(struct tally *all, size_t n, enum tally_kind kind, struct instant now);

#endif
