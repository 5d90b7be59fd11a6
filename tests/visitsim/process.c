#include "world.h"

#include "people/password.h"

#include <stdlib.h>

/* The hub's process: workers, the store behind them, and what other threads do there, late. */

static struct worker *worker_of(struct connection *c)
{
    return (struct worker *)((char *)c->hub - offsetof(struct worker, hub));
}

/* ---- turns ---- */

static void begin_turn(struct world *w, struct worker *k)
{
    hub_tick(&k->hub, w->trace.now, world_wall(w));
}

static void take_output(struct world *w, struct connection *c)
{
    struct wire *x = c->user;
    for (struct bytes out; !wire_is_full(x, 1) && (out = connection_output(c)).len > 0;) {
        wire_say(x, 1, out);
        connection_sent(c, out.len);
    }
    if (c->state != CONNECTION_CLOSED)
        return;
    SAY(w, "the hub closes wire %llu", (unsigned long long)x->number);
    wire_close(x, 1);
    connection_free(c);
}

static void end_turn(struct world *w, struct worker *k)
{
    struct hub_event event;
    while (hub_next_event(&k->hub, &event)) {
        CHECK(w, event.kind == HUB_EVENT_OUTPUT || event.kind == HUB_EVENT_JOB,
              "nobody asked for that");
        if (event.kind == HUB_EVENT_OUTPUT) {
            take_output(w, event.connection);
            continue;
        }
        CHECK(w, w->job_count < WORLD_JOBS, "more jobs than there should be");
        w->jobs[w->job_count++] = (struct work){event.job, world_later(w, 100)};
    }
    buffer_truncate(&k->hub.log, 0);
    w->log_at = instant_min(w->log_at, world_later(w, w->disk_ms));
}

/* ---- wires ---- */

static void on_got(void *owner, struct bytes in)
{
    struct connection *c = owner;
    struct world *w = ((struct wire *)c->user)->world;
    struct worker *k = worker_of(c);
    begin_turn(w, k);
    connection_feed(c, in);
    end_turn(w, k);
}

static void on_closed(void *owner)
{
    struct connection *c = owner;
    struct world *w = ((struct wire *)c->user)->world;
    struct worker *k = worker_of(c);
    begin_turn(w, k);
    connection_abort(c);
    connection_free(c);
    end_turn(w, k);
}

static bool on_wants(const void *owner)
{
    return connection_wants_input(owner);
}

static void on_room(void *owner)
{
    struct connection *c = owner;
    hub_set_ready(c);
    end_turn(((struct wire *)c->user)->world, worker_of(c));
}

static const struct wire_handler handler = {
    .got = on_got, .closed = on_closed, .wants = on_wants, .room = on_room};

void process_accept(struct world *w, struct wire *x)
{
    struct worker *k = &w->workers[draw(w, w->worker_count)];
    char text[NET_ADDRESS_TEXT_BYTES];
    struct net_address address;
    struct access_peer peer = {.origin = ACCESS_REMOTE, .address = &address};
    world_write_address(w, x->ends[0].place, text, sizeof text, false);
    if (!net_address_read(bytes_from_str(text), &address))
        abort();
    begin_turn(w, k);
    struct connection *c;
    if (hub_accept(&k->hub, &peer, false, &c) != 0)
        abort();
    c->user = x;
    wire_take(x, &handler, c);
    end_turn(w, k);
}

/* ---- beginning and end ---- */

static void on_wake(void *ctx)
{
    struct worker *k = ctx;
    k->mail_at = instant_min(k->mail_at, world_later(k->world, 3));
}

void process_start(struct world *w)
{
    struct embedded_config config = {.durability = EMBEDDED_COMMIT, .secret = draw(w, 1 << 30)};
    struct recovery_report report;
    static const char *const protocols[] = {"kith-hub/1", "kith-relay/1", NULL};
    if (embedded_open(&w->store, &config, faulty_disk(w->disk), world_wall(w), &report) != 0)
        trace_fail(&w->trace, "the store does not open");
    w->shared = (struct hub_shared){.store = embedded_store(w->store)};
    if (tls_config_new(&w->hub_tls, TLS_HUB, w->identities[PLACE_HUB], protocols) != 0)
        abort();
    w->shared.tls = w->hub_tls;
    w->shared.config.password_cost = password_cost_least;
    w->shared.config.relay_hour_bytes = LIMIT_RELAY_HOUR_BYTES;
    for (size_t i = 0; i < sizeof w->shared.config.seed; i++)
        w->shared.config.seed[i] = (uint8_t)draw(w, 256);
    w->worker_count = 1 + draw(w, WORLD_HUBS);
    w->log_at = w->trace.now;
    w->is_up = true;
    for (size_t i = 0; i < w->worker_count; i++) {
        struct worker *k = &w->workers[i];
        k->world = w;
        k->mail_at = k->log_at = INSTANT_NEVER;
        hub_init(&k->hub, &w->shared);
        k->hub.mail.wake = on_wake;
        k->hub.mail.ctx = k;
        begin_turn(w, k);
    }
    SAY(w, "the hub is there");
}

static void drop_wires(struct world *w, bool power)
{
    list_foreach (at, &w->wires) {
        struct wire *x = list_entry(at, struct wire, link);
        if (!x->is_open || !x->ends[1].is_there || x->ends[1].handler != &handler)
            continue;
        struct connection *c = x->ends[1].owner;
        connection_abort(c);
        connection_free(c);
        if (power)
            wire_cut(x);
        wire_close(x, 1);
    }
}

void process_check_empty(const struct world *w)
{
    const struct hub_counters *c = &w->shared.counters;
    CHECK(w, c->connections == 0 && c->guests == 0 && c->held == 0,
          "something of connections is left");
    CHECK(w,
          w->shared.handshakes.under_way.count == 0 && w->shared.handshakes.ousted.count == 0,
          "a handshake is left");
    CHECK(w, w->shared.hashing.going == 0 && w->shared.hashing.waiting == 0,
          "a password is still being hashed");
    CHECK(w, w->shared.directory.count == 0, "somebody is left");
    CHECK(w, w->shared.relays.count == 0, "a relay is left");
    CHECK(w, w->shared.introductions.open.count == 0, "an invitation is left");
}

void process_crash(struct world *w, bool power)
{
    SAY(w, "the hub ends%s", power ? ", its power cut" : "");
    w->is_up = false;
    drop_wires(w, power);
    for (size_t i = 0; i < w->job_count; i++) {
        job_run(w->jobs[i].job);
        job_done(w->jobs[i].job);
    }
    w->job_count = 0;
    for (size_t i = 0; i < w->worker_count; i++)
        hub_fini(&w->workers[i].hub);
    process_check_empty(w);
    introductions_fini(&w->shared.introductions);
    directory_fini(&w->shared.directory);
    relays_fini(&w->shared.relays);
    embedded_free(w->store);
    tls_config_free(w->hub_tls);
    w->starts_at = world_later(w, 4000);
    if (!power)
        return;
    struct faulty_disk *cut = faulty_disk_cut_random(w->disk, draw(w, UINT64_MAX));
    faulty_disk_free(w->disk);
    w->disk = cut;
}

/* ---- time ---- */

struct instant process_next(const struct world *w)
{
    if (!w->is_up)
        return w->starts_at;
    struct instant at = w->log_at;
    for (size_t i = 0; i < w->worker_count; i++) {
        const struct worker *k = &w->workers[i];
        at = instant_min(at, instant_min(k->mail_at, k->log_at));
        at = instant_min(at, hub_deadline(&k->hub));
    }
    for (size_t i = 0; i < w->job_count; i++)
        at = instant_min(at, w->jobs[i].at);
    return at;
}

static void move_log(struct world *w)
{
    struct instant deadline;
    bool moved = embedded_segment_step(w->store, w->trace.now, &deadline) == 0;
    moved |= embedded_log_step(w->store, w->trace.now, &deadline) == 0;
    w->log_at = moved ? world_later(w, w->disk_ms) : INSTANT_NEVER;
    for (size_t i = 0; moved && i < w->worker_count; i++)
        w->workers[i].log_at = instant_min(w->workers[i].log_at, world_later(w, 2));
}

static void run_jobs(struct world *w)
{
    for (size_t i = 0; i < w->job_count; i++) {
        struct job *job = w->jobs[i].job;
        if (w->jobs[i].at.ns > w->trace.now.ns)
            continue;
        w->jobs[i--] = w->jobs[--w->job_count];
        job_run(job);
        for (size_t k = 0; k < w->worker_count; k++)
            begin_turn(w, &w->workers[k]);
        job_done(job);
        for (size_t k = 0; k < w->worker_count; k++)
            end_turn(w, &w->workers[k]);
    }
}

static bool is_due(struct world *w, struct instant *at)
{
    if (at->ns > w->trace.now.ns)
        return false;
    *at = INSTANT_NEVER;
    return true;
}

static void run_worker(struct world *w, struct worker *k)
{
    bool mail = is_due(w, &k->mail_at), log = is_due(w, &k->log_at);
    if (!mail && !log && hub_deadline(&k->hub).ns > w->trace.now.ns)
        return;
    begin_turn(w, k);
    if (mail)
        hub_take_mail(&k->hub);
    if (log)
        hub_log_moved(&k->hub);
    end_turn(w, k);
}

void process_run(struct world *w)
{
    if (!w->is_up) {
        if (w->starts_at.ns <= w->trace.now.ns)
            process_start(w);
        return;
    }
    if (w->log_at.ns <= w->trace.now.ns)
        move_log(w);
    run_jobs(w);
    for (size_t i = 0; i < w->worker_count; i++)
        run_worker(w, &w->workers[i]);
}
