#include "lib/changes.h"

#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>

void changes_init(struct changes *c)
{
    *c = (struct changes){0};
    list_init(&c->waiting);
}

static void free_taken(struct changes *c)
{
    free(c->taken);
    c->taken = NULL;
}

void changes_fini(struct changes *c)
{
    while (changes_take(c))
        continue;
}

/* What a change counts for: one of an empty value is memory, too. */
static size_t weight(struct bytes key, struct bytes value)
{
    return sizeof(struct change) + key.len + value.len + 2;
}

static struct bytes put(uint8_t **at, struct bytes from)
{
    struct bytes copy = bytes_make(*at, from.len);
    if (from.len > 0)
        memcpy(*at, from.data, from.len);
    (*at)[from.len] = '\0';
    *at += from.len + 1;
    return copy;
}

int changes_add(struct changes *c, const struct answer_change *change)
{
    if (c->bytes > LIMIT_UNREAD_PUSH_BYTES)
        return CHANGES_FULL;
    size_t size = weight(change->key, change->value);
    struct change *new = malloc(size);
    if (!new)
        return -ENOMEM;
    uint8_t *at = (uint8_t *)(new + 1);
    new->kind = change->kind;
    new->key = put(&at, change->key);
    new->value = put(&at, change->value);
    list_append(&c->waiting, &new->link);
    c->bytes += size;
    return 0;
}

const struct change *changes_take(struct changes *c)
{
    free_taken(c);
    struct list *first = list_pop(&c->waiting);
    if (!first)
        return NULL;
    c->taken = list_entry(first, struct change, link);
    c->bytes -= weight(c->taken->key, c->taken->value);
    return c->taken;
}
