#ifndef KITH_CRASH_HISTORY_H
#define KITH_CRASH_HISTORY_H

/* What a store was told, mutation by mutation, so that a recovered one can be held against it:
 * it must be as it was after some mutation, with all that was acknowledged. Keys are few and
 * numbered; a value is made from its version, a number of its own. */

#include "store/store.h"

enum { HISTORY_USER_KEYS = 12, HISTORY_KEYS = 16, HISTORY_OPS = 4, HISTORY_VALUE_BYTES = 9000 };

struct history_op {
    size_t key;
    uint64_t version; /* 0: removed */
};

/* Some keys of a keyspace changed, or all of it flushed. */
struct history_mutation {
    uint64_t lsn;
    bool flushes;
    enum store_space space; /* flushed */
    struct history_op ops[HISTORY_OPS];
    size_t count;
};

struct history {
    struct history_mutation *mutations;
    size_t count, capacity;
};

void history_fini(struct history *h);
struct history history_copy(const struct history *h);
void history_add(struct history *h, const struct history_mutation *m);

/* Forgets what came after an LSN. */
void history_cut(struct history *h, uint64_t lsn);

enum store_space history_space(size_t key);
struct bytes history_key(size_t key);

/* The value of a version. `room` has HISTORY_VALUE_BYTES. */
struct bytes history_value(uint64_t version, uint8_t *room);

/* NULL where the store is as it was after the mutation of that LSN, else what is not. */
const char *history_compare(const struct history *h, uint64_t lsn, struct store *s);

#endif
