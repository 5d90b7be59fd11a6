#include "kithd/worker.h"

#include "base/limits.h"
#include "base/log_line.h"
#include "base/steady_time.h"
#include "io/clock.h"
#include "io/problem.h"
#include "kithd/link.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* A listener, on this worker's loop. */
struct door_keeper {
    struct acceptor acceptor;
    struct worker *worker;
    const struct listener *listener;
    bool replies_full;
    bool waiting; /* a client waits to be let in */
};

enum {
    WAKE_LOG_MOVED = 1 << 0,
    WAKE_STOP = 1 << 1,
    WAKE_ABORT = 1 << 2,
    WAKE_MAIL = 1 << 3,
};

enum { LOST_TOLD_EVERY_MS = 1000 };

struct worker {
    struct link_owner owner; /* first: links know their worker by it */
    struct hub hub;
    const struct worker_config *config;
    pthread_t thread;
    uv_loop_t loop;
    uv_prepare_t turn_end;
    uv_timer_t deadline;
    struct instant armed; /* what the timer is set for */
    uv_timer_t stop_limit;
    uv_async_t wake;
    atomic_uint wake_for;     /* WAKE_* */
    _Atomic uint64_t awaited; /* the LSN that is to be durable before this worker is woken */
    struct steady_time time;
    uint64_t moves_seen; /* of the log, before this turn asked anything of it */
    struct door_keeper *keepers;
    size_t keepers_open;
    size_t links;
    uint64_t lost; /* connections that could not be taken */
    struct instant lost_told_again;
    bool turn_begun; /* the hub knows what time it is */
    bool stopping;
    uint8_t read_space[LIMIT_READ_BYTES];
};

static void begin_turn(struct link_owner *owner)
{
    struct worker *w = (struct worker *)owner;
    if (w->turn_begun)
        return;
    w->turn_begun = true;
    committer_begin_turn(w->config->committer);
    w->moves_seen = committer_moves(w->config->committer);
    struct instant now = clock_instant();
    struct walltime wall = store_time(w->config->shared->store, clock_walltime());
    hub_tick(&w->hub, now, steady_time_go(&w->time, now, wall));
}

/* ---- letting clients in ---- */

/* A crowd at the door is one line a second, not one each. */
static void log_lost(struct worker *w, int error)
{
    w->lost++;
    begin_turn(&w->owner);
    if (w->hub.now.ns < w->lost_told_again.ns)
        return;
    w->lost_told_again = instant_after_ms(w->hub.now, LOST_TOLD_EVERY_MS);
    struct log_line line = log_line_begin(&w->hub.log, LOG_WARNING, "cannot take connections");
    log_line_number(&line, "so_far", (int64_t)w->lost);
    log_line_str(&line, "reason", problem_text(error));
    log_line_end(&line);
}

static bool has_place(const struct worker *w)
{
    return !w->config->one_at_a_time || w->links == 0;
}

static void let_in(struct door_keeper *k)
{
    struct worker *w = k->worker;
    bool counts;
    int r = link_accept(&w->owner, &k->acceptor, k->listener, k->replies_full, &counts);
    w->links += counts;
    k->waiting = r < 0 && !counts;
    if (r < 0 && r != UV_EAGAIN)
        log_lost(w, r);
}

static void on_client(uv_stream_t *stream, int status)
{
    struct door_keeper *k = stream->data;
    if (status < 0) {
        log_lost(k->worker, status);
        return;
    }
    if (has_place(k->worker))
        let_in(k);
    else
        k->waiting = true;
}

static void let_next_in(struct worker *w)
{
    for (size_t i = 0; i < w->config->listener_count && has_place(w); i++) {
        if (w->keepers[i].waiting)
            let_in(&w->keepers[i]);
    }
}

/* ---- stopping ---- */

static void close_if_done(struct worker *w)
{
    if (!w->stopping || w->links > 0 || w->keepers_open > 0 ||
        uv_is_closing((uv_handle_t *)&w->wake))
        return;
    uv_close((uv_handle_t *)&w->turn_end, NULL);
    uv_close((uv_handle_t *)&w->deadline, NULL);
    uv_close((uv_handle_t *)&w->stop_limit, NULL);
    uv_close((uv_handle_t *)&w->wake, NULL);
}

static void on_gone(struct link_owner *owner)
{
    struct worker *w = (struct worker *)owner;
    w->links--;
    if (!w->stopping)
        let_next_in(w);
    close_if_done(w);
}

static void on_keeper_closed(uv_handle_t *handle)
{
    struct door_keeper *k = handle->data;
    k->worker->keepers_open--;
    close_if_done(k->worker);
}

static void abort_all(struct worker *w)
{
    list_foreach (at, &w->hub.connections)
        connection_abort(list_entry(at, struct connection, link));
}

static void on_stop_limit(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    begin_turn(&w->owner);
    abort_all(w);
}

static void begin_stop(struct worker *w)
{
    if (w->stopping)
        return;
    w->stopping = true;
    for (size_t i = 0; i < w->config->listener_count; i++) {
        if (w->keepers[i].acceptor.uv.handle.data)
            uv_close(&w->keepers[i].acceptor.uv.handle, on_keeper_closed);
    }
    hub_stop(&w->hub);
    uv_timer_start(&w->stop_limit, on_stop_limit, LIMIT_STOP_MS, 0);
    close_if_done(w);
}

/* ---- jobs ---- */

/* One that is being run on a thread of the loop's pool. */
struct errand {
    uv_work_t work;
    struct worker *worker;
    struct job *job;
};

static void run_errand(uv_work_t *work)
{
    job_run(((struct errand *)work->data)->job);
}

static void end_errand(uv_work_t *work, int status)
{
    struct errand *e = work->data;
    begin_turn(&e->worker->owner);
    job_done(e->job);
    free(e);
}

/* Without memory for it, the job is done here and now: it is no more than a wait for all. */
static void begin_errand(struct worker *w, struct job *job)
{
    struct errand *e = malloc(sizeof *e);
    if (!e) {
        job_run(job);
        job_done(job);
        return;
    }
    *e = (struct errand){.worker = w, .job = job};
    e->work.data = e;
    uv_queue_work(&w->loop, &e->work, run_errand, end_errand);
}

/* ---- the turn ---- */

static void on_wake(uv_async_t *wake)
{
    struct worker *w = wake->data;
    unsigned why = atomic_exchange(&w->wake_for, 0);
    begin_turn(&w->owner);
    if (why & WAKE_LOG_MOVED)
        hub_log_moved(&w->hub);
    if (why & WAKE_MAIL)
        hub_take_mail(&w->hub);
    if (why & (WAKE_STOP | WAKE_ABORT))
        begin_stop(w);
    if (why & WAKE_ABORT)
        abort_all(w);
}

static void handle_events(struct worker *w)
{
    struct hub_event event;
    while (hub_next_event(&w->hub, &event)) {
        switch (event.kind) {
        case HUB_EVENT_OUTPUT:
            link_flush(event.connection);
            break;
        case HUB_EVENT_IDENTIFY:
            link_identify(event.connection);
            break;
        case HUB_EVENT_JOB:
            begin_errand(w, event.job);
            break;
        case HUB_EVENT_STOP:
            w->config->stop_wanted(w->config->ctx);
            break;
        }
    }
}

/* Says that somebody waits before looking once more, so that a move of the log in between is
 * seen here or announced by the log's thread. What has been run is told to that thread each
 * time: it may have appended more. */
static void wait_for_log(struct worker *w)
{
    while (!list_is_empty(&w->hub.waiting)) {
        atomic_store(&w->awaited, w->hub.awaited_lsn);
        uint64_t moves = committer_moves(w->config->committer);
        if (moves == w->moves_seen)
            return;
        w->moves_seen = moves;
        hub_log_moved(&w->hub);
        handle_events(w);
        committer_wake(w->config->committer);
    }
}

static void set_deadline(struct worker *w)
{
    struct instant due = hub_deadline(&w->hub);
    if (due.ns == w->armed.ns)
        return;
    w->armed = due;
    if (due.ns == INSTANT_NEVER.ns) {
        uv_timer_stop(&w->deadline);
        return;
    }
    uint64_t ns = due.ns > w->hub.now.ns ? due.ns - w->hub.now.ns : 0;
    uv_update_time(&w->loop);
    uv_timer_start(&w->deadline, w->deadline.timer_cb, (ns + 999999) / 1000000, 0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    w->armed = INSTANT_NEVER;
    begin_turn(&w->owner);
}

static void write_log(struct worker *w)
{
    if (buffer_len(&w->hub.log) == 0)
        return;
    log_file_write(w->config->log, buffer_view(&w->hub.log));
    buffer_truncate(&w->hub.log, 0);
}

static void on_turn_end(uv_prepare_t *prepare)
{
    struct worker *w = prepare->data;
    begin_turn(&w->owner);
    link_feed_waiting(&w->owner);
    handle_events(w);
    committer_end_turn(w->config->committer);
    wait_for_log(w);
    set_deadline(w);
    write_log(w);
    w->turn_begun = false;
}

/* ---- the thread ---- */

static int open_keeper(struct worker *w, size_t i)
{
    struct door_keeper *k = &w->keepers[i];
    *k = (struct door_keeper){.worker = w,
                              .listener = &w->config->listeners[i],
                              .replies_full = w->config->replies_full[i]};
    bool open;
    int r = acceptor_open(&k->acceptor, k->listener, &w->loop, w->config->backlog, on_client,
                          &open);
    if (open) {
        k->acceptor.uv.handle.data = k;
        w->keepers_open++;
    }
    return r;
}

static int open_loop(struct worker *w)
{
    int r = uv_loop_init(&w->loop);
    if (r < 0)
        return r;
    w->turn_end.data = w->deadline.data = w->stop_limit.data = w->wake.data = w;
    r = uv_async_init(&w->loop, &w->wake, on_wake);
    if (r < 0) {
        uv_loop_close(&w->loop);
        return r;
    }
    uv_timer_init(&w->loop, &w->deadline);
    w->deadline.timer_cb = on_deadline;
    uv_timer_init(&w->loop, &w->stop_limit);
    uv_prepare_init(&w->loop, &w->turn_end);
    uv_prepare_start(&w->turn_end, on_turn_end);
    return 0;
}

static void *run(void *arg)
{
    struct worker *w = arg;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    write_log(w);
    w->config->ended(w->config->ctx);
    return NULL;
}

void worker_free(struct worker *w)
{
    uv_loop_close(&w->loop);
    hub_fini(&w->hub);
    free(w->keepers);
    free(w);
}

static void wake(struct worker *w, unsigned why)
{
    atomic_fetch_or(&w->wake_for, why);
    uv_async_send(&w->wake);
}

/* On any thread. */
static void on_mail(void *ctx)
{
    wake(ctx, WAKE_MAIL);
}

int worker_start(struct worker **ret, const struct worker_config *config)
{
    struct worker *w = calloc(1, sizeof *w);
    struct door_keeper *keepers = calloc(config->listener_count, sizeof *keepers);
    int r = -ENOMEM;
    if (!w || !keepers || (r = open_loop(w)) < 0) {
        free(keepers);
        free(w);
        return r;
    }
    w->config = config;
    w->keepers = keepers;
    w->armed = INSTANT_NEVER;
    atomic_init(&w->awaited, HUB_AWAITS_NOTHING);
    hub_init(&w->hub, config->shared);
    w->hub.mail.wake = on_mail;
    w->hub.mail.ctx = w;
    w->owner = (struct link_owner){.hub = &w->hub,
                                   .read_space = w->read_space,
                                   .descriptors_max = config->descriptors_max,
                                   .turn = begin_turn,
                                   .gone = on_gone};
    for (size_t i = 0; i < config->listener_count && r == 0; i++)
        r = open_keeper(w, i);
    if (r == 0)
        r = -pthread_create(&w->thread, NULL, run, w);
    if (r < 0) {
        begin_stop(w);
        uv_run(&w->loop, UV_RUN_DEFAULT);
        worker_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

void worker_log_moved(struct worker *w)
{
    if (atomic_load(&w->awaited) > store_durable(w->config->shared->store))
        return;
    atomic_store(&w->awaited, HUB_AWAITS_NOTHING);
    wake(w, WAKE_LOG_MOVED);
}

void worker_stop(struct worker *w)
{
    wake(w, WAKE_STOP);
}

void worker_abort(struct worker *w)
{
    wake(w, WAKE_ABORT);
}

void worker_join(struct worker *w)
{
    pthread_join(w->thread, NULL);
}
