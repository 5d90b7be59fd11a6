#ifndef KITH_STORE_EXTENTS_H
#define KITH_STORE_EXTENTS_H

/* Which segment of the log begins with which LSN: to know, for a checkpoint, which segments are
 * still needed. Segments without records are not in it. */

#include <stddef.h>
#include <stdint.h>

struct extent {
    uint64_t segment;
    uint64_t first_lsn;
};

struct extents {
    struct extent *items; /* ascending, in both */
    size_t count, capacity;
};

void extents_fini(struct extents *x);

/* Adds one behind all others. Where the last has no records after all (the same first LSN), it
 * takes its place. -ENOMEM. */
int extents_add(struct extents *x, uint64_t segment, uint64_t first_lsn);

/* The segment that holds an LSN, or would. There is at least one. */
uint64_t extents_find(const struct extents *x, uint64_t lsn);

/* The first segment from this id on, 0 where there is none. */
uint64_t extents_next(const struct extents *x, uint64_t segment);

/* Forgets the segments before this one. */
void extents_drop(struct extents *x, uint64_t first_segment);

#endif
