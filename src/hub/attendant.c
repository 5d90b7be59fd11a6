#include "hub/attendant.h"

#include "hub/hub.h"
#include "hub/introducer.h"
#include "hub/member.h"
#include "hub/notice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void tell(void *ctx, uint64_t move, const char *name, bool came)
{
    char words[64];
    snprintf(words, sizeof words, "%s %s", came ? "online" : "offline", name);
    notice_to_all(ctx, move, words);
}

int attendant_begin(struct connection *c)
{
    struct hub *hub = c->hub;
    const struct member *m = c->extra->member;
    struct attendant *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    *a = (struct attendant){.presence = {.worker = hub->number,
                                         .connection = c->id,
                                         .owner = a,
                                         .has_device = m->has_device,
                                         .device = m->device,
                                         .since = hub->wall},
                            .connection = c};
    if (directory_enter(&hub->shared->directory, &a->presence, m->key, m->name, tell,
                        hub->shared) != 0) {
        free(a);
        return -ENOMEM;
    }
    list_append(&hub->attendants, &a->link);
    atomic_fetch_add(&hub->shared->exchange.attending[hub->number], 1);
    c->extra->attendant = a;
    return 0;
}

void attendant_take_device(struct attendant *a)
{
    const struct member *m = connection_member(a->connection);
    directory_set_device(&a->connection->hub->shared->directory, &a->presence,
                         m->has_device ? &m->device : NULL);
}

void attendant_end(struct attendant *a)
{
    if (!a)
        return;
    struct connection *c = a->connection;
    struct hub_shared *shared = c->hub->shared;
    bool gone = directory_leave(&shared->directory, &a->presence, tell, shared);
    introducer_drop(shared, c, gone);
    news_pass(c->hub, &a->link);
    list_remove(&a->link);
    atomic_fetch_sub(&shared->exchange.attending[c->hub->number], 1);
    c->extra->attendant = NULL;
    free(a);
}
