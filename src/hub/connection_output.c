#include "hub/connection_inner.h"
#include "hub/relay.h"
#include "hub/secure.h"

#include "base/limits.h"

void connection_close_if_drained(struct connection *c)
{
    if (c->state == CONNECTION_DRAINING &&
        (connection_secure(c) ? secure_is_drained(c) : connection_unread(c) == 0))
        connection_set_state(c, CONNECTION_CLOSED);
}

void connection_rest_while_unread(struct connection *c)
{
    if (c->replies && (reply_queue_len(c->replies) >= LIMIT_UNREAD_REPLY_BYTES ||
                       c->replies->count >= LIMIT_HELD_REPLIES ||
                       reply_queue_held(c->replies) >= LIMIT_HELD_INPUT_BYTES))
        c->rests |= CONNECTION_RESTS_OUTPUT;
    else
        c->rests &= (uint8_t)~CONNECTION_RESTS_OUTPUT;
    connection_count_held(c);
}

uint64_t connection_awaits(const struct connection *c)
{
    if (c->rests & CONNECTION_RESTS_LOG)
        return 0;
    const struct reply_gate *gate = connection_first_gate(c);
    return gate && gate->lsn > 0 ? gate->lsn : HUB_AWAITS_NOTHING;
}

void connection_wait_for_log(struct connection *c)
{
    uint64_t lsn = connection_awaits(c);
    if (lsn == HUB_AWAITS_NOTHING)
        return;
    if (lsn < c->hub->awaited_lsn)
        c->hub->awaited_lsn = lsn;
    if (!list_is_linked(&c->wait_link))
        list_append(&c->hub->waiting, &c->wait_link);
}

static struct bytes ready_output(struct connection *c)
{
    if (!c->replies)
        return (struct bytes){0};
    return reply_queue_ready(c->replies, store_durable(c->hub->shared->store), c->hub->now);
}

struct bytes connection_output(struct connection *c)
{
    return connection_secure(c) ? secure_output(c) : connection_output_plain(c);
}

struct bytes connection_output_plain(struct connection *c)
{
    if (c->state == CONNECTION_CLOSED || !c->replies)
        return (struct bytes){0};
    connection_begin_share(c);
    struct bytes out = ready_output(c);
    connection_wait_for_log(c);
    if (reply_queue_gate(c->replies))
        connection_set_timer(c);
    if (out.len > 0 && c->sent >= LIMIT_TURN_OUTPUT_BYTES) {
        hub_put_off(c);
        return (struct bytes){0};
    }
    size_t share = LIMIT_TURN_OUTPUT_BYTES - c->sent;
    return out.len > share ? bytes_first(out, share) : out;
}

/* Stalled is who does not take what may leave; what is held does not count. */
static void note_progress(struct connection *c, size_t n)
{
    bool was_stalled = c->replies->stalled_since.ns > 0;
    if (ready_output(c).len == 0)
        c->replies->stalled_since.ns = 0;
    else if (n > 0 || !was_stalled)
        c->replies->stalled_since = c->hub->now;
    if (was_stalled || c->replies->stalled_since.ns > 0)
        connection_set_timer(c);
}

void connection_sent(struct connection *c, size_t n)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    connection_begin_share(c);
    c->sent += (uint32_t)n;
    tally_add(c->hub->tally, TALLY_BYTES_OUT, n);
    if (!connection_secure(c)) {
        connection_sent_plain(c, n);
        return;
    }
    secure_sent(c, n);
    connection_close_if_drained(c);
}

void connection_sent_plain(struct connection *c, size_t n)
{
    if (!c->replies)
        return;
    bool was_resting = c->rests & CONNECTION_RESTS_OUTPUT;
    reply_queue_sent(c->replies, n);
    note_progress(c, n);
    connection_release_if_empty(c);
    connection_rest_while_unread(c);
    connection_close_if_drained(c);
    if (was_resting && !(c->rests & CONNECTION_RESTS_OUTPUT))
        connection_run(c);
    if (connection_relay(c))
        relay_go_on(c);
}

/* ---- what it is told unasked ---- */

bool connection_begin_push(struct connection *c, struct reply *ret)
{
    if (!connection_takes_input(c) ||
        (!c->replies && !(c->replies = reply_pool_take(&c->hub->replies))))
        return false;
    *ret = (struct reply){.out = reply_queue_begin(c->replies),
                          .queue = c->replies,
                          .dialect = c->dialect,
                          .ending = LINE_LF};
    return true;
}

/* Does more than may wait already, of what it was told, not of replies to what it asked? */
static bool tells_too_much(const struct reply_queue *q, size_t begun)
{
    return q->told > LIMIT_UNREAD_PUSH_BYTES &&
           reply_queue_len(q) - begun > LIMIT_UNREAD_PUSH_BYTES;
}

void connection_end_push(struct connection *c, struct reply *reply)
{
    size_t told = reply_queue_begun(c->replies);
    bool too_much = told > 0 && tells_too_much(c->replies, told);
    uint64_t lsn = reply->lsn > store_durable(c->hub->shared->store) ? reply->lsn : 0;
    bool ended = !reply->failed && reply_queue_end(c->replies, lsn, (struct instant){0}) == 0;
    if (!ended || too_much) {
        connection_close_and_log(c, "closed a connection that does not read what it is told");
        return;
    }
    if (told > 0) {
        c->replies->told += told;
        hub_set_ready(c);
        connection_rest_while_unread(c);
    }
    connection_release_if_empty(c);
}
