#include "store/extents.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void extents_fini(struct extents *x)
{
    free(x->items);
    *x = (struct extents){0};
}

int extents_add(struct extents *x, uint64_t segment, uint64_t first_lsn)
{
    if (x->count > 0 && x->items[x->count - 1].first_lsn == first_lsn) {
        x->items[x->count - 1].segment = segment;
        return 0;
    }
    if (x->count == x->capacity) {
        size_t capacity = x->capacity ? 2 * x->capacity : 8;
        struct extent *items = realloc(x->items, capacity * sizeof *items);
        if (!items)
            return -ENOMEM;
        x->items = items;
        x->capacity = capacity;
    }
    x->items[x->count++] = (struct extent){segment, first_lsn};
    return 0;
}

uint64_t extents_find(const struct extents *x, uint64_t lsn)
{
    assert(x->count > 0);
    size_t i = x->count - 1;
    while (i > 0 && x->items[i].first_lsn > lsn)
        i--;
    return x->items[i].segment;
}

uint64_t extents_next(const struct extents *x, uint64_t segment)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->items[i].segment >= segment)
            return x->items[i].segment;
    return 0;
}

void extents_drop(struct extents *x, uint64_t first_segment)
{
    size_t gone = 0;
    while (gone < x->count && x->items[gone].segment < first_segment)
        gone++;
    x->count -= gone;
    memmove(x->items, x->items + gone, x->count * sizeof *x->items);
}
