#include "peer/peer_session.h"

#include "unit.h"

/* Two sessions and what lies between them: connections that carry everything at once, unless
 * they are cut. */
struct end {
    struct peer_session session;
    unsigned paths[LIMIT_PEER_PATHS]; /* by connection */
    size_t heard;                     /* messages, in order */
    char last[64];                    /* of them */
    struct peer_event events[64];     /* all but messages */
    size_t count;
};

struct world {
    struct end ends[2]; /* [0] has the smaller key */
    bool cut[LIMIT_PEER_PATHS];
    size_t connections;
    struct instant now;
};

static struct public_key key_of(uint8_t n)
{
    struct public_key k = {.bytes = {n}};
    return k;
}

static void begin(struct world *w)
{
    struct random_id id = {.bytes = {7}};
    struct public_key keys[] = {key_of(1), key_of(2)};
    const char *names[] = {"Anna", "bob"};
    *w = (struct world){.now = {1000000}};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        assert_int_equal(pair_init(&p, &id, bytes_from_str(names[i]), &keys[i],
                                   bytes_from_str(names[1 - i]), &keys[1 - i]),
                         0);
        peer_session_init(&w->ends[i].session, &p, w->now);
    }
}

static void finish(struct world *w)
{
    for (int i = 0; i < 2; i++)
        peer_session_fini(&w->ends[i].session);
}

static void take_events(struct world *w, struct end *e)
{
    struct peer_event event;
    while (peer_session_next_event(&e->session, &event)) {
        if (event.type == PEER_EVENT_MESSAGE) {
            size_t n = event.message.len < 63 ? event.message.len : 63;
            memcpy(e->last, event.message.data, n);
            e->last[n] = '\0';
            e->heard++;
            continue;
        }
        assert_true(e->count < COUNT_OF(e->events));
        e->events[e->count++] = event;
    }
}

static bool has(const struct end *e, enum peer_event_type type)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->events[i].type == type)
            return true;
    return false;
}

static const struct peer_event *dropped(const struct end *e)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->events[i].type == PEER_EVENT_DROP)
            return &e->events[i];
    return NULL;
}

static void feed(struct world *w, struct end *to, unsigned path, struct bytes in)
{
    size_t n = 1;
    while (n > 0) {
        peer_session_feed(&to->session, path, in, w->now, &n);
        in = bytes_from(in, n);
        take_events(w, to);
    }
    assert_int_equal(in.len, 0);
}

/* What one end has for a connection; false: nothing. */
static bool carry(struct world *w, int from, size_t connection)
{
    struct end *a = &w->ends[from], *b = &w->ends[1 - from];
    struct bytes out;
    assert_int_equal(peer_session_output(&a->session, a->paths[connection], &out), 0);
    if (out.len == 0 || w->cut[connection])
        return false;
    struct bytes copy = unit_copy(out);
    peer_session_sent(&a->session, a->paths[connection], out.len);
    feed(w, b, b->paths[connection], copy);
    unit_free(copy);
    return true;
}

static void run(struct world *w)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t c = 0; c < w->connections; c++)
            for (int from = 0; from < 2; from++)
                more |= carry(w, from, c);
    }
    for (int i = 0; i < 2; i++)
        take_events(w, &w->ends[i]);
}

static void wait_ms(struct world *w, uint64_t ms)
{
    struct instant until = instant_after_ms(w->now, ms);
    while (w->now.ns < until.ns) {
        struct instant next = until;
        for (int i = 0; i < 2; i++)
            next = instant_min(next, peer_session_deadline(&w->ends[i].session));
        w->now = next;
        for (int i = 0; i < 2; i++)
            peer_session_tick(&w->ends[i].session, w->now);
        run(w);
    }
}

static size_t join(struct world *w, enum peer_path_kind kind)
{
    uint8_t exporter[32] = {(uint8_t)w->connections};
    size_t c = w->connections++;
    for (int i = 0; i < 2; i++) {
        struct public_key other = key_of((uint8_t)(2 - i));
        assert_int_equal(peer_session_attach(&w->ends[i].session, kind,
                                             i == 0 ? PROOF_DIALS : PROOF_ANSWERS, &other,
                                             exporter, w->now, &w->ends[i].paths[c]),
                         0);
    }
    return c;
}

static void detach(struct world *w, int end, size_t connection)
{
    w->cut[connection] = true;
    peer_session_detach(&w->ends[end].session, w->ends[end].paths[connection], w->now);
    take_events(w, &w->ends[end]);
}

static void say(struct world *w, int from, const char *text)
{
    assert_int_equal(peer_session_say(&w->ends[from].session, PEER_TALK, bytes_from_str(text)),
                     0);
}

static void test_talk_both_ways(void **state)
{
    struct world w;
    begin(&w);
    say(&w, 0, "early");
    join(&w, PEER_PATH_DIRECT);
    run(&w);
    say(&w, 1, "late");
    run(&w);
    assert_string_equal(w.ends[1].last, "early");
    assert_string_equal(w.ends[0].last, "late");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w.ends[i].session.state, PEER_SESSION_OPEN);
        assert_true(has(&w.ends[i], PEER_EVENT_PROVEN));
        assert_true(has(&w.ends[i], PEER_EVENT_OPEN));
        assert_true(has(&w.ends[i], PEER_EVENT_PATH_CHANGED));
        assert_int_equal(w.ends[i].session.lanes[PEER_TALK].count, 0);
    }
    finish(&w);
}

static void test_a_path_tells_whose_it_is(void **state)
{
    struct world w, other;
    struct bytes out;
    struct public_key one = key_of(1), two = key_of(2);
    const uint8_t right[32] = {0}, wrong[32] = {1};
    const struct peer_session *s = &w.ends[1].session;
    begin(&w);
    begin(&other);
    other.ends[1].session.pair.id.bytes[0]++;
    join(&w, PEER_PATH_DIRECT);
    assert_int_equal(peer_session_output(&w.ends[0].session, w.ends[0].paths[0], &out), 0);
    for (size_t n = 0; n < out.len; n++)
        assert_int_equal(peer_session_claim(s, PROOF_ANSWERS, &one, right, bytes_first(out, n)),
                         PEER_CLAIM_MORE);
    assert_int_equal(peer_session_claim(s, PROOF_ANSWERS, &one, right, out), PEER_CLAIM_OURS);
    assert_int_equal(peer_session_claim(s, PROOF_ANSWERS, &two, right, out), PEER_CLAIM_NONE);
    assert_int_equal(peer_session_claim(s, PROOF_ANSWERS, &one, wrong, out), PEER_CLAIM_NONE);
    assert_int_equal(peer_session_claim(s, PROOF_DIALS, &one, right, out), PEER_CLAIM_NONE);
    assert_int_equal(
        peer_session_claim(&other.ends[1].session, PROOF_ANSWERS, &one, right, out),
        PEER_CLAIM_NONE);
    assert_int_equal(
        peer_session_claim(s, PROOF_ANSWERS, &one, right, bytes_make("\0\1\0\0\1", 5)),
        PEER_CLAIM_NONE);
    finish(&w);
    finish(&other);
}

static void test_only_the_right_key(void **state)
{
    struct world w;
    begin(&w);
    struct public_key wrong = key_of(3);
    uint8_t exporter[32] = {0};
    unsigned path;
    assert_int_equal(peer_session_attach(&w.ends[0].session, PEER_PATH_DIRECT, PROOF_DIALS,
                                         &wrong, exporter, w.now, &path),
                     PEER_SESSION_WRONG_KEY);
    finish(&w);
}

/* What comes before the proof, and a proof of something else, ends the connection. */
static void test_nothing_before_the_proof(void **state)
{
    struct public_key other = key_of(2);
    uint8_t exporter[32] = {0};
    struct bytes wrong[] = {
        BYTES("\0\0\0\0\x06"),                    /* a ping */
        BYTES("\0\0\0\x09\x10\0\0\0\0\0\0\0\0x"), /* a message */
        BYTES("\0\0\0\x21\x01\x01"
              "12345678901234567890123456789012"), /* a proof of nothing */
        BYTES("\0\x10\0\0"),                       /* more than a proof is long */
        BYTES("\0\0\0\0\x01"),
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct world w;
        begin(&w);
        unsigned path;
        assert_int_equal(peer_session_attach(&w.ends[0].session, PEER_PATH_DIRECT, PROOF_DIALS,
                                             &other, exporter, w.now, &path),
                         0);
        feed(&w, &w.ends[0], path, wrong[i]);
        assert_int_equal(w.ends[0].heard, 0);
        assert_non_null(dropped(&w.ends[0]));
        assert_int_equal(dropped(&w.ends[0])->drop, PEER_DROP_UNPROVEN);
        finish(&w);
    }
}

/* Before the other's proof has come, one's own is all that is sent. */
static void test_nothing_but_the_proof_is_sent_first(void **state)
{
    struct world w;
    begin(&w);
    say(&w, 0, "secret");
    size_t c = join(&w, PEER_PATH_DIRECT);
    struct bytes out;
    assert_int_equal(peer_session_output(&w.ends[0].session, w.ends[0].paths[c], &out), 0);
    assert_int_equal(out.len, 5 + PROOF_BYTES);
    finish(&w);
}

static void test_a_path_is_lost_and_another_goes_on(void **state)
{
    struct world w;
    begin(&w);
    size_t first = join(&w, PEER_PATH_DIRECT);
    run(&w);
    w.cut[first] = true;
    say(&w, 0, "one");
    say(&w, 1, "two");
    run(&w);
    assert_int_equal(w.ends[0].heard + w.ends[1].heard, 0);
    detach(&w, 0, first);
    assert_true(has(&w.ends[0], PEER_EVENT_PATH_LOST));
    assert_int_equal(w.ends[0].session.state, PEER_SESSION_LOST);
    join(&w, PEER_PATH_RELAYED); /* the other side still believes in the first */
    run(&w);
    assert_string_equal(w.ends[1].last, "one");
    assert_string_equal(w.ends[0].last, "two");
    assert_int_equal(w.ends[0].heard + w.ends[1].heard, 2);
    finish(&w);
}

/* The side that does not choose has lost its path and says so on the next one. */
static void test_the_second_side_asks_for_a_path(void **state)
{
    struct world w;
    begin(&w);
    size_t first = join(&w, PEER_PATH_DIRECT);
    run(&w);
    detach(&w, 1, first);
    say(&w, 1, "x");
    join(&w, PEER_PATH_RELAYED); /* worse than what the first side believes to have */
    run(&w);
    assert_string_equal(w.ends[0].last, "x");
    finish(&w);
}

static void test_direct_takes_the_place_of_the_relay(void **state)
{
    struct world w;
    begin(&w);
    size_t relay = join(&w, PEER_PATH_RELAYED);
    run(&w);
    assert_int_equal(w.ends[0].session.used->kind, PEER_PATH_RELAYED);
    join(&w, PEER_PATH_DIRECT);
    say(&w, 0, "x");
    run(&w);
    for (int i = 0; i < 2; i++)
        assert_int_equal(w.ends[i].session.used->kind, PEER_PATH_DIRECT);
    assert_int_equal(w.ends[1].heard, 1);
    assert_null(dropped(&w.ends[0]));
    wait_ms(&w, LIMIT_PEER_SPARE_MS);
    assert_non_null(dropped(&w.ends[0]));
    assert_int_equal(dropped(&w.ends[0])->path, w.ends[0].paths[relay]);
    assert_int_equal(dropped(&w.ends[0])->drop, PEER_DROP_SURPLUS);
    assert_null(dropped(&w.ends[1]));
    finish(&w);
}

static void test_a_silent_path_is_dead(void **state)
{
    struct world w;
    begin(&w);
    size_t c = join(&w, PEER_PATH_DIRECT);
    run(&w);
    wait_ms(&w, 10 * LIMIT_PEER_SILENCE_MS); /* pings keep it alive */
    assert_null(dropped(&w.ends[0]));
    w.cut[c] = true;
    wait_ms(&w, LIMIT_PEER_SILENCE_MS - LIMIT_PEER_PING_MS - 1);
    assert_null(dropped(&w.ends[0]));
    wait_ms(&w, LIMIT_PEER_PING_MS + 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dropped(&w.ends[i])->drop, PEER_DROP_SILENT);
        assert_true(has(&w.ends[i], PEER_EVENT_PATH_LOST));
    }
    finish(&w);
}

/* While something said is not acknowledged, a path is dead sooner; pings keep it alive. */
static void test_a_path_is_dead_sooner_where_something_waits(void **state)
{
    struct world w;
    begin(&w);
    size_t c = join(&w, PEER_PATH_DIRECT);
    run(&w);
    say(&w, 0, "answered");
    run(&w);
    wait_ms(&w, LIMIT_PEER_PING_MS - 1); /* nothing waits: silence is old, and no trouble */
    w.cut[c] = true;
    say(&w, 0, "not answered");
    wait_ms(&w, LIMIT_PEER_WAITING_MS - 1);
    assert_null(dropped(&w.ends[0]));
    wait_ms(&w, 1);
    assert_int_equal(dropped(&w.ends[0])->drop, PEER_DROP_SILENT);
    assert_true(has(&w.ends[0], PEER_EVENT_PATH_LOST));
    assert_null(dropped(&w.ends[1])); /* nothing of his waits */
    finish(&w);
}

/* What is spare is no surplus any more once the path in use is lost: it may be needed. */
static void test_a_spare_path_is_kept_while_none_is_used(void **state)
{
    struct world w;
    begin(&w);
    size_t paths[3];
    for (size_t i = 0; i < 3; i++) {
        paths[i] = join(&w, PEER_PATH_DIRECT);
        run(&w);
    }
    w.cut[paths[2]] = true;
    wait_ms(&w, LIMIT_PEER_SPARE_MS - 500);
    detach(&w, 0, paths[0]); /* the newest is chosen, and does not answer */
    say(&w, 0, "x");
    wait_ms(&w, LIMIT_PEER_CHOICE_MS);
    assert_string_equal(w.ends[1].last, "x");
    assert_ptr_equal(w.ends[0].session.used,
                     &w.ends[0].session.paths[w.ends[0].paths[paths[1]]]);
    finish(&w);
}

/* The first side's choice is not answered: it goes on with what it has besides. */
static void test_a_choice_without_an_answer(void **state)
{
    struct world w;
    begin(&w);
    size_t used = join(&w, PEER_PATH_DIRECT);
    run(&w);
    size_t spare = join(&w, PEER_PATH_DIRECT);
    run(&w);
    w.cut[spare] = true;
    detach(&w, 0, used);
    assert_int_equal(w.ends[0].session.state, PEER_SESSION_LOST);
    size_t relay = join(&w, PEER_PATH_RELAYED);
    say(&w, 0, "x");
    run(&w);
    wait_ms(&w, LIMIT_PEER_CHOICE_MS - 1);
    assert_int_equal(w.ends[1].heard, 0);
    wait_ms(&w, 1);
    assert_int_equal(dropped(&w.ends[0])->drop, PEER_DROP_SLOW);
    assert_int_equal(dropped(&w.ends[0])->path, w.ends[0].paths[spare]);
    assert_string_equal(w.ends[1].last, "x");
    assert_ptr_equal(w.ends[0].session.used, &w.ends[0].session.paths[w.ends[0].paths[relay]]);
    finish(&w);
}

static void test_the_window_is_bounded_and_opens_again(void **state)
{
    struct world w;
    begin(&w);
    size_t said = 0;
    int r;
    while ((r = peer_session_say(&w.ends[0].session, PEER_BULK, BYTES("x"))) == 0)
        said++;
    assert_int_equal(r, PEER_SESSION_FULL);
    assert_int_equal(said, LIMIT_PEER_UNACKED_MESSAGES);
    say(&w, 0, "talk has a window of its own");
    join(&w, PEER_PATH_DIRECT);
    run(&w);
    assert_true(has(&w.ends[0], PEER_EVENT_ROOM));
    assert_int_equal(w.ends[1].heard, said + 1);
    uint8_t *much = calloc(1, LIMIT_PEER_MESSAGE_BYTES + 1);
    assert_non_null(much);
    assert_int_equal(peer_session_say(&w.ends[0].session, PEER_BULK,
                                      bytes_make(much, LIMIT_PEER_MESSAGE_BYTES + 1)),
                     PEER_SESSION_TOO_LONG);
    said = 0;
    while (peer_session_say(&w.ends[0].session, PEER_BULK,
                            bytes_make(much, LIMIT_PEER_MESSAGE_BYTES)) == 0)
        said++;
    assert_int_equal(said, LIMIT_PEER_UNACKED_BYTES / LIMIT_PEER_MESSAGE_BYTES);
    free(much);
    finish(&w);
}

static void test_talk_overtakes_bulk(void **state)
{
    struct world w;
    begin(&w);
    size_t c = join(&w, PEER_PATH_DIRECT);
    run(&w);
    uint8_t *much = calloc(1, LIMIT_PEER_MESSAGE_BYTES);
    assert_non_null(much);
    for (int i = 0; i < 32; i++)
        assert_int_equal(peer_session_say(&w.ends[0].session, PEER_BULK,
                                          bytes_make(much, LIMIT_PEER_MESSAGE_BYTES)),
                         0);
    struct bytes out;
    unsigned path = w.ends[0].paths[c];
    assert_int_equal(peer_session_output(&w.ends[0].session, path, &out), 0);
    assert_true(out.len <= LIMIT_PEER_BULK_AHEAD_BYTES + LIMIT_PEER_MESSAGE_BYTES + 64);
    say(&w, 0, "hello");
    size_t before = out.len;
    assert_int_equal(peer_session_output(&w.ends[0].session, path, &out), 0);
    assert_bytes(bytes_from(out, before), BYTES("\0\0\0\x0d\x10\0\0\0\0\0\0\0\0hello"));
    free(much);
    finish(&w);
}

static void test_an_end_delivers_what_was_said(void **state)
{
    struct world w;
    begin(&w);
    join(&w, PEER_PATH_DIRECT);
    run(&w);
    static const uint8_t much[LIMIT_PEER_MESSAGE_BYTES];
    for (int i = 0; i < 20; i++) /* more than is written at once */
        assert_int_equal(
            peer_session_say(&w.ends[0].session, PEER_BULK, bytes_make(much, sizeof much)), 0);
    say(&w, 0, "last words");
    peer_session_close(&w.ends[0].session, w.now);
    assert_int_equal(peer_session_say(&w.ends[0].session, PEER_TALK, BYTES("x")),
                     PEER_SESSION_OVER);
    run(&w);
    assert_int_equal(w.ends[1].heard, 21);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w.ends[i].session.state, PEER_SESSION_CLOSED);
        assert_int_equal(w.ends[i].session.close, i ? PEER_CLOSE_BY_OTHER : PEER_CLOSE_AGREED);
        assert_true(has(&w.ends[i], PEER_EVENT_CLOSED));
        assert_int_equal(dropped(&w.ends[i])->drop, PEER_DROP_OVER);
    }
    finish(&w);
}

static void test_an_end_nobody_answers(void **state)
{
    struct world w;
    begin(&w);
    peer_session_close(&w.ends[0].session, w.now);
    wait_ms(&w, LIMIT_PEER_CLOSE_MS - 1);
    assert_int_equal(w.ends[0].session.state, PEER_SESSION_CLOSING);
    wait_ms(&w, 1);
    assert_int_equal(w.ends[0].session.close, PEER_CLOSE_UNANSWERED);
    finish(&w);
}

/* Frames that no honest side sends, once proven, to the side that chooses. */
static void test_frames_against_the_protocol(void **state)
{
    struct bytes wrong[] = {
        BYTES("\0\0\0\x09\x10\0\0\0\0\0\0\0\1x"),                /* a gap */
        BYTES("\0\0\0\x07\x10\0\0\0\0\0\0\0"),                   /* no number */
        BYTES("\0\0\0\x10\x05\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0"), /* never said */
        BYTES("\0\0\0\x0f\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        BYTES("\0\0\0\x18\x02\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        BYTES("\0\0\0\x18\x03\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        BYTES("\0\0\0\x01\x04x"),
        BYTES("\0\0\0\x01\x08x"),
        BYTES("\0\0\0\0\x01"),
        BYTES("\0\x10\0\x01"),
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct world w;
        begin(&w);
        size_t c = join(&w, PEER_PATH_DIRECT);
        run(&w);
        feed(&w, &w.ends[0], w.ends[0].paths[c], wrong[i]);
        assert_int_equal(w.ends[0].heard, 0);
        assert_non_null(dropped(&w.ends[0]));
        assert_int_equal(dropped(&w.ends[0])->drop, PEER_DROP_BROKEN);
        finish(&w);
    }
}

static void test_what_a_later_version_says_is_passed_over(void **state)
{
    struct world w;
    begin(&w);
    size_t c = join(&w, PEER_PATH_DIRECT);
    run(&w);
    feed(&w, &w.ends[0], w.ends[0].paths[c], BYTES("\0\0\0\3\xf0xyz"));
    assert_null(dropped(&w.ends[0]));
    finish(&w);
}

static void test_a_key_is_renewed(void **state)
{
    struct world w;
    begin(&w);
    size_t c = join(&w, PEER_PATH_DIRECT);
    run(&w);
    w.ends[0].session.paths[w.ends[0].paths[c]].moved = LIMIT_PEER_RENEW_BYTES - 1;
    say(&w, 0, "x");
    run(&w);
    assert_true(has(&w.ends[0], PEER_EVENT_RENEW));
    wait_ms(&w, LIMIT_PEER_SETTLED_MS);
    size_t next = join(&w, PEER_PATH_DIRECT);
    run(&w);
    for (int i = 0; i < 2; i++)
        assert_ptr_equal(w.ends[i].session.used,
                         &w.ends[i].session.paths[w.ends[i].paths[next]]);
    finish(&w);
}

static void test_connections_are_limited(void **state)
{
    struct world w;
    begin(&w);
    struct public_key other = key_of(2);
    uint8_t exporter[32] = {0};
    unsigned path;
    for (size_t i = 0; i <= LIMIT_PEER_PATHS; i++)
        assert_int_equal(peer_session_attach(&w.ends[0].session, PEER_PATH_DIRECT, PROOF_DIALS,
                                             &other, exporter, w.now, &path),
                         i < LIMIT_PEER_PATHS ? 0 : PEER_SESSION_FULL);
    wait_ms(&w, LIMIT_PEER_PROOF_MS);
    assert_int_equal(dropped(&w.ends[0])->drop, PEER_DROP_SLOW);
    finish(&w);
}

/* One that was overtaken by a later one on another path. */
static void test_an_older_nomination_is_passed_over(void **state)
{
    struct world w;
    begin(&w);
    size_t relay = join(&w, PEER_PATH_RELAYED);
    run(&w);
    join(&w, PEER_PATH_DIRECT);
    run(&w);
    feed(&w, &w.ends[1], w.ends[1].paths[relay],
         BYTES("\0\0\0\x18\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    assert_int_equal(w.ends[1].session.used->kind, PEER_PATH_DIRECT);
    assert_null(dropped(&w.ends[1]));
    finish(&w);
}

/* Who asks and asks and does not read the answers fills no memory. */
static void test_a_flood_of_pings(void **state)
{
    struct world w;
    begin(&w);
    size_t c = join(&w, PEER_PATH_DIRECT);
    run(&w);
    struct bytes out;
    for (int i = 0; i < 200 * 1000; i++) {
        feed(&w, &w.ends[0], w.ends[0].paths[c], BYTES("\0\0\0\0\x06"));
        assert_int_equal(peer_session_output(&w.ends[0].session, w.ends[0].paths[c], &out), 0);
    }
    assert_true(out.len <= LIMIT_PEER_TALK_AHEAD_BYTES + 64);
    finish(&w);
}

/* A nomination that was not written yet is forgotten where another path is chosen. */
static void test_a_choice_is_said_on_one_path(void **state)
{
    struct world w;
    begin(&w);
    size_t relay = join(&w, PEER_PATH_RELAYED);
    struct bytes out, proof;
    join(&w, PEER_PATH_DIRECT);
    for (size_t c = 0; c < w.connections; c++) {
        assert_int_equal(peer_session_output(&w.ends[0].session, w.ends[0].paths[c], &proof),
                         0);
        peer_session_sent(&w.ends[0].session, w.ends[0].paths[c], proof.len);
        assert_int_equal(peer_session_output(&w.ends[1].session, w.ends[1].paths[c], &proof),
                         0);
        feed(&w, &w.ends[0], w.ends[0].paths[c], proof);
    }
    assert_int_equal(peer_session_output(&w.ends[0].session, w.ends[0].paths[relay], &out), 0);
    assert_int_equal(out.len, 0);
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talk_both_ways),
        cmocka_unit_test(test_a_path_tells_whose_it_is),
        cmocka_unit_test(test_only_the_right_key),
        cmocka_unit_test(test_nothing_before_the_proof),
        cmocka_unit_test(test_nothing_but_the_proof_is_sent_first),
        cmocka_unit_test(test_a_path_is_lost_and_another_goes_on),
        cmocka_unit_test(test_the_second_side_asks_for_a_path),
        cmocka_unit_test(test_direct_takes_the_place_of_the_relay),
        cmocka_unit_test(test_a_silent_path_is_dead),
        cmocka_unit_test(test_a_path_is_dead_sooner_where_something_waits),
        cmocka_unit_test(test_a_spare_path_is_kept_while_none_is_used),
        cmocka_unit_test(test_a_choice_without_an_answer),
        cmocka_unit_test(test_the_window_is_bounded_and_opens_again),
        cmocka_unit_test(test_talk_overtakes_bulk),
        cmocka_unit_test(test_an_end_delivers_what_was_said),
        cmocka_unit_test(test_an_end_nobody_answers),
        cmocka_unit_test(test_frames_against_the_protocol),
        cmocka_unit_test(test_what_a_later_version_says_is_passed_over),
        cmocka_unit_test(test_a_key_is_renewed),
        cmocka_unit_test(test_connections_are_limited),
        cmocka_unit_test(test_an_older_nomination_is_passed_over),
        cmocka_unit_test(test_a_flood_of_pings),
        cmocka_unit_test(test_a_choice_is_said_on_one_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
