#ifndef KITH_HUB_CONNECTION_INNER_H
#define KITH_HUB_CONNECTION_INNER_H

/* What the files of the connection share: connection.c, connection_input.c,
 * connection_output.c and connection_deadlines.c. */

#include "hub/connection.h"
#include "hub/hub.h"

static inline bool connection_takes_input(const struct connection *c)
{
    return c->state < CONNECTION_DRAINING;
}

/* Its share of this turn begins, where it has not. */
static inline void connection_begin_share(struct connection *c)
{
    if (c->turn == c->hub->turn)
        return;
    c->turn = c->hub->turn;
    c->worked = c->sent = 0;
}

/* What it holds of the hub's memory has changed. */
static inline void connection_count_held(struct connection *c)
{
    size_t bytes =
        c->state == CONNECTION_CLOSED ? 0 : inbox_len(c->inbox) + connection_unread(c);
    uint32_t held = (uint32_t)(bytes / CONNECTION_HELD_UNIT);
    if (held != c->held)
        hub_count_held(c, held);
}

/* The oldest reply that may not leave yet; NULL: none. */
static inline const struct reply_gate *connection_first_gate(const struct connection *c)
{
    return c->replies ? reply_queue_gate(c->replies) : NULL;
}

/* Gives its reply queue back where nothing is in it. */
static inline void connection_release_if_empty(struct connection *c)
{
    if (!c->replies || reply_queue_len(c->replies) > 0)
        return;
    reply_pool_give(&c->hub->replies, c->replies);
    c->replies = NULL;
}

/* Ends it where it drains and nothing is owed. */
void connection_close_if_drained(struct connection *c);

/* It rests while too much of its replies waits. */
void connection_rest_while_unread(struct connection *c);

/* The LSN that is to be durable before it has something to do: its first held reply's. 0: a
 * command rests until the log moves, however far. HUB_AWAITS_NOTHING: it has no use for that.
 */
uint64_t connection_awaits(const struct connection *c);

/* It is looked at again when the log has moved as far as it awaits. */
void connection_wait_for_log(struct connection *c);

/* Ends it at once, and tells the log what for. */
void connection_close_and_log(struct connection *c, const char *what);

#endif
