/* A hub at which alice and bob are members with a device each, and eve has come from elsewhere
 * and is nobody. The input is a script of what they say, and of time. Nobody is introduced to
 * anybody unless bob or alice has accepted, and eve is told nothing of anybody. */

#include "support/lone_hub.h"

#include "base/limits.h"
#include "fuzz.h"
#include "hub/member.h"

#include <stdio.h>

enum { ALICE, BOB, EVE, PEOPLE };
enum { STEPS_MAX = 2048, GOT_BYTES = 8 << 20, SAID_BYTES = 1 << 20 };

/* A step is a byte: whose, and which of these; some are followed by a length, and bytes. In
 * what is said, byte 1 stands for the last id that was told to anybody. */
enum step { STEP_SAY, STEP_SAY_MORE, STEP_WAIT, STEP_COME_AGAIN };

struct person {
    struct connection *c;
    struct buffer got, said;
};

struct scene {
    struct lone_hub lone;
    struct person people[PEOPLE];
    char id[RANDOM_ID_TEXT_LEN];
    uint64_t ns;
};

static void flush(struct connection *c)
{
    struct person *p = c->user;
    for (struct bytes out; (out = connection_output(c)).len > 0; connection_sent(c, out.len))
        buffer_append_bytes(&p->got, out); /* past the ceiling nothing is looked at */
    if (c->state != CONNECTION_CLOSED)
        return;
    p->c = NULL;
    connection_free(c);
}

static bool take_events(struct scene *s)
{
    struct hub_event event;
    bool any = false;
    while (hub_next_event(&s->lone.hub, &event)) {
        any = true;
        if (event.kind == HUB_EVENT_OUTPUT)
            flush(event.connection);
        else if (event.kind == HUB_EVENT_IDENTIFY)
            connection_identified(event.connection, true, 1);
        else if (event.kind == HUB_EVENT_JOB) {
            job_run(event.job);
            job_done(event.job);
        }
    }
    return any;
}

static void settle(struct scene *s)
{
    struct instant deadline, now = {s->ns};
    for (int turns = 0; turns < 1000; turns++) {
        while (embedded_segment_step(s->lone.store, now, &deadline) == 0 ||
               embedded_log_step(s->lone.store, now, &deadline) == 0)
            ;
        hub_tick(&s->lone.hub, now, (struct walltime){1700000000000});
        hub_log_moved(&s->lone.hub);
        hub_take_mail(&s->lone.hub);
        if (!take_events(s))
            return;
    }
    abort(); /* it never comes to rest */
}

static void come(struct scene *s, size_t who)
{
    static const char *const names[] = {"alice", "bob"};
    struct net_address address = {{[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)(who + 1)}};
    struct access_peer peer = {.origin = ACCESS_REMOTE, .address = &address};
    struct person *p = &s->people[who];
    if (hub_accept(&s->lone.hub, &peer, false, &p->c) != 0)
        abort();
    p->c->user = p;
    connection_feed(p->c, bytes_from_str("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"));
    settle(s);
    if (who == EVE)
        return;
    struct member m = {.has_device = true};
    snprintf(m.name, sizeof m.name, "%s", names[who]);
    account_name_fold(bytes_from_str(names[who]), m.key);
    memset(m.device.bytes, (int)who + 1, sizeof m.device.bytes);
    if (member_set(p->c, &m) != 0)
        abort();
    member_appear(p->c);
    settle(s);
}

/* The last id in what somebody got: a bulk string of its length. */
static void find_id(struct scene *s, const struct person *p)
{
    static const char head[] = "$22\r\n";
    struct bytes got = buffer_view(&p->got);
    for (size_t at = 0; at + sizeof head - 1 + sizeof s->id <= got.len; at++)
        if (memcmp(got.data + at, head, sizeof head - 1) == 0)
            memcpy(s->id, got.data + at + sizeof head - 1, sizeof s->id);
}

static void say(struct scene *s, struct person *p, struct bytes text)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    for (size_t i = 0; i < text.len; i++) {
        struct bytes piece =
            text.data[i] == 1 ? bytes_make(s->id, sizeof s->id) : bytes_make(text.data + i, 1);
        if (buffer_append_bytes(&b, piece) != 0)
            abort();
    }
    struct bytes copy = fuzz_copy(buffer_view(&b));
    buffer_append_bytes(&p->said, copy);
    connection_feed(p->c, copy);
    fuzz_free(copy);
    buffer_fini(&b);
    settle(s);
    for (size_t i = 0; i < PEOPLE; i++)
        find_id(s, &s->people[i]);
}

static bool has(const struct buffer *b, const char *word)
{
    struct bytes all = buffer_view(b), want = bytes_from_str(word);
    for (size_t at = 0; at + want.len <= all.len; at++)
        if (bytes_equal_nocase(bytes_first(bytes_from(all, at), want.len), want))
            return true;
    return false;
}

static void check(const struct scene *s)
{
    const struct person *p = s->people;
    bool introduced =
        has(&p[ALICE].got, "introduced\r\n") || has(&p[BOB].got, "introduced\r\n");
    bool invited = has(&p[ALICE].got, "invited\r\n") || has(&p[BOB].got, "invited\r\n");
    assert(!introduced ||
           (invited && (has(&p[ALICE].said, "accept") || has(&p[BOB].said, "accept"))));
    assert(!has(&p[EVE].got, "introduced\r\n") || has(&p[EVE].said, "introduced"));
    assert(!has(&p[EVE].got, "alice") || has(&p[EVE].said, "alice"));
}

static void act(struct scene *s, struct bytes *in)
{
    uint8_t byte = in->data[0];
    *in = bytes_from(*in, 1);
    size_t who = byte % 4u % PEOPLE, n = in->len > 0 ? in->data[0] : 0;
    struct person *p = &s->people[who];
    switch ((enum step)(byte >> 2 & 3u)) {
    case STEP_SAY:
    case STEP_SAY_MORE:
        *in = bytes_from(*in, in->len > 0);
        n = n < in->len ? n : in->len;
        if (p->c)
            say(s, p, bytes_first(*in, n));
        *in = bytes_from(*in, n);
        return;
    case STEP_WAIT:
        s->ns += (uint64_t)n * 1000000000u;
        settle(s);
        return;
    case STEP_COME_AGAIN:
        if (p->c)
            connection_feed_end(p->c);
        settle(s);
        if (!p->c)
            come(s, who);
    }
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){.ns = 1000000000};
    lone_hub_open(&s->lone, &(struct hub_config){.uid = 1000, .holds_replies = true});
    for (size_t i = 0; i < PEOPLE; i++) {
        buffer_init(&s->people[i].got, GOT_BYTES);
        buffer_init(&s->people[i].said, SAID_BYTES);
    }
    for (size_t i = 0; i < PEOPLE; i++)
        come(s, i);
}

static void close_scene(struct scene *s)
{
    lone_hub_close(&s->lone);
    for (size_t i = 0; i < PEOPLE; i++) {
        buffer_fini(&s->people[i].got);
        buffer_fini(&s->people[i].said);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scene s; /* too large for a stack; begun anew each time */
    struct bytes in = bytes_make(data, size);
    open_scene(&s);
    for (int steps = 0; in.len > 0 && steps < STEPS_MAX; steps++)
        act(&s, &in);
    check(&s);
    close_scene(&s);
    return 0;
}
