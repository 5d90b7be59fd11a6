#include "world_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- ends and beginnings */

static void drop_clients(struct world *w)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++) {
        if (!w->clients[i])
            continue;
        client_fini(w->clients[i]);
        free(w->clients[i]);
        w->clients[i] = NULL;
    }
}

static void end_process(struct world *w)
{
    drop_clients(w);
    for (size_t i = 0; i < w->worker_count; i++) {
        hub_fini(&w->workers[i].hub);
        world_mail_end(&w->workers[i]);
    }
    if (w->chunk_file)
        disk_close(faulty_disk(w->disk), w->chunk_file);
    w->chunk_file = NULL;
    embedded_free(w->store);
    w->store = NULL;
    witness_fini(&w->witness);
}

static void begin_process(struct world *w, bool in_good_order)
{
    world_jump_clock(w, chance(w, 4));
    world_recover(w, in_good_order);
    w->synced = w->model.lsn;
    w->log = LOG_SLEEPS;
    w->log_deadline = INSTANT_NEVER;
    w->segment_awake = w->upkeep_awake = true;
    w->stopping = w->log_failed = false;
    w->worker_count = 1 + pick(w, WORLD_HUBS_MAX);
    witness_init(&w->witness, embedded_store(w->store));
    w->shared.store = &w->witness.store;
    w->shared.counters = (struct hub_counters){0};
    memset(&w->shared.exchange, 0, sizeof w->shared.exchange);
    store_watch(w->shared.store, exchange_on_change, &w->shared.exchange);
    for (size_t i = 0; i < w->worker_count; i++) {
        w->workers[i] = (struct world_worker){0};
        hub_init(&w->workers[i].hub, &w->shared);
        world_mail_begin(&w->workers[i]);
        world_begin_turn(w, &w->workers[i]);
    }
}

/* The process is killed, or the power is cut; or, where the disk was caught in the midst of
 * something, it happened then. */
static void crash(struct world *w)
{
    end_process(w);
    if (w->caught)
        world_replace_disk(w, w->caught);
    else if (chance(w, 2))
        world_replace_disk(w, world_cut_power(w, w->disk));
    w->caught = NULL;
    w->doom_in = 0;
    world_lift_faults(w);
    SAY(w, "crash");
    begin_process(w, false);
}

static bool all_stopped(const struct world *w)
{
    for (size_t i = 0; i < w->worker_count; i++)
        if (!w->workers[i].stopped || !hub_is_empty(&w->workers[i].hub))
            return false;
    return true;
}

/* The hubs have ended in good order: so does the log; then another process begins. */
static void finish_stop(struct world *w)
{
    CHECK(w, atomic_load(&w->shared.counters.connections) == 0, "connections leak");
    if (!world_close_store(w)) {
        crash(w);
        return;
    }
    SAY(w, "stopped in good order");
    end_process(w);
    if (chance(w, 2))
        world_replace_disk(w, world_cut_power(w, w->disk));
    w->doom_in = 0;
    world_lift_faults(w);
    begin_process(w, true);
}

/* ---- workers */

static bool tell_log_moved(struct world *w, struct world_worker *worker)
{
    if (!worker->log_moved)
        return false;
    worker->log_moved = false;
    world_begin_turn(w, worker);
    hub_log_moved(&worker->hub);
    world_observe(w, worker);
    world_maybe_end_turn(w, worker);
    return true;
}

static bool tell_mail(struct world *w, struct world_worker *worker)
{
    if (!worker->mail)
        return false;
    world_begin_turn(w, worker);
    world_take_mail(w, worker);
    world_observe(w, worker);
    world_maybe_end_turn(w, worker);
    return true;
}

static bool tell_stop(struct world *w, struct world_worker *worker)
{
    if (!worker->stop)
        return false;
    worker->stop = false;
    world_begin_turn(w, worker);
    worker->stopped = true;
    hub_stop(&worker->hub);
    world_observe(w, worker);
    world_maybe_end_turn(w, worker);
    return true;
}

static bool turn(struct world *w, struct world_worker *worker)
{
    bool due = hub_deadline(&worker->hub).ns <= w->trace.now.ns;
    bool ready = !list_is_empty(&worker->hub.ready) || worker->hub.stop_wanted;
    if (!due && !ready)
        return false;
    world_begin_turn(w, worker);
    world_end_turn(w, worker);
    return true;
}

static struct instant next_deadline(const struct world *w)
{
    struct instant next = w->log == LOG_SLEEPS ? w->log_deadline : INSTANT_NEVER;
    next = instant_min(next, w->segment_deadline);
    if (w->model.saving)
        next = instant_min(next, w->upkeep_deadline);
    for (size_t i = 0; i < w->worker_count; i++)
        next = instant_min(next, hub_deadline(&w->workers[i].hub));
    return next;
}

static void advance(struct world *w)
{
    struct instant next = next_deadline(w);
    uint64_t ns = pick(w, chance(w, 3) ? 5000000 : 100000);
    if (chance(w, 300))
        ns = pick(w, (uint64_t)40 * 1000000000);
    uint64_t to_next = next.ns > w->trace.now.ns ? next.ns - w->trace.now.ns : 0;
    if (next.ns != INSTANT_NEVER.ns && chance(w, to_next < 2000000000 ? 8 : 200))
        ns = to_next;
    w->trace.now.ns += ns;
}

/* ---- rest */

static bool settle_step(struct world *w)
{
    bool moved = world_settle_clients(w);
    for (size_t i = 0; i < w->worker_count; i++) {
        moved |= tell_stop(w, &w->workers[i]);
        moved |= tell_log_moved(w, &w->workers[i]);
        moved |= tell_mail(w, &w->workers[i]);
        moved |= turn(w, &w->workers[i]);
    }
    world_wake_log(w);
    if (w->log != LOG_SLEEPS) {
        world_log_step(w);
        moved = true;
    }
    moved |= world_segment_step(w);
    moved |= world_upkeep_step(w);
    return moved;
}

static void check_settled(struct world *w)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        if (w->clients[i])
            client_settled(w->clients[i]);
    for (size_t i = 0; i < w->worker_count; i++)
        CHECK(w, w->workers[i].push_count == 0, "worker %zu sleeps over its mail", i);
    CHECK(w, w->synced == w->model.lsn, "the log stays unwritten");
}

/* The same on a disk that stays full: who wants to write is told so, and does not wait. */
static void settle_full(struct world *w)
{
    struct instant end = instant_after_ms(w->trace.now, 5000);
    SAY(w, "everything settles on a full disk");
    while (w->trace.now.ns < end.ns) {
        struct instant next = settle_step(w) ? w->trace.now : next_deadline(w);
        if (next.ns > w->trace.now.ns)
            w->trace.now = instant_min(next, end);
    }
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        if (w->clients[i])
            client_settled(w->clients[i]);
}

/* Everybody reads, everything under way arrives, until nothing moves any more. */
static void come_to_rest(struct world *w)
{
    enum { ENOUGH = 2000000 };
    for (int i = 0;; i++) {
        CHECK(w, i < ENOUGH, "it never settles");
        if (settle_step(w))
            continue;
        if (w->stopping && all_stopped(w))
            break;
        struct instant next = next_deadline(w);
        if (next.ns == INSTANT_NEVER.ns)
            break;
        if (next.ns > w->trace.now.ns)
            w->trace.now = next;
    }
}

/* What has expired goes without anybody asking for it, soon. */
static void settle_sweep(struct world *w)
{
    enum { SWEEP_EVERY_MS = 1000, ROUNDS = 10 };
    for (int i = 0; i < ROUNDS && !w->stopping; i++) {
        w->trace.now = instant_after_ms(w->trace.now, SWEEP_EVERY_MS + 1);
        int64_t then = wall(w).ms;
        come_to_rest(w);
        if (model_is_swept(&w->model, then))
            return;
    }
    CHECK(w, w->stopping, "what has expired is not swept");
}

static void settle_stop(struct world *w)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        CHECK(w, !w->clients[i],
              "connection %" PRIu64
              " outlives the stop, in state %d, resting for %d, %zu bytes owed",
              w->clients[i]->session.id, w->clients[i]->connection->state,
              w->clients[i]->connection->rests, connection_unread(w->clients[i]->connection));
    CHECK(w, all_stopped(w), "a stop does not end");
    finish_stop(w);
}

static void settle(struct world *w)
{
    w->doom_in = 0;
    if (w->disk_full && !w->stopping && w->shared.config.delay_ms == 0)
        settle_full(w);
    world_lift_faults(w);
    SAY(w, "everything settles");
    come_to_rest(w);
    if (!w->stopping) {
        check_settled(w);
        settle_sweep(w);
    }
    if (w->stopping)
        settle_stop(w);
    else
        check_settled(w);
}

/* ---- the play */

static void configure(struct world *w)
{
    struct hub_config *config = &w->shared.config;
    bool second = chance(w, 4);
    config->holds_replies = !second;
    config->log_requests = true;
    config->uid = 1000;
    config->password_cost = password_cost_least;
    config->open = chance(w, 3);
    config->open_admin = chance(w, 8);
    config->unframed_ms = chance(w, 6) ? 0 : 30;
    if (chance(w, 4))
        config->delay_ms = (uint64_t[]){1, 20, 300, 70000}[pick(w, 4)];
    w->store_config = (struct embedded_config){
        .durability = second ? EMBEDDED_SECOND : EMBEDDED_COMMIT,
        .secret = pick(w, UINT64_MAX),
        .segment_first_bytes = 512u << pick(w, 5),
        .segment_bytes_max = 8192u << pick(w, 4),
        .buffered_bytes_max = 256u << pick(w, 8),
        .checkpoint_bytes = 300u << pick(w, 8),
    };
}

static void step_rarely(struct world *w)
{
    switch (pick(w, 26)) {
    case 0:
    case 1:
    case 2:
        crash(w);
        break;
    case 3:
        w->doom_in = 1 + pick(w, chance(w, 2) ? 20 : 80);
        break;
    case 4:
        world_ask_to_stop(w, "a signal");
        break;
    case 5:
        world_fail_disk(w);
        break;
    case 6:
    case 7:
    case 8:
    case 9:
        if (!w->log_failed)
            settle(w);
        break;
    case 10:
    case 11:
        world_jump_clock(w, chance(w, 2));
        break;
    default:
        world_fill_disk(w);
        break;
    }
}

/* A checkpoint takes a step a shard, so there are many at once. */
static void upkeep_steps(struct world *w)
{
    uint64_t n = 1 + pick(w, chance(w, 3) ? 600 : 60);
    while (n-- > 0 && world_upkeep_step(w))
        continue;
}

static void step(struct world *w)
{
    struct world_worker *worker = &w->workers[pick(w, w->worker_count)];
    uint64_t what = pick(w, 1000);
    if (what < 560)
        world_step_client(w);
    else if (what < 700)
        world_log_step(w);
    else if (what < 740)
        world_segment_step(w);
    else if (what < 770)
        upkeep_steps(w);
    else if (what < 820)
        tell_log_moved(w, worker);
    else if (what < 850)
        tell_mail(w, worker);
    else if (what < 860)
        tell_stop(w, worker);
    else if (what < 910)
        turn(w, worker);
    else if (what < 994)
        advance(w);
    else
        step_rarely(w);
    world_wake_log(w);
}

/* What must not go on for ever. */
static void step_ends(struct world *w)
{
    bool failed = w->log_failed && wal_state(embedded_wal(w->store)) == WAL_FAILED;
    if (w->caught || (failed && chance(w, 30)))
        crash(w);
    else if (w->stopping && !w->log_failed && all_stopped(w))
        finish_stop(w);
    else if (w->stopping && !w->log_failed && w->trace.step > w->stop_step + 400)
        settle(w);
}

static void world_fini(struct world *w)
{
    end_process(w);
    faulty_disk_free(w->caught);
    faulty_disk_free(w->disk);
    model_fini(&w->model);
}

uint64_t world_play(uint64_t seed, uint64_t steps, bool verbose)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->trace = (struct trace){.seed = seed, .now = {1}, .verbose = verbose};
    w->random = seed;
    w->wall_ms = 1700000000000;
    configure(w);
    model_init(&w->model, &w->trace, &w->shared.config);
    world_replace_disk(w, faulty_disk_new());
    begin_process(w, false);
    for (w->trace.step = 1; w->trace.step <= steps; w->trace.step++) {
        step(w);
        step_ends(w);
    }
    if (wal_state(embedded_wal(w->store)) != WAL_OPEN || w->log_failed)
        crash(w);
    settle(w);
    world_ask_to_stop(w, "the end");
    settle(w);
    world_fini(w);
    free(w);
    return steps;
}
