#include "base/blob.h"

#include <stdlib.h>
#include <sys/mman.h>

struct blob *blob_new(void *memory, size_t n, struct blob_garbage *garbage)
{
    struct blob *b = malloc(sizeof *b);
    if (!b)
        return NULL;
    atomic_init(&b->references, 1);
    b->memory = memory;
    b->bytes = n;
    b->garbage = garbage;
    b->next = NULL;
    return b;
}

struct blob *blob_copy(struct bytes bytes, struct blob_garbage *garbage)
{
    void *memory = malloc(bytes.len ? bytes.len : 1);
    if (!memory)
        return NULL;
    if (bytes.len)
        memcpy(memory, bytes.data, bytes.len);
    struct blob *b = blob_new(memory, bytes.len, garbage);
    if (!b)
        free(memory);
    return b;
}

struct blob *blob_ref(struct blob *b)
{
    atomic_fetch_add_explicit(&b->references, 1, memory_order_relaxed);
    return b;
}

bool blob_is_unshared(struct blob *b)
{
    return atomic_load_explicit(&b->references, memory_order_acquire) == 1;
}

static void blob_free(struct blob *b)
{
    free(b->memory);
    free(b);
}

/* ---- garbage ---- */

/* Puts a chain of blobs before what is there. */
static void put(struct blob_garbage *g, struct blob *first, struct blob *last)
{
    last->next = atomic_load(&g->first);
    while (!atomic_compare_exchange_weak(&g->first, &last->next, first))
        ;
}

void blob_unref(struct blob *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->references, 1, memory_order_acq_rel) > 1)
        return;
    if (!b->garbage || b->bytes <= BLOB_GARBAGE_STEP_BYTES || atomic_load(&b->garbage->over))
        blob_free(b);
    else
        put(b->garbage, b, b);
}

/* The pages of its last part go back to the system; the memory stays malloc's. */
static void shrink(struct blob *b)
{
    uintptr_t mask = 64 * 1024 - 1; /* no page is larger */
    uintptr_t begin = (uintptr_t)b->memory, to = (begin + b->bytes) & ~mask;
    uintptr_t from = (begin + b->bytes - BLOB_GARBAGE_STEP_BYTES + mask) & ~mask;
    b->bytes = from - begin;
    madvise((uint8_t *)b->memory + b->bytes, to - from, MADV_DONTNEED);
}

/* All of it is taken, so that two who free at the same time do not meet. */
bool blob_garbage_step(struct blob_garbage *g)
{
    struct blob *first = atomic_exchange(&g->first, NULL);
    if (!first)
        return false;
    if (first->bytes > BLOB_GARBAGE_STEP_BYTES) {
        shrink(first);
    } else {
        struct blob *done = first;
        first = first->next;
        blob_free(done);
    }
    if (!first)
        return false;
    struct blob *last = first;
    while (last->next)
        last = last->next;
    put(g, first, last);
    return true;
}

void blob_garbage_end(struct blob_garbage *g)
{
    atomic_store(&g->over, true);
    while (blob_garbage_step(g))
        ;
}
