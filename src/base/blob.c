#include "base/blob.h"

#include <stdlib.h>

struct blob *blob_new(void *memory)
{
    struct blob *b = malloc(sizeof *b);
    if (!b)
        return NULL;
    atomic_init(&b->references, 1);
    b->memory = memory;
    return b;
}

struct blob *blob_copy(struct bytes bytes)
{
    void *memory = malloc(bytes.len ? bytes.len : 1);
    if (!memory)
        return NULL;
    if (bytes.len)
        memcpy(memory, bytes.data, bytes.len);
    struct blob *b = blob_new(memory);
    if (!b)
        free(memory);
    return b;
}

struct blob *blob_ref(struct blob *b)
{
    atomic_fetch_add_explicit(&b->references, 1, memory_order_relaxed);
    return b;
}

void blob_unref(struct blob *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->references, 1, memory_order_acq_rel) > 1)
        return;
    free(b->memory);
    free(b);
}

bool blob_is_unshared(struct blob *b)
{
    return atomic_load_explicit(&b->references, memory_order_acquire) == 1;
}
