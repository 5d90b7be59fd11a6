#include "hub/connection.h"

#include "hub/door.h"
#include "hub/hub.h"
#include "hub/secure.h"

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
    [CONNECTION_RESP] = STATE(CONNECTION_DRAINING) | STATE(CONNECTION_CLOSED),
    [CONNECTION_DRAINING] = STATE(CONNECTION_CLOSED),
    [CONNECTION_CLOSED] = 0,
};

void connection_set_state(struct connection *c, enum connection_state state)
{
    assert(may_follow[c->state] & STATE(state));
    c->state = (uint8_t)state;
    hub_set_ready(c);
}

static bool takes_input(const struct connection *c)
{
    return c->state < CONNECTION_DRAINING;
}

bool connection_wants_input(const struct connection *c)
{
    return takes_input(c) && !c->input_over && (c->rests & ~CONNECTION_RESTS_TURN) == 0;
}

/* ---- shares ---- */

static void begin_share(struct connection *c)
{
    if (c->turn == c->hub->turn)
        return;
    c->turn = c->hub->turn;
    c->worked = c->sent = 0;
}

/* True where it may run a message more in this turn. */
static bool has_share(struct connection *c)
{
    if (c->worked < LIMIT_TURN_BYTES)
        return true;
    c->rests |= CONNECTION_RESTS_TURN;
    hub_put_off(c);
    return false;
}

void connection_go_on(struct connection *c)
{
    c->put_off = false;
    c->rests &= (uint8_t)~CONNECTION_RESTS_TURN;
    hub_set_ready(c);
    connection_run(c);
}

/* What it holds of the hub's memory has changed. */
static void count_held(struct connection *c)
{
    size_t bytes =
        c->state == CONNECTION_CLOSED ? 0 : inbox_len(c->inbox) + connection_unread(c);
    uint32_t held = (uint32_t)(bytes / CONNECTION_HELD_UNIT);
    if (held != c->held)
        hub_count_held(c, held);
}

/* ---- deadlines ---- */

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

static const struct reply_gate *first_gate(const struct connection *c)
{
    return c->replies ? reply_queue_gate(c->replies) : NULL;
}

static struct instant gate_deadline(const struct connection *c)
{
    const struct reply_gate *gate = first_gate(c);
    return gate && gate->after.ns > c->hub->now.ns ? gate->after : INSTANT_NEVER;
}

static void set_timer(struct connection *c)
{
    struct instant due =
        instant_min(instant_min(silence_deadline(c), stall_deadline(c)), gate_deadline(c));
    due = instant_min(due, filter_deadline(c));
    if (c->state == CONNECTION_CLOSED || due.ns == INSTANT_NEVER.ns)
        timers_clear(&c->hub->timers, &c->timer);
    else if (timers_set(&c->hub->timers, &c->timer, due) != 0)
        connection_abort(c);
}

void connection_set_timer(struct connection *c)
{
    set_timer(c);
}

/* ---- output ---- */

static void close_if_drained(struct connection *c)
{
    if (c->state == CONNECTION_DRAINING &&
        (connection_secure(c) ? secure_is_drained(c) : connection_unread(c) == 0))
        connection_set_state(c, CONNECTION_CLOSED);
}

static void rest_while_unread(struct connection *c)
{
    if (c->replies && (reply_queue_len(c->replies) >= LIMIT_UNREAD_REPLY_BYTES ||
                       c->replies->count >= LIMIT_HELD_REPLIES ||
                       reply_queue_held(c->replies) >= LIMIT_HELD_INPUT_BYTES))
        c->rests |= CONNECTION_RESTS_OUTPUT;
    else
        c->rests &= (uint8_t)~CONNECTION_RESTS_OUTPUT;
    count_held(c);
}

static void release_if_empty(struct connection *c)
{
    if (!c->replies || reply_queue_len(c->replies) > 0)
        return;
    reply_pool_give(&c->hub->replies, c->replies);
    c->replies = NULL;
}

/* Held replies are looked at again when the log has moved. */
static void wait_for_log(struct connection *c)
{
    const struct reply_gate *gate = first_gate(c);
    bool waits = (gate && gate->lsn > 0) || c->rests & CONNECTION_RESTS_LOG;
    if (waits && !list_is_linked(&c->wait_link))
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
    begin_share(c);
    struct bytes out = ready_output(c);
    wait_for_log(c);
    if (reply_queue_gate(c->replies))
        set_timer(c);
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
        set_timer(c);
}

void connection_sent(struct connection *c, size_t n)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    begin_share(c);
    c->sent += (uint32_t)n;
    tally_add(c->hub->tally, TALLY_BYTES_OUT, n);
    if (!connection_secure(c)) {
        connection_sent_plain(c, n);
        return;
    }
    secure_sent(c, n);
    close_if_drained(c);
}

void connection_sent_plain(struct connection *c, size_t n)
{
    if (!c->replies)
        return;
    bool was_resting = c->rests & CONNECTION_RESTS_OUTPUT;
    reply_queue_sent(c->replies, n);
    note_progress(c, n);
    release_if_empty(c);
    rest_while_unread(c);
    close_if_drained(c);
    if (was_resting && !(c->rests & CONNECTION_RESTS_OUTPUT))
        connection_run(c);
}

void connection_drain(struct connection *c)
{
    if (!takes_input(c))
        return;
    connection_set_state(c, CONNECTION_DRAINING);
    close_if_drained(c);
    set_timer(c);
}

void connection_abort(struct connection *c)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    connection_set_state(c, CONNECTION_CLOSED);
    c->aborted = true;
    timers_clear(&c->hub->timers, &c->timer);
    list_remove(&c->wait_link);
    count_held(c);
}

/* ---- input ---- */

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

/* The reply to a message of `asked` bytes is whole. */
static void take_reply(struct connection *c, struct reply *reply, size_t asked)
{
    if (reply->failed)
        mend_reply(c, reply);
    if (reply->failed) {
        connection_abort(c);
        return;
    }
    if (reply_queue_begun(c->replies) == 0)
        return;
    uint64_t lsn = reply->lsn > store_durable(c->hub->shared->store) ? reply->lsn : 0;
    if (reply_queue_end(c->replies, lsn, end_of_turn(c)) != 0) {
        connection_abort(c);
        return;
    }
    c->replies->asked += asked;
    hub_set_ready(c);
    rest_while_unread(c);
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
    if (r == DOOR_DONE || r == DOOR_CLOSE) {
        c->worked += (uint32_t)(*ret_consumed + buffer_len(out) - before);
        take_reply(c, &reply, *ret_consumed);
    } else {
        reply_queue_cancel(c->replies);
    }
    release_if_empty(c);
    return r;
}

static void close_and_log(struct connection *c, const char *what)
{
    struct log_line line = log_line_begin(&c->hub->log, LOG_WARNING, what);
    log_line_number(&line, "connection", (int64_t)c->id);
    log_line_end(&line);
    connection_abort(c);
}

bool connection_begin_push(struct connection *c, struct reply *ret)
{
    if (!takes_input(c) || (!c->replies && !(c->replies = reply_pool_take(&c->hub->replies))))
        return false;
    *ret = (struct reply){.out = reply_queue_begin(c->replies),
                          .queue = c->replies,
                          .dialect = c->dialect,
                          .ending = LINE_LF};
    return true;
}

void connection_end_push(struct connection *c, struct reply *reply)
{
    size_t told = reply_queue_begun(c->replies);
    uint64_t lsn = reply->lsn > store_durable(c->hub->shared->store) ? reply->lsn : 0;
    bool ended = !reply->failed && reply_queue_end(c->replies, lsn, (struct instant){0}) == 0;
    if (!ended || (told > 0 && reply_queue_len(c->replies) > LIMIT_UNREAD_PUSH_BYTES)) {
        close_and_log(c, "closed a connection that does not read what it is told");
        return;
    }
    if (told > 0) {
        hub_set_ready(c);
        rest_while_unread(c);
    }
    release_if_empty(c);
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
        close_and_log(c, connection_secure(c) ? "closed a connection: TLS within TLS"
                                              : "closed a TLS connection: there is none here");
        break;
    case DOOR_NONE:
        close_and_log(c, "closed a connection that opened with a control byte");
        break;
    case DOOR_UNDECIDED:
        break;
    }
}

/* Runs the message at the front of in, which is not empty; returns its length, 0 where none is
 * whole or may run now. */
static size_t run_front(struct connection *c, struct bytes in)
{
    if (c->state == CONNECTION_SNIFFING)
        sniff(c, in);
    if (c->state != CONNECTION_TEXT && c->state != CONNECTION_RESP)
        return 0;
    if (!has_share(c))
        return 0;
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
    while (n > 0 && takes_input(c) && c->rests == 0 && taken < in.len)
        taken += n = run_front(c, bytes_from(in, taken));
    return taken;
}

static void run_inbox(struct connection *c)
{
    size_t n = 1;
    ahead_forget(&c->hub->ahead);
    while (n > 0 && takes_input(c) && c->rests == 0 && inbox_len(c->inbox) > 0) {
        n = run_front(c, inbox_view(c->inbox));
        inbox_consume(c->inbox, n);
    }
}

/* After a run: what it left, and what follows from it. */
static void after_run(struct connection *c)
{
    if (!takes_input(c) || inbox_len(c->inbox) == 0) {
        inbox_free(c->inbox);
        c->inbox = NULL;
    }
    count_held(c);
    if (!takes_input(c))
        return;
    if (c->input_over && c->rests == 0) {
        connection_drain(c);
        return;
    }
    wait_for_log(c);
    if (c->rests)
        hub_set_ready(c);
    set_timer(c);
}

void connection_run(struct connection *c)
{
    if (!takes_input(c) || c->rests)
        return;
    begin_share(c);
    run_inbox(c);
    after_run(c);
    hub_set_ready(c);
}

size_t connection_space(struct connection *c, uint8_t **space, size_t n)
{
    begin_share(c);
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
    if (!c->inbox && !(c->inbox = inbox_new())) {
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
    if (!takes_input(c))
        return;
    tally_add(c->hub->tally, TALLY_BYTES_IN, in.len);
    begin_share(c);
    c->worked +=
        c->worked == 0; /* even where nothing runs, this was its turn to be read from */
    if (secure_is_wanted(c, in) && secure_begin(c) != 0)
        close_and_log(c, "closed a TLS connection: too many at once, or out of memory");
    else if (connection_secure(c))
        secure_feed(c, in);
    else
        connection_feed_plain(c, in);
}

void connection_feed_plain(struct connection *c, struct bytes in)
{
    if (!takes_input(c))
        return;
    if (inbox_len(c->inbox) == 0 && c->rests == 0) {
        size_t taken = run_bytes(c, in);
        if (takes_input(c) && taken < in.len)
            keep(c, bytes_from(in, taken));
        if (taken < in.len || c->rests || !takes_input(c) || timer_is_set(&c->timer))
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

/* ---- what else happens to it ---- */

void connection_log_moved(struct connection *c)
{
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

void connection_tick(struct connection *c)
{
    if (filter_deadline(c).ns <= c->hub->now.ns) {
        close_and_log(c, "closed a TLS connection that does not go on");
        return;
    }
    if (stall_deadline(c).ns <= c->hub->now.ns) {
        close_and_log(c, "closed a connection that does not read its replies");
        return;
    }
    if (gate_deadline(c).ns == INSTANT_NEVER.ns && first_gate(c))
        hub_set_ready(c);
    if (silence_deadline(c).ns <= c->hub->now.ns) {
        c->ended = true;
        connection_run(c);
        return;
    }
    set_timer(c);
}

struct connection_extra *connection_extra(struct connection *c)
{
    if (!c->extra)
        c->extra = calloc(1, sizeof *c->extra);
    return c->extra;
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
