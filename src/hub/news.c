#include "hub/news.h"

#include "hub/attendant.h"
#include "hub/hub.h"
#include "hub/notice.h"

#include <stdlib.h>

static void forget(struct news *n)
{
    for (size_t i = 0; i < n->count; i++)
        push_unref(n->items[i]);
    n->count = 0;
}

void news_fini(struct news *n)
{
    forget(n);
    free(n->items);
    *n = (struct news){0};
}

static void tell(struct hub *hub)
{
    struct news *n = &hub->news;
    list_foreach (link, &hub->attendants)
        notice_tell(list_entry(link, struct attendant, link)->connection, n->items, n->count);
    n->told = hub->now;
    forget(n);
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
    return n->count > 0 ? instant_after_ms(n->told, LIMIT_NEWS_MS) : INSTANT_NEVER;
}

void news_tick(struct hub *hub)
{
    if (hub->news.count > 0 &&
        (hub->news.told.ns == 0 || news_deadline(&hub->news).ns <= hub->now.ns))
        tell(hub);
}

/* Without memory to put it aside, all is told now. */
void news_add(struct hub *hub, struct push *p)
{
    struct news *n = &hub->news;
    if (!make_room(n)) {
        tell(hub);
        list_foreach (link, &hub->attendants)
            notice_tell(list_entry(link, struct attendant, link)->connection, &p, 1);
        return;
    }
    n->items[n->count++] = push_ref(p);
    news_tick(hub);
}
