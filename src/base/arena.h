#ifndef KITH_BASE_ARENA_H
#define KITH_BASE_ARENA_H

/* Memory for the length of one piece of work: taken bit by bit, given back all at once. A
 * zeroed arena is empty. */

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* the newest first */
};

/* n bytes, aligned for anything; NULL when memory is out. They hold until the arena is reset.
 */
void *arena_take(struct arena *a, size_t n);

/* Gives everything back, but keeps a small block for the next piece of work. */
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
