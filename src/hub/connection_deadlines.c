#include "hub/connection_inner.h"
#include "hub/login.h"
#include "hub/relay.h"
#include "hub/secure.h"

#include "base/limits.h"

/* Silence ends a message only where nothing else can: on this machine, in plaintext, from a
 * client that has never sent a newline. */
static bool silence_ends(const struct connection *c)
{
    size_t waiting = inbox_len(c->inbox);
    return c->hub->shared->config.unframed_ms > 0 && c->state <= CONNECTION_TEXT &&
           !c->framed && !c->ended && !connection_secure(c) &&
           c->peer.origin != ACCESS_REMOTE && waiting > 0 &&
           waiting <= LIMIT_BARE_MESSAGE_BYTES;
}

static struct instant silence_deadline(const struct connection *c)
{
    if (!c->inbox || !silence_ends(c))
        return INSTANT_NEVER;
    return instant_after_ms(c->inbox->silent_since, c->hub->shared->config.unframed_ms);
}

static struct instant stall_deadline(const struct connection *c)
{
    return c->replies && c->replies->stalled_since.ns > 0
               ? instant_after_ms(c->replies->stalled_since, LIMIT_STALL_MS)
               : INSTANT_NEVER;
}

static struct instant filter_deadline(const struct connection *c)
{
    const struct secure *s = connection_secure(c);
    return s ? secure_deadline(s) : INSTANT_NEVER;
}

static struct instant gate_deadline(const struct connection *c)
{
    const struct reply_gate *gate = connection_first_gate(c);
    return gate && gate->after.ns > c->hub->now.ns ? gate->after : INSTANT_NEVER;
}

void connection_set_timer(struct connection *c)
{
    struct instant due =
        instant_min(instant_min(silence_deadline(c), stall_deadline(c)), gate_deadline(c));
    due = instant_min(due, instant_min(filter_deadline(c), relay_deadline(c)));
    due = instant_min(due, login_deadline(c));
    if (c->state == CONNECTION_CLOSED || due.ns == INSTANT_NEVER.ns)
        timers_clear(&c->hub->timers, &c->timer);
    else if (timers_set(&c->hub->timers, &c->timer, due) != 0)
        connection_abort(c);
}

void connection_tick(struct connection *c)
{
    if (filter_deadline(c).ns <= c->hub->now.ns) {
        connection_close_and_log(c, "closed a TLS connection that does not go on");
        return;
    }
    if (stall_deadline(c).ns <= c->hub->now.ns) {
        connection_close_and_log(c, "closed a connection that does not read its replies");
        return;
    }
    if (relay_deadline(c).ns <= c->hub->now.ns) {
        relay_give_up(c);
        return;
    }
    if (login_deadline(c).ns <= c->hub->now.ns) {
        login_expire(c);
        return;
    }
    if (gate_deadline(c).ns == INSTANT_NEVER.ns && connection_first_gate(c))
        hub_set_ready(c);
    if (silence_deadline(c).ns <= c->hub->now.ns) {
        c->ended = true;
        connection_run(c);
        return;
    }
    connection_set_timer(c);
}
