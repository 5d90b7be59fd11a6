/* A whole hub, on a store over a disk in memory, with connections of three kinds: the hub's own
 * user on loopback, a guest from another machine, and somebody else on a Unix socket. The input
 * is a script; whatever it says, who may not change anything changes nothing, and who may not
 * stop the hub does not stop it. */

#include "support/lone_hub.h"

#include "base/limits.h"
#include "fuzz.h"

enum { OWNER, GUEST, STRANGER, KINDS };
enum { OWNER_UID = 1000, STRANGER_UID = 1001, STEPS_MAX = 4096 };

/* A step is a byte, whose lower two bits say which connection and the next three what; some are
 * followed by a length or a time, and bytes. */
enum step {
    STEP_OPEN,
    STEP_FEED,
    STEP_FEED_MORE,
    STEP_FEED_SLOWLY,
    STEP_END,
    STEP_WAIT,
    STEP_LOG,
    STEP_LEAVE
};

struct scene {
    struct lone_hub lone;
    struct connection *connections[KINDS];
    bool was_there[KINDS];
    bool stop_wanted;
    uint64_t ns;
};

static void tick(struct scene *s)
{
    hub_tick(&s->lone.hub, (struct instant){s->ns},
             (struct walltime){(int64_t)(s->ns / 1000000)});
}

static size_t kind_of(const struct scene *s, const struct connection *c)
{
    size_t kind = 0;
    while (s->connections[kind] != c)
        kind++;
    return kind;
}

static void flush(struct scene *s, struct connection *c)
{
    struct bytes out;
    while (c->state != CONNECTION_CLOSED && (out = connection_output(c)).len > 0)
        connection_sent(c, out.len);
    if (c->state != CONNECTION_CLOSED)
        return;
    s->connections[kind_of(s, c)] = NULL;
    connection_free(c);
}

static void do_job(struct job *job)
{
    job_run(job);
    job_done(job);
}

static void take_events(struct scene *s)
{
    struct hub_event event;
    for (int turns = 0; turns < 1000; turns++) {
        while (hub_next_event(&s->lone.hub, &event)) {
            if (event.kind == HUB_EVENT_STOP)
                s->stop_wanted = true;
            else if (event.kind == HUB_EVENT_JOB)
                do_job(event.job);
            else if (event.kind == HUB_EVENT_IDENTIFY)
                connection_identified(event.connection, true,
                                      kind_of(s, event.connection) == OWNER ? OWNER_UID
                                                                            : STRANGER_UID);
            else
                flush(s, event.connection);
        }
        if (hub_deadline(&s->lone.hub).ns > s->ns)
            return;
        tick(s);
    }
    abort(); /* it never comes to rest */
}

static void move_log(struct scene *s)
{
    struct instant now = {s->ns}, deadline;
    struct walltime wall = {(int64_t)(s->ns / 1000000)};
    embedded_segment_step(s->lone.store, now, &deadline);
    embedded_log_step(s->lone.store, now, &deadline);
    embedded_upkeep_step(s->lone.store, now, wall, &deadline);
    hub_log_moved(&s->lone.hub);
}

static void open_connection(struct scene *s, size_t kind)
{
    static const enum access_origin origins[KINDS] = {ACCESS_LOOPBACK, ACCESS_REMOTE,
                                                      ACCESS_UNIX};
    struct access_peer peer = {.origin = origins[kind]};
    if (hub_accept(&s->lone.hub, &peer, false, &s->connections[kind]) != 0)
        abort();
    s->was_there[kind] = true;
}

static uint8_t next_byte(struct bytes *in)
{
    uint8_t byte = in->len > 0 ? in->data[0] : 0;
    *in = bytes_from(*in, in->len > 0);
    return byte;
}

static void feed(struct connection *c, struct bytes *in, bool slowly)
{
    size_t n = next_byte(in);
    struct bytes said = bytes_first(*in, n < in->len ? n : in->len);
    *in = bytes_from(*in, said.len);
    struct bytes copy = fuzz_copy(said);
    for (size_t at = 0; at < copy.len; at += slowly ? 1 : copy.len)
        connection_feed(c, bytes_first(bytes_from(copy, at), slowly ? 1 : copy.len));
    fuzz_free(copy);
}

static void act(struct scene *s, struct bytes *in)
{
    uint8_t byte = next_byte(in);
    size_t kind = byte % 4u % KINDS;
    enum step step = (enum step)(byte >> 2 & 7u);
    struct connection *c = s->connections[kind];
    if (step == STEP_WAIT)
        s->ns += (uint64_t)next_byte(in) * 10000000u;
    tick(s);
    if (step == STEP_LOG)
        move_log(s);
    else if (step == STEP_OPEN && !c)
        open_connection(s, kind);
    else if (c && step >= STEP_FEED && step <= STEP_FEED_SLOWLY)
        feed(c, in, step == STEP_FEED_SLOWLY);
    else if (c && step == STEP_END)
        connection_feed_end(c);
    else if (c && step == STEP_LEAVE)
        connection_abort(c);
    take_events(s);
}

static void check(const struct scene *s)
{
    assert(!s->stop_wanted || s->was_there[OWNER]);
    /* The log's own open record is the first. */
    if (!s->was_there[OWNER] && !s->was_there[STRANGER])
        assert(wal_last_lsn(embedded_wal(s->lone.store)) == 1);
    for (size_t i = 0; i < KINDS; i++)
        assert(!s->connections[i] || connection_unread(s->connections[i]) <= LIMIT_REPLY_BYTES);
    uint64_t lsn;
    size_t system = store_count(embedded_store(s->lone.store), STORE_SYSTEM, &lsn);
    assert(system == 0 || (system == 1 && s->was_there[OWNER]));
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){.ns = 1000000000};
    lone_hub_open(&s->lone, &(struct hub_config){
                                .uid = OWNER_UID, .unframed_ms = 30, .holds_replies = true});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scene s;
    struct bytes in = bytes_make(data, size);
    open_scene(&s);
    for (int steps = 0; in.len > 0 && steps < STEPS_MAX; steps++)
        act(&s, &in);
    check(&s);
    lone_hub_close(&s.lone);
    return 0;
}
