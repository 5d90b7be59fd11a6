#include "world_inside.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdlib.h>

/* What clients do, and their sockets. */

static struct world_worker *worker_of(struct world *w, const struct client *c)
{
    return &w->workers[c->hub];
}

static void connect_client(struct world *w, size_t place)
{
    size_t hub = pick(w, w->worker_count);
    struct world_worker *worker = &w->workers[hub];
    if (w->clients[place] || worker->stopped)
        return;
    struct client *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    client_init(c, &w->model, &w->tags, &w->random);
    c->hub = hub;
    world_begin_turn(w, worker);
    struct access_peer peer = {.origin = c->session.peer.origin};
    if (hub_accept(&worker->hub, &peer, c->session.full, &c->connection) != 0)
        abort();
    c->connection->user = c;
    c->session.id = c->connection->id;
    w->clients[place] = c;
    hub_set_ready(c->connection);
    SAY(w, "connection %" PRIu64 " to hub %zu: %s%s%s%s%s", c->session.id, hub,
        c->session.resp   ? "resp"
        : c->session.full ? "full"
                          : "terse",
        c->bare ? ", bare" : "", c->session.peer.origin == ACCESS_REMOTE ? ", remote" : "",
        c->taste.follows ? ", follows" : "", c->deaf ? ", deaf" : "");
    world_maybe_end_turn(w, worker);
}

static void feed(struct world *w, struct client *c, size_t n)
{
    uint8_t *piece = malloc(n); /* its own memory, so that reading past it is seen */
    if (!piece)
        abort();
    memcpy(piece, client_out(c).data, n);
    client_fed(c, n);
    connection_feed(c->connection, bytes_make(piece, n));
    free(piece);
    world_observe(w, worker_of(w, c));
}

/* Delivers some of what it has sent; where silence would end a message, all of it, in pieces,
 * before the clock moves. */
static bool deliver(struct world *w, struct client *c)
{
    size_t waiting = client_out(c).len;
    if (!c->reading || c->end_fed || (waiting == 0 && !c->ending))
        return false;
    struct world_worker *worker = worker_of(w, c);
    uint64_t id = c->session.id;
    world_begin_turn(w, worker);
    if (waiting == 0) {
        c->end_fed = true;
        SAY(w, "connection %" PRIu64 " half-closes", id);
        connection_feed_end(c->connection);
        world_observe(w, worker);
    }
    do {
        size_t n = 1 + pick(w, chance(w, 4) ? 4 : chance(w, 2) ? 100 : LIMIT_READ_BYTES);
        waiting = client_out(c).len;
        if (waiting > 0)
            feed(w, c, n < waiting ? n : waiting);
    } while (client_fears_silence(c) && client_out(c).len > 0);
    world_maybe_end_turn(w, worker);
    return true;
}

static bool read_socket(struct world *w, struct client *c, bool all)
{
    if (c->in_socket == 0 && !c->blocked)
        return false;
    size_t n = c->in_socket;
    if (n > 0 && !all)
        n = 1 + pick(w, n);
    c->in_socket -= n;
    if (!c->blocked)
        return true;
    struct world_worker *worker = worker_of(w, c);
    world_begin_turn(w, worker);
    hub_set_ready(c->connection);
    world_maybe_end_turn(w, worker);
    return true;
}

static bool identify(struct world *w, struct client *c)
{
    if (!c->identify)
        return false;
    struct world_worker *worker = worker_of(w, c);
    const struct access_peer *peer = &c->session.peer;
    c->identify = false;
    world_begin_turn(w, worker);
    connection_identified(c->connection, peer->user == ACCESS_USER_KNOWN, peer->uid);
    world_observe(w, worker);
    world_maybe_end_turn(w, worker);
    return true;
}

/* The socket fails. */
static void reset(struct world *w, struct client *c)
{
    struct world_worker *worker = worker_of(w, c);
    struct connection *connection = c->connection;
    SAY(w, "connection %" PRIu64 " is reset", c->session.id);
    world_begin_turn(w, worker);
    if (connection->state == CONNECTION_CLOSED)
        return;
    connection_abort(connection);
    connection_free(connection);
    world_forget(w, c);
    world_maybe_end_turn(w, worker);
}

void world_step_client(struct world *w)
{
    size_t place = pick(w, WORLD_CLIENTS);
    struct client *c = w->clients[place];
    if (!c) {
        if (chance(w, 3))
            connect_client(w, place);
        return;
    }
    uint64_t what = pick(w, 400);
    if (what < 130)
        client_ask(c, &w->random);
    else if (what < 270)
        deliver(w, c);
    else if (what < 370 && !c->deaf && !(c->flood && w->trace.step % 256))
        read_socket(w, c, chance(w, 4));
    else if (what < 396)
        identify(w, c);
    else if (what < 399)
        client_end(c, &w->random);
    else if (chance(w, 2))
        reset(w, c);
}

bool world_settle_clients(struct world *w)
{
    bool moved = false;
    for (size_t i = 0; i < WORLD_CLIENTS; i++) {
        if (w->clients[i])
            moved |= read_socket(w, w->clients[i], true);
        if (w->clients[i])
            moved |= deliver(w, w->clients[i]);
        if (w->clients[i])
            moved |= identify(w, w->clients[i]);
    }
    return moved;
}
