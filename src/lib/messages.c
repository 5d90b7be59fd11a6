#include "lib/messages.h"

#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>

void messages_init(struct messages *m)
{
    *m = (struct messages){0};
    list_init(&m->waiting);
}

void messages_fini(struct messages *m)
{
    while (messages_take(m))
        continue;
}

/* What a message counts for: a short one is memory, too. */
static size_t weight(const struct message *message)
{
    return sizeof *message + message->words.len + 1;
}

int messages_add(struct messages *m, const struct message *message)
{
    if (m->bytes > LIMIT_UNREAD_TEXT_BYTES)
        return MESSAGES_FULL;
    struct message *new = malloc(weight(message));
    if (!new)
        return -ENOMEM;
    char *words = (char *)(new + 1);
    *new = *message;
    if (message->words.len > 0)
        memcpy(words, message->words.data, message->words.len);
    words[message->words.len] = '\0';
    new->words.data = (const uint8_t *)words;
    list_append(&m->waiting, &new->link);
    m->bytes += weight(new);
    return 0;
}

const struct message *messages_first(const struct messages *m)
{
    return list_is_empty(&m->waiting) ? NULL
                                      : list_entry(m->waiting.next, struct message, link);
}

bool messages_has_letter(const struct messages *m, const struct random_id *id)
{
    list_foreach (at, &m->waiting) {
        const struct message *message = list_entry(at, struct message, link);
        if (message->kind == KITH_LETTER && random_id_equal(&message->id, id))
            return true;
    }
    return false;
}

const struct message *messages_take(struct messages *m)
{
    free(m->taken);
    m->taken = NULL;
    struct list *first = list_pop(&m->waiting);
    if (!first)
        return NULL;
    m->taken = list_entry(first, struct message, link);
    m->bytes -= weight(m->taken);
    return m->taken;
}
