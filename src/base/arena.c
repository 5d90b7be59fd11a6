#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 4096 };

struct arena_block {
    struct arena_block *next;
    size_t used, capacity;
    alignas(max_align_t) uint8_t bytes[];
};

static struct arena_block *add_block(struct arena *a, size_t n)
{
    size_t capacity = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    struct arena_block *block = malloc(sizeof *block + capacity);
    if (!block)
        return NULL;
    block->next = a->blocks;
    block->used = 0;
    block->capacity = capacity;
    return a->blocks = block;
}

void *arena_take(struct arena *a, size_t n)
{
    n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_block *block = a->blocks;
    if (!block || block->capacity - block->used < n)
        block = add_block(a, n);
    if (!block)
        return NULL;
    void *taken = block->bytes + block->used;
    block->used += n;
    return taken;
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_reset(struct arena *a)
{
    struct arena_block *kept = a->blocks;
    if (!kept)
        return;
    free_blocks(kept->next);
    kept->next = NULL;
    kept->used = 0;
    if (kept->capacity > BLOCK_BYTES) {
        free(kept);
        a->blocks = NULL;
    }
}

void arena_fini(struct arena *a)
{
    free_blocks(a->blocks);
    a->blocks = NULL;
}
