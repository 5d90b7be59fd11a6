#include "hub/hub.h"

#include "hub/secure.h"

#include "base/limits.h"
#include "base/log_line.h"
#include "hub/attendant.h"
#include "hub/growth.h"
#include "hub/hashing.h"
#include "hub/introducer.h"
#include "hub/login.h"
#include "hub/member.h"
#include "hub/notice.h"
#include "hub/relay.h"
#include "hub/subscriber.h"
#include "hub/transaction.h"
#include "hub/walk.h"

#include <errno.h>
#include <stdlib.h>

void hub_init(struct hub *hub, struct hub_shared *shared)
{
    *hub = (struct hub){.shared = shared};
    list_init(&hub->connections);
    list_init(&hub->ready);
    list_init(&hub->waiting);
    hub->awaited_lsn = HUB_AWAITS_NOTHING;
    list_init(&hub->put_off);
    list_init(&hub->jobs);
    list_init(&hub->hashings);
    list_init(&hub->subscribers);
    list_init(&hub->attendants);
    hub->number = exchange_join(&shared->exchange, &hub->mail);
    hub->tally = &shared->tallies[hub->number];
    chance_init(&hub->chance, shared->config.seed, hub->number);
    timers_init(&hub->timers);
    command_index_init(&hub->commands);
    ahead_init(&hub->ahead);
    buffer_init(&hub->plain, LIMIT_TLS_PLAIN_BYTES);
    resp_args_init(&hub->args);
    buffer_init(&hub->log, LIMIT_LOG_BUFFER_BYTES);
}

void hub_fini(struct hub *hub)
{
    while (!list_is_empty(&hub->connections))
        connection_free(list_entry(hub->connections.next, struct connection, link));
    struct list *link;
    while ((link = list_pop(&hub->jobs)))
        job_end(list_entry(link, struct job, link));
    blob_garbage_end(&hub->shared->garbage);
    exchange_leave(&hub->shared->exchange, hub->number);
    mailbox_fini(&hub->mail);
    news_fini(&hub->news);
    timers_fini(&hub->timers);
    reply_pool_fini(&hub->replies);
    ahead_fini(&hub->ahead);
    buffer_fini(&hub->plain);
    resp_args_fini(&hub->args);
    arena_fini(&hub->arena);
    chance_fini(&hub->chance);
    buffer_fini(&hub->log);
}

static void go_on(struct hub *hub)
{
    struct list put_off, *link;
    list_init(&put_off);
    list_splice(&put_off, &hub->put_off);
    while ((link = list_pop(&put_off)))
        connection_go_on(list_entry(link, struct connection, ready_link));
}

void hub_tick(struct hub *hub, struct instant now, struct walltime wall)
{
    hub->now = now;
    hub->wall = wall;
    hub->turn++;
    tally_tick(hub->tally, now);
    struct timer *timer;
    while ((timer = timers_pop(&hub->timers, now)))
        connection_tick(list_entry(timer, struct connection, timer));
    introducer_tick(hub);
    news_tick(hub);
    if (!list_is_empty(&hub->put_off))
        go_on(hub);
    if (!blob_garbage_is_empty(&hub->shared->garbage))
        blob_garbage_step(&hub->shared->garbage);
}

void hub_feed(struct hub *hub, const struct hub_input *inputs, size_t n)
{
    ahead_look(hub, inputs, n);
    for (size_t i = 0; i < n; i++)
        connection_feed_seen(inputs[i].connection, inputs[i].bytes);
}

struct instant hub_deadline(const struct hub *hub)
{
    if (!list_is_empty(&hub->put_off) || !blob_garbage_is_empty(&hub->shared->garbage))
        return hub->now;
    return instant_min(instant_min(timers_deadline(&hub->timers), news_deadline(&hub->news)),
                       introductions_deadline(&hub->shared->introductions));
}

/* Other workers take guests at the same time: a place is taken before it is known to be one. */
static bool take_guest(struct hub_shared *shared)
{
    uint64_t before = atomic_fetch_add(&shared->counters.guests, 1);
    if (shared->config.guests_max == 0 || before < shared->config.guests_max)
        return true;
    atomic_fetch_sub(&shared->counters.guests, 1);
    return false;
}

int hub_accept(struct hub *hub, const struct access_peer *peer, bool replies_full,
               struct connection **ret)
{
    bool is_guest = access_is_guest(&hub->shared->config, peer);
    if (is_guest && !take_guest(hub->shared))
        return -EMFILE;
    struct connection *c = calloc(1, sizeof *c);
    struct net_address *address = peer->address ? malloc(sizeof *address) : NULL;
    if (!c || (peer->address && !address)) {
        if (is_guest)
            atomic_fetch_sub(&hub->shared->counters.guests, 1);
        free(address);
        free(c);
        return -ENOMEM;
    }
    struct hub_counters *counters = &hub->shared->counters;
    c->hub = hub;
    c->id = atomic_fetch_add(&counters->next_connection_id, 1) + 1;
    c->peer = *peer;
    c->peer.address = address;
    if (address)
        *address = *peer->address;
    c->dialect = replies_full ? REPLY_TEXT_FULL : REPLY_TEXT_TERSE;
    list_append(&hub->connections, &c->link);
    atomic_fetch_add(&counters->connections, 1);
    atomic_fetch_add(&counters->connections_total, 1);
    c->is_guest = is_guest;
    if (hub->stopping)
        connection_drain(c);
    *ret = c;
    return 0;
}

static void free_extra(struct hub *hub, struct connection_extra *extra)
{
    if (!extra)
        return;
    subscriber_free(extra->subscriber);
    attendant_end(extra->attendant);
    relay_leave(extra->relay);
    transaction_free(extra->transaction);
    walk_free(extra->walk);
    job_leave(extra->job);
    growth_end(extra->growth);
    hashing_leave(extra->hashing);
    secure_free(hub, extra->secure);
    member_free(extra->member);
    free(extra->name);
    free(extra);
}

void connection_free(struct connection *c)
{
    if (!c)
        return;
    atomic_fetch_sub(&c->hub->shared->counters.connections, 1);
    if (c->held > 0)
        hub_count_held(c, 0);
    list_remove(&c->link);
    if (list_is_empty(&c->hub->connections))
        atomic_store(&c->hub->shared->counters.held_most[c->hub->number], 0);
    list_remove(&c->ready_link);
    list_remove(&c->wait_link);
    timers_clear(&c->hub->timers, &c->timer);
    inbox_free(c->inbox);
    reply_pool_give(&c->hub->replies, c->replies);
    if (c->dialect >= REPLY_RESP2)
        resp_request_fini(&c->resp);
    connection_leave_guests(c);
    free_extra(c->hub, c->extra);
    free(c->peer.address);
    free(c);
}

void hub_log_moved(struct hub *hub)
{
    uint64_t durable = store_durable(hub->shared->store);
    if (hub->awaited_lsn > durable)
        return;
    struct list waiting;
    list_init(&waiting);
    list_splice(&waiting, &hub->waiting);
    hub->awaited_lsn = HUB_AWAITS_NOTHING;
    struct list *link;
    while ((link = list_pop(&waiting)))
        connection_log_moved(list_entry(link, struct connection, wait_link), durable);
}

/* ---- what all connections hold together ---- */

static bool holds_too_much(const struct hub *hub)
{
    uint64_t max = hub->shared->config.held_bytes_max / CONNECTION_HELD_UNIT;
    return max > 0 && atomic_load(&hub->shared->counters.held) > max;
}

/* The connection that holds most here, NULL where none holds anything; the others are told. */
static struct connection *find_largest(struct hub *hub)
{
    struct connection *largest = NULL;
    list_foreach (link, &hub->connections) {
        struct connection *c = list_entry(link, struct connection, link);
        if (c->held > 0 && (!largest || c->held > largest->held))
            largest = c;
    }
    atomic_store(&hub->shared->counters.held_most[hub->number], largest ? largest->held : 0);
    return largest;
}

/* The worker one of whose connections holds most, as far as is known; this one, if it is one
 * of several. */
static size_t find_heaviest(const struct hub *hub)
{
    size_t heaviest = hub->number, n = atomic_load(&hub->shared->exchange.box_count);
    atomic_uint_fast32_t *most = hub->shared->counters.held_most;
    for (size_t i = 0; i < n; i++)
        if (atomic_load(&most[i]) > atomic_load(&most[heaviest]))
            heaviest = i;
    return heaviest;
}

static void close_largest(struct hub *hub, struct connection *largest)
{
    struct log_line line = log_line_begin(
        &hub->log, LOG_WARNING, "closed the connection that held most: too much waits here");
    log_line_number(&line, "connection", (int64_t)largest->id);
    log_line_number(&line, "bytes", (int64_t)largest->held * CONNECTION_HELD_UNIT);
    log_line_end(&line);
    connection_abort(largest);
}

static void relieve(struct hub *hub)
{
    while (holds_too_much(hub)) {
        struct connection *largest = find_largest(hub);
        size_t heaviest = find_heaviest(hub);
        if (heaviest != hub->number)
            exchange_wake(&hub->shared->exchange, heaviest);
        if (heaviest != hub->number || !largest)
            return;
        close_largest(hub, largest);
    }
}

void hub_count_held(struct connection *c, uint32_t units)
{
    struct hub *hub = c->hub;
    struct hub_counters *counters = &hub->shared->counters;
    uint64_t change = (uint64_t)units - c->held; /* may wrap, and back */
    bool grows = units > c->held;
    c->held = units;
    atomic_fetch_add(&counters->held, change);
    if (units > atomic_load(&counters->held_most[hub->number]))
        atomic_store(&counters->held_most[hub->number], units);
    if (grows)
        relieve(hub);
}

/* ---- events ---- */

/* Who has missed something must not believe he has seen everything. */
static void close_who_is_told(struct hub *hub)
{
    struct log_line line = log_line_begin(&hub->log, LOG_WARNING,
                                          "closed all who are told things: too much waits");
    log_line_end(&line);
    list_foreach (link, &hub->subscribers)
        connection_abort(list_entry(link, struct subscriber, link)->connection);
    list_foreach (link, &hub->attendants)
        connection_abort(list_entry(link, struct attendant, link)->connection);
}

static void tell(struct hub *hub, struct push *p)
{
    if (p->kind == PUSH_NOTICE) {
        notice_deliver(hub, p);
        return;
    }
    if (p->kind == PUSH_ACCOUNT) {
        login_review(hub, &p->name);
        return;
    }
    list_foreach (link, &hub->subscribers)
        subscriber_tell(list_entry(link, struct subscriber, link), p);
}

void hub_take_mail(struct hub *hub)
{
    struct push *p;
    relieve(hub);
    secure_oust(hub);
    hashing_go_on(hub);
    relay_take_ready(hub);
    if (mailbox_has_lost(&hub->mail)) {
        close_who_is_told(hub);
        login_review(hub, NULL);
    }
    while (mailbox_take(&hub->mail, &p)) {
        tell(hub, p);
        push_unref(p);
    }
}

bool hub_next_event(struct hub *hub, struct hub_event *ret)
{
    if (hub->stop_wanted) {
        hub->stop_wanted = false;
        *ret = (struct hub_event){.kind = HUB_EVENT_STOP};
        return true;
    }
    struct list *link = list_pop(&hub->jobs);
    if (link) {
        struct job *job = list_entry(link, struct job, link);
        job_begin(job);
        *ret = (struct hub_event){.kind = HUB_EVENT_JOB, .job = job};
        return true;
    }
    link = list_pop(&hub->ready);
    if (!link)
        return false;
    struct connection *c = list_entry(link, struct connection, ready_link);
    if (c->put_off)
        list_append(&hub->put_off, &c->ready_link);
    bool asks = c->rests & CONNECTION_RESTS_USER && c->state != CONNECTION_CLOSED;
    *ret = (struct hub_event){.kind = asks ? HUB_EVENT_IDENTIFY : HUB_EVENT_OUTPUT,
                              .connection = c};
    return true;
}

void hub_set_ready(struct connection *c)
{
    if (!list_is_linked(&c->ready_link))
        list_append(&c->hub->ready, &c->ready_link);
}

void hub_put_off(struct connection *c)
{
    c->put_off = true;
    if (!list_is_linked(&c->ready_link))
        list_append(&c->hub->put_off, &c->ready_link);
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

/* Once, however many it concerns, until there is room for a while. */
static void log_full(struct hub *hub, size_t bytes, size_t max)
{
    atomic_bool *told = &hub->shared->counters.told_full;
    if (bytes < max - max / 16)
        atomic_store(told, false);
    if (bytes <= max || atomic_exchange(told, true))
        return;
    struct log_line line =
        log_line_begin(&hub->log, LOG_WARNING,
                       "--maxmemory is reached: commands that may need more are refused");
    log_line_number(&line, "used", (int64_t)bytes);
    log_line_number(&line, "maxmemory", (int64_t)max);
    log_line_end(&line);
}

bool hub_is_full(struct hub *hub)
{
    size_t max = hub->shared->config.memory_max;
    if (max > 0 && hub->measured != hub->turn) {
        size_t bytes = store_memory(hub->shared->store);
        hub->measured = hub->turn;
        hub->full = bytes > max;
        log_full(hub, bytes, max);
    }
    return hub->full;
}

void hub_want_stop(struct hub *hub)
{
    hub->stop_wanted = true;
}
