#include "lib/texts.h"

#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>

void texts_init(struct texts *t)
{
    *t = (struct texts){0};
    list_init(&t->waiting);
}

void texts_fini(struct texts *t)
{
    while (texts_take(t))
        continue;
}

/* What a text counts for: a short one is memory, too. */
static size_t weight(const struct text *text)
{
    return sizeof *text + text->words.len + 1;
}

int texts_add(struct texts *t, const struct text *text)
{
    if (t->bytes > LIMIT_UNREAD_TEXT_BYTES)
        return TEXTS_FULL;
    struct text *new = malloc(weight(text));
    if (!new)
        return -ENOMEM;
    char *words = (char *)(new + 1);
    *new = *text;
    memcpy(words, text->words.data, text->words.len);
    words[text->words.len] = '\0';
    new->words.data = (const uint8_t *)words;
    list_append(&t->waiting, &new->link);
    t->bytes += weight(new);
    return 0;
}

const struct text *texts_take(struct texts *t)
{
    free(t->taken);
    t->taken = NULL;
    struct list *first = list_pop(&t->waiting);
    if (!first)
        return NULL;
    t->taken = list_entry(first, struct text, link);
    t->bytes -= weight(t->taken);
    return t->taken;
}
