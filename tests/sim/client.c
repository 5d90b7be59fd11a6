#include "client.h"

#include "base/limits.h"
#include "support/faulty_disk.h"

#include <inttypes.h>
#include <stdlib.h>

static bool chance(uint64_t *seed, unsigned of)
{
    return faulty_random(seed) % of == 0;
}

static void choose_peer(struct access_peer *peer, const struct hub_config *config,
                        uint64_t *seed)
{
    peer->origin = (enum access_origin)(faulty_random(seed) % 3);
    peer->user = chance(seed, 4) ? ACCESS_USER_UNKNOWN : ACCESS_USER_KNOWN;
    peer->uid = chance(seed, 8) ? 0 : config->uid + !chance(seed, 3);
}

void client_init(struct client *c, struct model *m, uint32_t *tags, uint64_t *seed)
{
    *c = (struct client){.trace = m->trace, .model = m, .reading = true};
    choose_peer(&c->session.peer, m->config, seed);
    c->session.resp = chance(seed, 2);
    c->session.full = chance(seed, 2);
    c->session.version = 2;
    c->taste = (struct request_taste){.resp = c->session.resp, .tags = tags};
    c->taste.stops_per_mille = chance(seed, 8) ? 30 : chance(seed, 4) ? 1 : 0;
    c->bare = !c->session.resp && chance(seed, 4);
    bool small = c->bare || c->session.peer.origin == ACCESS_REMOTE;
    c->taste.value_bytes_max = small ? 600 : REQUEST_VALUE_BYTES_MAX;
    c->flood = !c->bare && chance(seed, 40);
    unsigned depths[] = {1, 3, 10, 40};
    c->taste.loud = c->flood && chance(seed, 2);
    c->taste.follows = !c->bare && !c->flood && chance(seed, 4);
    c->deaf = c->taste.follows && chance(seed, 4);
    c->depth = c->flood ? 200 : depths[faulty_random(seed) % 4];
    size_t rooms[] = {1, 60, 700, 65536};
    c->room = rooms[c->flood ? 3 : faulty_random(seed) % 4];
    buffer_init(&c->out, SIZE_MAX / 2);
    buffer_init(&c->expected, SIZE_MAX / 2);
}

void client_fini(struct client *c)
{
    free(c->requests);
    free(c->debts);
    model_session_fini(c->model, &c->session);
    buffer_fini(&c->out);
    buffer_fini(&c->expected);
}

/* ---- asking */

bool client_fears_silence(const struct client *c)
{
    return !c->framed && c->model->config->unframed_ms > 0 &&
           c->session.peer.origin != ACCESS_REMOTE;
}

static void *grow(void *list, size_t count, size_t *capacity, size_t each)
{
    if (count < *capacity)
        return list;
    *capacity = *capacity ? 2 * *capacity : 16;
    list = realloc(list, *capacity * each);
    if (!list)
        abort();
    return list;
}

static void ask(struct client *c, struct request *r)
{
    size_t before = buffer_len(&c->out);
    request_write(r, c->session.resp, &c->out);
    c->made += buffer_len(&c->out) - before;
    r->end = c->made;
    if (r->verb == VERB_MULTI)
        c->taste.gathers = true;
    else if (r->verb == VERB_EXEC || r->verb == VERB_DISCARD)
        c->taste.gathers = false;
    c->requests = grow(c->requests, c->count, &c->capacity, sizeof *r);
    c->requests[c->count++] = *r;
}

/* Those who want to be told say so, and then mostly listen. */
static bool ask_to_be_told(struct client *c, uint64_t *seed)
{
    if (!c->taste.follows)
        return false;
    if (c->count > 0)
        return !chance(seed, 4);
    if (c->session.resp)
        ask(c, &(struct request){.verb = VERB_HELLO, .number = 3});
    ask(c, &(struct request){.verb = VERB_FOLLOW, .n = 1});
    return true;
}

void client_ask(struct client *c, uint64_t *seed)
{
    size_t waiting = c->count - c->run;
    if (c->ending || (c->bare && (c->run < c->count || c->left < c->owed_end)))
        return;
    if (!c->flood && waiting >= 2 * c->depth)
        return;
    if (c->flood && waiting >= 1000)
        return;
    if (ask_to_be_told(c, seed))
        return;
    c->taste.now = model_now(c->model);
    size_t n = c->bare ? 1 : 1 + faulty_random(seed) % c->depth;
    for (size_t i = 0; i < n; i++) {
        struct request r;
        request_make(&r, &c->taste, seed);
        if (c->bare)
            r.ending = LINE_BARE;
        ask(c, &r);
    }
    c->ending |= c->bare && !client_fears_silence(c); /* nothing else ends its message */
}

void client_end(struct client *c, uint64_t *seed)
{
    if (!c->ending && !c->session.resp && chance(seed, 2) &&
        (!c->bare || (c->run == c->count && c->left == c->owed_end))) {
        struct request r;
        request_make(&r, &c->taste, seed);
        r.ending = LINE_BARE;
        ask(c, &r);
    }
    c->ending = true;
}

void client_fed(struct client *c, size_t n)
{
    buffer_consume(&c->out, n);
    c->fed += n;
    c->last_fed = c->trace->now;
    for (size_t i = c->count; i > 0 && c->requests[i - 1].delivered.ns == 0; i--)
        if (c->requests[i - 1].end <= c->fed) {
            c->requests[i - 1].delivered = c->trace->now;
            c->framed |= c->session.resp || c->requests[i - 1].ending != LINE_BARE;
        }
}

/* ---- what the hub does */

/* Has the hub seen where this message ends? */
static bool has_ended(const struct client *c, const struct request *r)
{
    if (r->delivered.ns == 0)
        return false;
    struct instant silent = instant_after_ms(c->last_fed, c->model->config->unframed_ms);
    return c->session.resp || r->ending != LINE_BARE || c->end_fed ||
           (client_fears_silence(c) && c->trace->now.ns >= silent.ns);
}

static void add_debt(struct client *c, size_t len, uint64_t needs, struct instant not_before)
{
    if (len == 0)
        return;
    c->debts = grow(c->debts, c->debt_count, &c->debt_capacity, sizeof *c->debts);
    c->debts[c->debt_count++] =
        (struct client_debt){c->owed_end, c->owed_end + len, needs, not_before};
    c->owed_end += len;
}

static void owe(struct client *c, const struct request *r, size_t before, uint64_t needs)
{
    size_t len = buffer_len(&c->expected) - before;
    if (len == 0)
        return;
    if (len > c->largest_reply)
        c->largest_reply = len;
    struct instant begin =
        c->served_until.ns > r->delivered.ns ? c->served_until : r->delivered;
    c->served_until = instant_after_ms(begin, c->model->config->delay_ms);
    add_debt(c, len, needs, c->served_until);
}

static void run_next(struct client *c, const struct witness_call *call)
{
    struct request *r = &c->requests[c->run++];
    trace_check(c->trace, !c->session.over,
                "connection %" PRIu64 ": a request was run after the last", c->session.id);
    trace_check(c->trace, has_ended(c, r),
                "connection %" PRIu64 ": a request was run that had not come in full",
                c->session.id);
    size_t before = buffer_len(&c->expected);
    uint64_t needs = model_run(c->model, &c->session, r, call, &c->expected);
    owe(c, r, before, needs);
    trace_say(c->trace, "connection %" PRIu64 " ran %s, needs %" PRIu64 ", log at %" PRIu64,
              c->session.id, request_name(r), needs, c->model->lsn);
}

/* Those it does not speak of: all that it may have run, or until so many bytes are expected. */
static void run_unlogged(struct client *c, size_t wanted)
{
    static const struct witness_call nothing;
    while (c->run < c->count && !c->session.over && buffer_len(&c->expected) < wanted &&
           has_ended(c, &c->requests[c->run]) && !request_is_logged(&c->requests[c->run]))
        run_next(c, &nothing);
}

struct witness_call client_ran(struct client *c, struct witness *w)
{
    struct witness_call call = {0};
    run_unlogged(c, SIZE_MAX);
    trace_check(c->trace, c->run < c->count && request_is_logged(&c->requests[c->run]),
                "connection %" PRIu64 ": ran what was not asked", c->session.id);
    if (model_calls(c->model, &c->session, &c->requests[c->run]))
        trace_check(c->trace, witness_next(w, &call),
                    "connection %" PRIu64 ": %s was run without asking the store",
                    c->session.id, request_name(&c->requests[c->run]));
    trace_check(c->trace, call.result != STORE_READ_ONLY || c->model->disk_full,
                "connection %" PRIu64 ": refused, and the disk has room", c->session.id);
    trace_check(c->trace, call.result != STORE_STUCK || c->model->disk_strikes,
                "connection %" PRIu64 ": refused, and nothing has failed", c->session.id);
    run_next(c, &call);
    return call;
}

void client_told(struct client *c, const struct model_push *push)
{
    size_t before = buffer_len(&c->expected);
    if (c->connection->state >= CONNECTION_DRAINING)
        return;
    model_tell(&c->session, push, &c->expected);
    add_debt(c, buffer_len(&c->expected) - before, push->lsn, (struct instant){0});
}

static void pay(struct client *c, uint64_t end, uint64_t synced)
{
    const struct trace *t = c->trace;
    while (c->debt_first < c->debt_count) {
        const struct client_debt *d = &c->debts[c->debt_first];
        if (d->begin >= end)
            return;
        trace_check(t, d->needs <= synced,
                    "connection %" PRIu64 ": a reply left that needs mutation %" PRIu64
                    ", on disk is %" PRIu64,
                    c->session.id, d->needs, synced);
        trace_check(t, d->not_before.ns <= t->now.ns,
                    "connection %" PRIu64 ": a reply left before its time", c->session.id);
        if (d->needs > c->model->told)
            c->model->told = d->needs;
        if (d->end > end)
            return;
        c->debt_first++;
    }
    c->debt_first = c->debt_count = 0;
}

static int shown(struct bytes b, size_t from)
{
    enum { SHOWN_MAX = 100 };
    return b.len - from < SHOWN_MAX ? (int)(b.len - from) : SHOWN_MAX;
}

void client_took(struct client *c, struct bytes out, uint64_t synced)
{
    run_unlogged(c, out.len);
    struct bytes due = buffer_view(&c->expected);
    size_t same = 0;
    while (same < out.len && same < due.len && out.data[same] == due.data[same])
        same++;
    trace_check(c->trace, same == out.len,
                "connection %" PRIu64 ": a wrong reply: '%.*s', ought to be '%.*s'",
                c->session.id, shown(out, same), (const char *)out.data + same,
                shown(due, same), (const char *)due.data + same);
    buffer_consume(&c->expected, out.len);
    c->left += out.len;
    pay(c, c->left, synced);
}

static bool stalled(const struct client *c)
{
    return c->blocked &&
           c->trace->now.ns >= instant_after_ms(c->blocked_since, LIMIT_STALL_MS).ns;
}

void client_closed(struct client *c, bool stopping)
{
    const struct trace *t = c->trace;
    if (c->connection->aborted) {
        trace_check(t, stalled(c), "connection %" PRIu64 ": aborted by the hub for no reason",
                    c->session.id);
        return;
    }
    if (!stopping)
        run_unlogged(c, SIZE_MAX);
    trace_check(t, buffer_len(&c->expected) == 0,
                "connection %" PRIu64 ": closed while something was owed", c->session.id);
    bool done = c->session.over || (c->end_fed && c->run == c->count);
    trace_check(t, stopping || done, "connection %" PRIu64 ": closed by the hub for no reason",
                c->session.id);
}

void client_settled(struct client *c)
{
    const struct trace *t = c->trace;
    run_unlogged(c, SIZE_MAX);
    trace_check(t, buffer_len(&c->expected) == 0,
                "connection %" PRIu64 ": a reply does not come: %zu bytes", c->session.id,
                buffer_len(&c->expected));
    trace_check(t, c->run == c->count || c->session.over,
                "connection %" PRIu64 ": %zu requests are not run: %s", c->session.id,
                c->count - c->run, request_name(&c->requests[c->run]));
    trace_check(t, !c->session.over && !c->end_fed, "connection %" PRIu64 ": does not close",
                c->session.id);
}
