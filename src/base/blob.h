#ifndef KITH_BASE_BLOB_H
#define KITH_BASE_BLOB_H

/* Memory shared by reference, so that what is large need not be copied: a value lies in the
 * memory it arrived in, the table and replies under way refer to it. Nobody writes to it once
 * it is shared. Any thread may take and drop references. */

#include "base/bytes.h"

#include <stdatomic.h>

/* Where blobs go that nobody refers to any more, to be freed little by little: tens of
 * megabytes given back at once make everybody wait for milliseconds. Any thread may add, and
 * any free. Zeroed, it is empty; it must outlive its blobs. */
struct blob_garbage {
    _Atomic(struct blob *) first;
    atomic_bool over; /* what comes now is freed at once */
};

struct blob {
    atomic_uint references;
    void *memory; /* of malloc */
    size_t bytes; /* of it, as garbage: what is still to be freed */
    struct blob_garbage *garbage;
    struct blob *next; /* as garbage */
};

/* Makes a blob of malloc'ed memory of n bytes, which it owns from now on; the caller holds the
 * one reference. garbage NULL: it is freed at once. NULL when memory is out: then the memory is
 * still the caller's. */
struct blob *blob_new(void *memory, size_t n, struct blob_garbage *garbage);

/* Makes a blob with a copy of those bytes at the beginning of its memory. NULL: out of memory.
 */
struct blob *blob_copy(struct bytes bytes, struct blob_garbage *garbage);

/* One more reference, for whoever calls. */
struct blob *blob_ref(struct blob *b);

/* Drops one; the last frees it. Takes NULL. */
void blob_unref(struct blob *b);

/* Does nobody but the caller hold a reference? */
bool blob_is_unshared(struct blob *b);

/* Frees about BLOB_GARBAGE_STEP_BYTES; is there more? */
enum { BLOB_GARBAGE_STEP_BYTES = 1 << 20 };
bool blob_garbage_step(struct blob_garbage *g);

static inline bool blob_garbage_is_empty(const struct blob_garbage *g)
{
    return !atomic_load_explicit(&g->first, memory_order_relaxed);
}

/* Frees all that is there, and what comes later at once. */
void blob_garbage_end(struct blob_garbage *g);

#endif
