#include "hub/connection_inner.h"
#include "hub/door.h"
#include "hub/relay.h"
#include "hub/secure.h"

#include "base/limits.h"
#include "base/log_line.h"

/* True where it may run a message more in this turn. */
static bool has_share(struct connection *c)
{
    if (c->worked < LIMIT_TURN_BYTES)
        return true;
    c->rests |= CONNECTION_RESTS_TURN;
    hub_put_off(c);
    return false;
}

static struct instant end_of_turn(struct connection *c)
{
    uint64_t delay_ms = c->hub->shared->config.delay_ms;
    if (delay_ms == 0)
        return (struct instant){0};
    struct instant begin = c->served_until.ns > c->hub->now.ns ? c->served_until : c->hub->now;
    return c->served_until = instant_after_ms(begin, delay_ms);
}

/* A reply that could not be written becomes an error in its place. */
static void mend_reply(struct connection *c, struct reply *reply)
{
    bool too_large = reply->failed == BUFFER_FULL;
    struct log_line line =
        log_line_begin(&c->hub->log, LOG_WARNING,
                       too_large ? "a reply was too large" : "no memory for a reply");
    log_line_number(&line, "connection", (int64_t)c->id);
    log_line_end(&line);
    reply_queue_cancel(c->replies);
    reply->failed = 0;
    if (too_large)
        reply_error(reply, "ERR",
                    "the reply is too large: replies that wait are at most 512 MiB");
    else
        reply_error(reply, "OOM", "out of memory for the reply");
}

/* The reply to a message is whole, or a piece of it: `asked` bytes were asked for it, 0 until
 * the last piece. */
static void take_reply(struct connection *c, struct reply *reply, size_t asked)
{
    if (reply->failed && !reply->goes_on)
        mend_reply(c, reply);
    if (reply->failed) {
        connection_close_and_log(c, "closed a connection: its reply could not be written");
        return;
    }
    if (reply_queue_begun(c->replies) == 0)
        return;
    uint64_t lsn = reply->lsn > store_durable(c->hub->shared->store) ? reply->lsn : 0;
    struct instant after = reply->goes_on ? (struct instant){0} : end_of_turn(c);
    if (reply_queue_end(c->replies, lsn, after) != 0) {
        connection_abort(c);
        return;
    }
    c->replies->asked += asked;
    hub_set_ready(c);
    connection_rest_while_unread(c);
}

static int run_message(struct connection *c, struct bytes in, size_t *ret_consumed)
{
    if (!c->replies && !(c->replies = reply_pool_take(&c->hub->replies)))
        return DOOR_ABORT;
    struct buffer *out = reply_queue_begin(c->replies);
    size_t before = buffer_len(out);
    struct reply reply = {.out = out, .queue = c->replies, .dialect = c->dialect};
    int r = c->state == CONNECTION_RESP ? door_resp(c, in, &reply, ret_consumed)
                                        : door_text(c, in, &reply, ret_consumed);
    if (r == DOOR_PIECE)
        *ret_consumed = 0;
    if (r == DOOR_DONE || r == DOOR_CLOSE || r == DOOR_PIECE) {
        c->worked += (uint32_t)(*ret_consumed + buffer_len(out) - before);
        take_reply(c, &reply, *ret_consumed);
    } else {
        reply_queue_cancel(c->replies);
    }
    connection_release_if_empty(c);
    return r;
}

static void sniff(struct connection *c, struct bytes in)
{
    switch (door_sniff(in, c->ended)) {
    case DOOR_TEXT:
        connection_set_state(c, CONNECTION_TEXT);
        break;
    case DOOR_RESP:
        c->dialect = REPLY_RESP2;
        connection_set_state(c, CONNECTION_RESP);
        break;
    case DOOR_TLS:
        connection_close_and_log(c, connection_secure(c)
                                        ? "closed a connection: TLS within TLS"
                                        : "closed a TLS connection: there is none here");
        break;
    case DOOR_NONE:
        connection_close_and_log(c, "closed a connection that opened with a control byte");
        break;
    case DOOR_UNDECIDED:
        break;
    }
}

static size_t pass_on(struct connection *c, struct bytes in)
{
    size_t n = relay_put(c, in);
    c->worked += (uint32_t)n;
    return n;
}

/* Runs the message at the front of in, which is not empty; returns its length, 0 where none is
 * whole or may run now. */
static size_t run_front(struct connection *c, struct bytes in)
{
    if (c->state == CONNECTION_SNIFFING)
        sniff(c, in);
    if (!connection_takes_input(c) || c->state == CONNECTION_SNIFFING || !has_share(c))
        return 0;
    if (c->state == CONNECTION_RELAY)
        return pass_on(c, in);
    size_t consumed = 0;
    int r = run_message(c, in, &consumed);
    if (r == DOOR_CLOSE)
        connection_drain(c);
    else if (r == DOOR_ABORT)
        connection_abort(c);
    return r == DOOR_DONE || r == DOOR_CLOSE ? consumed : 0;
}

/* Runs what may run of in; returns how much of it was taken. */
static size_t run_bytes(struct connection *c, struct bytes in)
{
    size_t taken = 0, n = 1;
    while (n > 0 && connection_takes_input(c) && c->rests == 0 && taken < in.len)
        taken += n = run_front(c, bytes_from(in, taken));
    return taken;
}

static void run_inbox(struct connection *c)
{
    size_t n = 1;
    ahead_forget(&c->hub->ahead);
    while (n > 0 && connection_takes_input(c) && c->rests == 0 && inbox_len(c->inbox) > 0) {
        n = run_front(c, inbox_view(c->inbox));
        inbox_consume(c->inbox, n);
    }
}

/* After a run: what it left, and what follows from it. */
static void after_run(struct connection *c)
{
    if (!connection_takes_input(c) || inbox_len(c->inbox) == 0) {
        inbox_free(c->inbox);
        c->inbox = NULL;
    }
    connection_count_held(c);
    if (!connection_takes_input(c))
        return;
    if (c->input_over && c->rests == 0) {
        connection_drain(c);
        return;
    }
    connection_wait_for_log(c);
    if (c->rests)
        hub_set_ready(c);
    connection_set_timer(c);
}

void connection_run(struct connection *c)
{
    if (!connection_takes_input(c) || c->rests)
        return;
    connection_begin_share(c);
    run_inbox(c);
    after_run(c);
    hub_set_ready(c);
}

size_t connection_space(struct connection *c, uint8_t **space, size_t n)
{
    connection_begin_share(c);
    if (!connection_wants_input(c) || c->worked > 0)
        return 0;
    size_t total = c->inbox && c->state == CONNECTION_RESP && !connection_secure(c)
                       ? resp_request_need(&c->resp)
                       : 0;
    size_t large = total > 0 ? inbox_space(c->inbox, total, space) : 0;
    return large > 0 ? large : n;
}

static void keep(struct connection *c, struct bytes in)
{
    if (!c->inbox && !(c->inbox = inbox_new(&c->hub->shared->garbage))) {
        connection_abort(c);
        return;
    }
    c->inbox->silent_since = c->hub->now;
    if (inbox_append(c->inbox, in) != 0)
        connection_abort(c);
}

void connection_feed(struct connection *c, struct bytes in)
{
    ahead_forget(&c->hub->ahead);
    connection_feed_seen(c, in);
}

void connection_feed_seen(struct connection *c, struct bytes in)
{
    if (!connection_takes_input(c))
        return;
    tally_add(c->hub->tally, TALLY_BYTES_IN, in.len);
    connection_begin_share(c);
    c->worked +=
        c->worked == 0; /* even where nothing runs, this was its turn to be read from */
    if (secure_is_wanted(c, in) && secure_begin(c) != 0)
        connection_close_and_log(c, "closed a TLS connection: out of memory");
    else if (connection_secure(c))
        secure_feed(c, in);
    else
        connection_feed_plain(c, in);
}

void connection_feed_plain(struct connection *c, struct bytes in)
{
    if (!connection_takes_input(c))
        return;
    if (inbox_len(c->inbox) == 0 && c->rests == 0) {
        size_t taken = run_bytes(c, in);
        if (connection_takes_input(c) && taken < in.len)
            keep(c, bytes_from(in, taken));
        if (taken < in.len || c->rests || !connection_takes_input(c) || timer_is_set(&c->timer))
            after_run(c);
        return;
    }
    keep(c, in);
    connection_run(c);
}

void connection_feed_end(struct connection *c)
{
    c->input_over = c->ended = true;
    connection_run(c);
}
