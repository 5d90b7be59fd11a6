#include "world_inside.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the hubs ran */

static struct client *client_by_id(struct world *w, uint64_t id)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        if (w->clients[i] && w->clients[i]->connection && w->clients[i]->session.id == id)
            return w->clients[i];
    trace_fail(&w->trace, "a hub ran a request of connection %" PRIu64 ", which is gone", id);
}

static void observe_request(struct world *w, struct client *c)
{
    struct witness_call call = client_ran(c, &w->witness);
    world_post(w, call.changes, call.change_count);
    world_post_message(w);
}

/* Hubs log each request as they run it: the order of everything. */
void world_observe(struct world *w, struct world_worker *worker)
{
    static const char mark[] = "msg=request connection=";
    struct buffer *log = &worker->hub.log;
    if (buffer_len(log) == 0)
        return;
    buffer_append(log, "", 1);
    for (const char *at = (const char *)buffer_view(log).data; (at = strstr(at, mark)); at++)
        observe_request(w, client_by_id(w, strtoull(at + strlen(mark), NULL, 10)));
    buffer_truncate(log, 0);
    world_check_log(w);
}

void world_begin_turn(struct world *w, struct world_worker *worker)
{
    w->model.wall = wall(w).ms;
    hub_tick(&worker->hub, w->trace.now, wall(w));
    world_observe(w, worker);
}

/* ---- what leaves */

static void check_unread(struct world *w, const struct client *c)
{
    size_t unread = connection_unread(c->connection);
    CHECK(w, unread <= LIMIT_UNREAD_REPLY_BYTES + c->largest_reply,
          "connection %" PRIu64 ": %zu bytes of replies wait", c->session.id, unread);
    const struct reply_queue *replies = c->connection->replies;
    CHECK(w, !replies || c->taste.follows || replies->count <= LIMIT_HELD_REPLIES,
          "connection %" PRIu64 ": %u replies are held", c->session.id, replies->count);
}

void world_forget(struct world *w, struct client *c)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        if (w->clients[i] == c)
            w->clients[i] = NULL;
    client_fini(c);
    free(c);
}

static void write_output(struct world *w, struct client *c)
{
    struct connection *connection = c->connection;
    c->blocked &= connection->state != CONNECTION_CLOSED || connection->aborted;
    while (connection->state != CONNECTION_CLOSED) {
        check_unread(w, c);
        struct bytes out = connection_output(connection);
        if (out.len == 0) {
            c->blocked = false;
            return;
        }
        size_t free_room = c->room - c->in_socket;
        size_t n = out.len < free_room ? out.len : free_room;
        if (n < out.len && (n > 0 || !c->blocked))
            c->blocked_since = w->trace.now;
        c->blocked = n < out.len;
        uint64_t told = w->model.told;
        client_took(c, bytes_first(out, n), w->synced);
        c->in_socket += n;
        connection_sent(connection, n);
        world_observe(w, &w->workers[c->hub]);
        if (w->model.told > told && chance(w, 24))
            world_look_deeper(w);
        if (c->blocked)
            return;
    }
}

static void flush(struct world *w, struct connection *connection)
{
    struct client *c = connection->user;
    write_output(w, c);
    c->reading = connection_wants_input(connection);
    if (connection->state != CONNECTION_CLOSED)
        return;
    SAY(w, "connection %" PRIu64 " is closed%s", c->session.id,
        connection->aborted ? " at once" : "");
    client_closed(c, w->workers[c->hub].stopped);
    connection_free(connection);
    world_forget(w, c);
}

void world_ask_to_stop(struct world *w, const char *who)
{
    SAY(w, "%s asks to stop", who);
    for (size_t i = 0; i < w->worker_count; i++)
        w->workers[i].stop = !w->workers[i].stopped;
    if (!w->stopping)
        w->stop_step = w->trace.step;
    w->stopping = true;
}

static void handle_events(struct world *w, struct world_worker *worker)
{
    struct hub_event event;
    while (hub_next_event(&worker->hub, &event)) {
        switch (event.kind) {
        case HUB_EVENT_OUTPUT:
            flush(w, event.connection);
            break;
        case HUB_EVENT_IDENTIFY:
            ((struct client *)event.connection->user)->identify = true;
            break;
        case HUB_EVENT_JOB:
            job_run(event.job);
            job_done(event.job);
            break;
        case HUB_EVENT_STOP:
            CHECK(w, w->model.stop_granted, "a hub stops, and nobody who may asked for it");
            world_ask_to_stop(w, "a client");
            break;
        }
    }
}

/* What a worker does before it sleeps. */
void world_end_turn(struct world *w, struct world_worker *worker)
{
    handle_events(w, worker);
    world_wake_threads(w);
}

/* A turn may go on: what it brought waits then. */
void world_maybe_end_turn(struct world *w, struct world_worker *worker)
{
    if (!chance(w, 4))
        world_end_turn(w, worker);
}
