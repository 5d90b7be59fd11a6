#include "hub/news.h"

#include "hub/attendant.h"
#include "hub/hub.h"
#include "hub/notice.h"

#include <stdlib.h>
#include <string.h>

/* The first n are over. */
static void forget(struct news *n, size_t told)
{
    for (size_t i = 0; i < told; i++)
        push_unref(n->items[i]);
    n->count -= told;
    if (n->count > 0)
        memmove(n->items, n->items + told, n->count * sizeof *n->items); /* of pointers */
}

void news_fini(struct news *n)
{
    forget(n, n->count);
    free(n->items);
    *n = (struct news){0};
}

/* The next of this round, or the first of a new one. */
static void tell_some(struct hub *hub)
{
    struct news *n = &hub->news;
    if (n->telling == 0) {
        n->telling = n->count;
        n->next = hub->attendants.next;
    }
    for (size_t i = 0; i < LIMIT_NEWS_AT_ONCE && n->next != &hub->attendants; i++) {
        struct attendant *a = list_entry(n->next, struct attendant, link);
        n->next = n->next->next;
        notice_tell(a->connection, n->items, n->telling);
    }
    n->told = hub->now;
    if (n->next == &hub->attendants) {
        forget(n, n->telling);
        n->telling = 0;
    }
}

void news_pass(struct hub *hub, const struct list *attendant)
{
    if (hub->news.telling > 0 && hub->news.next == attendant)
        hub->news.next = attendant->next;
}

static bool make_room(struct news *n)
{
    if (n->count < n->capacity)
        return true;
    size_t capacity = n->capacity ? 2 * n->capacity : 16;
    struct push **grown = realloc(n->items, capacity * sizeof *grown); /* of pointers */
    if (!grown)
        return false;
    n->items = grown;
    n->capacity = capacity;
    return true;
}

struct instant news_deadline(const struct news *n)
{
    if (n->count == 0)
        return INSTANT_NEVER;
    return instant_after_ms(n->told, n->telling > 0 ? LIMIT_NEWS_TURN_MS : LIMIT_NEWS_MS);
}

void news_tick(struct hub *hub)
{
    if (hub->news.count > 0 &&
        (hub->news.told.ns == 0 || news_deadline(&hub->news).ns <= hub->now.ns))
        tell_some(hub);
}

/* Without memory to put it aside, all is told now. */
void news_add(struct hub *hub, struct push *p)
{
    struct news *n = &hub->news;
    if (!make_room(n)) {
        while (n->count > 0)
            tell_some(hub);
        list_foreach (link, &hub->attendants)
            notice_tell(list_entry(link, struct attendant, link)->connection, &p, 1);
        return;
    }
    n->items[n->count++] = push_ref(p);
    news_tick(hub);
}
