#include "hub/connection_inner.h"

#include "base/limits.h"
#include "base/log_line.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define STATE(s) (1u << (s))

/* Which states may follow which. */
static const unsigned may_follow[] = {
    [CONNECTION_SNIFFING] = STATE(CONNECTION_TEXT) | STATE(CONNECTION_RESP) |
                            STATE(CONNECTION_DRAINING) | STATE(CONNECTION_CLOSED),
    [CONNECTION_TEXT] = STATE(CONNECTION_DRAINING) | STATE(CONNECTION_CLOSED),
    [CONNECTION_RESP] =
        STATE(CONNECTION_RELAY) | STATE(CONNECTION_DRAINING) | STATE(CONNECTION_CLOSED),
    [CONNECTION_RELAY] = STATE(CONNECTION_DRAINING) | STATE(CONNECTION_CLOSED),
    [CONNECTION_DRAINING] = STATE(CONNECTION_CLOSED),
    [CONNECTION_CLOSED] = 0,
};

void connection_set_state(struct connection *c, enum connection_state state)
{
    assert(may_follow[c->state] & STATE(state));
    c->state = (uint8_t)state;
    hub_set_ready(c);
}

/* While a long command goes on, so much may come behind it. */
static bool has_room_behind(const struct connection *c)
{
    return !(c->rests & CONNECTION_RESTS_TURN) || inbox_len(c->inbox) < LIMIT_HELD_INPUT_BYTES;
}

bool connection_wants_input(const struct connection *c)
{
    return connection_takes_input(c) && !c->input_over &&
           (c->rests & ~CONNECTION_RESTS_TURN) == 0 && has_room_behind(c);
}

void connection_drain(struct connection *c)
{
    if (!connection_takes_input(c))
        return;
    connection_set_state(c, CONNECTION_DRAINING);
    connection_close_if_drained(c);
    connection_set_timer(c);
}

void connection_abort(struct connection *c)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    connection_set_state(c, CONNECTION_CLOSED);
    c->aborted = true;
    timers_clear(&c->hub->timers, &c->timer);
    list_remove(&c->wait_link);
    connection_count_held(c);
}

void connection_close_and_log(struct connection *c, const char *what)
{
    struct log_line line = log_line_begin(&c->hub->log, LOG_WARNING, what);
    log_line_number(&line, "connection", (int64_t)c->id);
    log_line_end(&line);
    connection_abort(c);
}

/* ---- what else happens to it ---- */

void connection_go_on(struct connection *c)
{
    c->put_off = false;
    c->rests &= (uint8_t)~CONNECTION_RESTS_TURN;
    hub_set_ready(c);
    connection_run(c);
}

void connection_log_moved(struct connection *c, uint64_t durable)
{
    if (connection_awaits(c) > durable) {
        connection_wait_for_log(c);
        return;
    }
    hub_set_ready(c);
    if (c->rests & CONNECTION_RESTS_LOG) {
        c->rests &= (uint8_t)~CONNECTION_RESTS_LOG;
        connection_run(c);
    }
}

void connection_identified(struct connection *c, bool known, uint32_t uid)
{
    c->peer.user = known ? ACCESS_USER_KNOWN : ACCESS_USER_UNKNOWN;
    c->peer.uid = uid;
    c->rests &= (uint8_t)~CONNECTION_RESTS_USER;
    hub_set_ready(c); /* draining, it runs no more, but still owes */
    connection_run(c);
}

void connection_job_done(struct connection *c)
{
    c->rests &= (uint8_t)~CONNECTION_RESTS_JOB;
    hub_set_ready(c);
    connection_run(c);
}

struct connection_extra *connection_extra(struct connection *c)
{
    if (!c->extra)
        c->extra = calloc(1, sizeof *c->extra);
    return c->extra;
}

void connection_leave_guests(struct connection *c)
{
    if (c->is_guest)
        atomic_fetch_sub(&c->hub->shared->counters.guests, 1);
    c->is_guest = false;
}

int connection_set_name(struct connection *c, struct bytes name)
{
    struct connection_extra *extra = connection_extra(c);
    if (!extra)
        return -ENOMEM;
    char *copy = NULL;
    if (name.len > 0 && !(copy = strndup((const char *)name.data, name.len)))
        return -ENOMEM;
    free(extra->name);
    extra->name = copy;
    return 0;
}
