#include "hub/hub.h"

#include "base/limits.h"
#include "base/log_line.h"
#include "hub/transaction.h"
#include "hub/walk.h"

#include <stdlib.h>

void hub_init(struct hub *hub, struct hub_shared *shared)
{
    *hub = (struct hub){.shared = shared};
    list_init(&hub->connections);
    list_init(&hub->ready);
    list_init(&hub->waiting);
    list_init(&hub->next_turn);
    timers_init(&hub->timers);
    command_index_init(&hub->commands);
    resp_args_init(&hub->args);
    buffer_init(&hub->log, LIMIT_LOG_BUFFER_BYTES);
}

void hub_fini(struct hub *hub)
{
    while (!list_is_empty(&hub->connections))
        connection_free(list_entry(hub->connections.next, struct connection, link));
    timers_fini(&hub->timers);
    buffer_pool_fini(&hub->buffers);
    resp_args_fini(&hub->args);
    arena_fini(&hub->arena);
    buffer_fini(&hub->log);
}

void hub_tick(struct hub *hub, struct instant now, struct walltime wall)
{
    hub->now = now;
    hub->wall = wall;
    struct timer *timer;
    while ((timer = timers_pop(&hub->timers, now)))
        connection_tick(list_entry(timer, struct connection, timer));
    struct list turn, *link;
    list_init(&turn);
    list_splice(&turn, &hub->next_turn);
    while ((link = list_pop(&turn)))
        connection_turn(list_entry(link, struct connection, turn_link));
}

struct instant hub_deadline(const struct hub *hub)
{
    return list_is_empty(&hub->next_turn) ? timers_deadline(&hub->timers) : hub->now;
}

void hub_next_turn(struct connection *c)
{
    if (!list_is_linked(&c->turn_link))
        list_append(&c->hub->next_turn, &c->turn_link);
}

struct connection *hub_accept(struct hub *hub, const struct access_peer *peer,
                              bool replies_full)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    struct hub_counters *counters = &hub->shared->counters;
    c->hub = hub;
    c->id = atomic_fetch_add(&counters->next_connection_id, 1) + 1;
    c->peer = *peer;
    c->dialect = replies_full ? REPLY_TEXT_FULL : REPLY_TEXT_TERSE;
    buffer_init(&c->in, LIMIT_INPUT_BYTES);
    reply_queue_init(&c->replies);
    resp_request_init(&c->resp);
    list_append(&hub->connections, &c->link);
    atomic_fetch_add(&counters->connections, 1);
    atomic_fetch_add(&counters->connections_total, 1);
    if (hub->stopping)
        connection_drain(c);
    return c;
}

void connection_free(struct connection *c)
{
    if (!c)
        return;
    atomic_fetch_sub(&c->hub->shared->counters.connections, 1);
    list_remove(&c->link);
    list_remove(&c->ready_link);
    list_remove(&c->wait_link);
    list_remove(&c->turn_link);
    timers_clear(&c->hub->timers, &c->timer);
    buffer_fini(&c->in);
    reply_queue_fini(&c->replies);
    resp_request_fini(&c->resp);
    transaction_free(c->transaction);
    walk_free(c->walk);
    free(c->name);
    free(c);
}

void hub_log_moved(struct hub *hub)
{
    struct list waiting;
    list_init(&waiting);
    list_splice(&waiting, &hub->waiting);
    struct list *link;
    while ((link = list_pop(&waiting)))
        connection_log_moved(list_entry(link, struct connection, wait_link));
}

bool hub_next_event(struct hub *hub, struct hub_event *ret)
{
    if (hub->stop_wanted) {
        hub->stop_wanted = false;
        *ret = (struct hub_event){.kind = HUB_EVENT_STOP};
        return true;
    }
    struct list *link = list_pop(&hub->ready);
    if (!link)
        return false;
    struct connection *c = list_entry(link, struct connection, ready_link);
    bool asks = c->rests & CONNECTION_RESTS_USER && c->state != CONNECTION_CLOSED;
    *ret = (struct hub_event){asks ? HUB_EVENT_IDENTIFY : HUB_EVENT_OUTPUT, c};
    return true;
}

void hub_set_ready(struct connection *c)
{
    if (!list_is_linked(&c->ready_link))
        list_append(&c->hub->ready, &c->ready_link);
}

void hub_stop(struct hub *hub)
{
    hub->stopping = true;
    list_foreach (link, &hub->connections)
        connection_drain(list_entry(link, struct connection, link));
}

bool hub_is_empty(const struct hub *hub)
{
    return list_is_empty(&hub->connections);
}

void hub_want_stop(struct hub *hub)
{
    hub->stop_wanted = true;
}
