#ifndef KITH_BASE_BLOB_H
#define KITH_BASE_BLOB_H

/* Memory shared by reference, so that what is large need not be copied: a value lies in the
 * memory it arrived in, the table and replies under way refer to it. Nobody writes to it once
 * it is shared. Any thread may take and drop references. */

#include "base/bytes.h"

#include <stdatomic.h>

struct blob {
    atomic_uint references;
    void *memory; /* of malloc */
};

/* Makes a blob of malloc'ed memory, which it owns from now on; the caller holds the one
 * reference. NULL when memory is out: then the memory is still the caller's. */
struct blob *blob_new(void *memory);

/* Makes a blob with a copy of those bytes at the beginning of its memory. NULL: out of memory.
 */
struct blob *blob_copy(struct bytes bytes);

/* One more reference, for whoever calls. */
struct blob *blob_ref(struct blob *b);

/* Drops one; the last frees it. Takes NULL. */
void blob_unref(struct blob *b);

/* Does nobody but the caller hold a reference? */
bool blob_is_unshared(struct blob *b);

#endif
