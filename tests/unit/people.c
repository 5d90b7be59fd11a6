#include "hub/hub.h"

#include "base/limits.h"
#include "hub/accounts.h"
#include "hub/member.h"
#include "support/scene.h"

#include "unit.h"

#include <stdio.h>

/* Who is present, who meets whom, what is relayed, and letters. */

/* Connects; the door is open and nothing is left to read. */
static void come(struct scene *s, size_t who, size_t hub, bool text)
{
    scene_accept(s, who, hub, ACCESS_REMOTE);
    scene_say(s, who, text ? "hi\n" : "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n");
    buffer_truncate(&s->people[who].got, 0);
}

/* Its key is who + 1, again and again. */
static void be(struct scene *s, size_t who, const char *name, bool has_device)
{
    struct member m = {.has_device = has_device};
    snprintf(m.name, sizeof m.name, "%s", name);
    account_name_fold(bytes_from_str(name), m.key);
    memset(m.device.bytes, (int)who + 1, sizeof m.device.bytes);
    assert_int_equal(member_set(s->people[who].c, &m), 0);
    member_appear(s->people[who].c);
    scene_wait_ms(s, LIMIT_NEWS_MS);
}

static void leave(struct scene *s, size_t who)
{
    connection_feed_end(s->people[who].c);
    scene_wait_ms(s, LIMIT_NEWS_MS);
    assert_null(s->people[who].c);
}

/* The 22 characters at that place of what who was sent. */
static void read_id(struct scene *s, size_t who, const char *before, char id[23])
{
    char *got = calloc(1, buffer_len(&s->people[who].got) + 1);
    memcpy(got, buffer_view(&s->people[who].got).data, buffer_len(&s->people[who].got));
    const char *at = strstr(got, before);
    assert_non_null(at);
    memcpy(id, at + strlen(before), 22);
    id[22] = '\0';
    free(got);
}

static void say_id(struct scene *s, size_t who, const char *before, const char *id,
                   const char *after)
{
    char words[256];
    snprintf(words, sizeof words, "%s%s%s\n", before, id, after);
    scene_say(s, who, words);
}

#define KEY_1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
#define KEY_2 "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"

enum { ALICE, BOB, BOB_TOO, CAROL };

/* alice and bob's second device are on the one hub, bob and carol on the other; all in text but
 * carol. */
static struct scene *open_party(void)
{
    struct scene *s = scene_open();
    come(s, ALICE, 0, true);
    come(s, BOB, 1, true);
    come(s, BOB_TOO, 0, true);
    come(s, CAROL, 1, false);
    be(s, ALICE, "alice", true);
    be(s, BOB, "Bob", true);
    be(s, BOB_TOO, "Bob", true);
    be(s, CAROL, "carol", false);
    scene_forget_all(s);
    return s;
}

/* Alice wants to talk with Bob; nobody has heard anything yet, for what follows. */
static void invite(struct scene *s, char id[23])
{
    scene_say(s, ALICE, "MEET Bob\n");
    read_id(s, ALICE, "", id);
    scene_forget_all(s);
}

static void expect_declined(struct scene *s, size_t who, const char *id, const char *how)
{
    char want[256];
    snprintf(want, sizeof want, "declined %s %s\n", id, how);
    scene_expect(s, who, want);
}

static void test_comings_and_goings_are_told_once(void **state)
{
    struct scene *s = scene_open();
    for (size_t i = 0; i < 4; i++)
        come(s, i, i % 2, i != CAROL);
    be(s, ALICE, "alice", true);
    scene_expect(s, ALICE, "");
    be(s, BOB, "Bob", true);
    scene_expect(s, ALICE, "online Bob\n");
    be(s, BOB_TOO, "Bob", true);
    scene_expect(s, ALICE, "");
    scene_expect(s, BOB, "");
    be(s, CAROL, "carol", true);
    scene_expect(s, ALICE, "online carol\n");
    leave(s, BOB);
    scene_expect(s, ALICE, "");
    scene_expect(s, CAROL, "");
    leave(s, BOB_TOO);
    scene_expect(s, ALICE, "offline Bob\n");
    scene_expect(s, CAROL, ">2\r\n$7\r\noffline\r\n$3\r\nBob\r\n");
    scene_close(s);
}

static void test_a_crowd_is_told_together(void **state)
{
    struct scene *s = open_party();
    come(s, 4, 0, true);
    come(s, 5, 1, true);
    scene_wait_ms(s, LIMIT_NEWS_MS);
    struct member m = {.name = "dave", .key = "dave"};
    assert_int_equal(member_set(s->people[4].c, &m), 0);
    member_appear(s->people[4].c);
    scene_settle(s);
    scene_expect(s, ALICE, "online dave\n"); /* at once */
    m = (struct member){.name = "erin", .key = "erin"};
    assert_int_equal(member_set(s->people[5].c, &m), 0);
    member_appear(s->people[5].c);
    connection_feed_end(s->people[4].c);
    scene_settle(s);
    scene_expect(s, ALICE, "");
    scene_expect(s, BOB, "online dave\n");
    scene_wait_ms(s, LIMIT_NEWS_MS - 1);
    scene_expect(s, ALICE, "");
    scene_wait_ms(s, 1);
    scene_expect(s, ALICE, "online erin\noffline dave\n");
    scene_expect(s, BOB, "online erin\noffline dave\n");
    scene_close(s);
}

/* Who is the last that is told in the first turn, and who come after it. */
enum { LAST = LIMIT_NEWS_AT_ONCE - 1, NEXT, AFTER_NEXT, NEWCOMER };

static void appear(struct scene *s, size_t who, const char *name)
{
    struct member m = {.has_device = false};
    snprintf(m.name, sizeof m.name, "%s", name);
    account_name_fold(bytes_from_str(name), m.key);
    assert_int_equal(member_set(s->people[who].c, &m), 0);
    member_appear(s->people[who].c);
    scene_settle(s);
}

static struct scene *open_hall(void)
{
    struct scene *s = scene_open();
    for (size_t i = 0; i <= NEWCOMER; i++)
        come(s, i, 0, true);
    for (size_t i = 0; i < NEWCOMER; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%zu", i);
        be(s, i, name, false);
    }
    for (size_t rounds = 0; rounds < 2; rounds++) {
        scene_wait_ms(s, LIMIT_NEWS_MS);
        scene_wait_ms(s, LIMIT_NEWS_TURN_MS);
    }
    scene_wait_ms(s, LIMIT_NEWS_MS);
    scene_forget_all(s);
    return s;
}

static void test_many_are_told_in_turns(void **state)
{
    struct scene *s = open_hall();
    appear(s, NEWCOMER, "new");
    scene_expect(s, ALICE, "online new\n");
    scene_expect(s, LAST, "online new\n");
    scene_wait_ms(s, LIMIT_NEWS_TURN_MS - 1);
    scene_expect(s, NEXT, "");
    scene_wait_ms(s, 1);
    scene_expect(s, NEXT, "online new\n");
    scene_expect(s, AFTER_NEXT, "online new\n");
    scene_wait_ms(s, LIMIT_NEWS_MS);
    scene_expect(s, ALICE, "");
    scene_close(s);
}

static void test_whose_turn_is_next_may_leave(void **state)
{
    struct scene *s = open_hall();
    appear(s, NEWCOMER, "new");
    connection_feed_end(s->people[NEXT].c);
    scene_settle(s);
    assert_null(s->people[NEXT].c);
    scene_wait_ms(s, LIMIT_NEWS_TURN_MS);
    scene_expect(s, AFTER_NEXT, "online new\n");
    scene_wait_ms(s, LIMIT_NEWS_MS);
    scene_wait_ms(s, LIMIT_NEWS_TURN_MS);
    char gone[32];
    snprintf(gone, sizeof gone, "offline p%d\n", (int)NEXT);
    scene_expect(s, AFTER_NEXT, gone);
    scene_close(s);
}

/* His going is told later than he comes again. */
static void test_who_comes_back_is_not_told_that_he_has_left(void **state)
{
    struct scene *s = open_party();
    come(s, 4, 1, true);
    scene_wait_ms(s, LIMIT_NEWS_MS);
    appear(s, 4, "dave"); /* at once; what follows waits */
    connection_feed_end(s->people[ALICE].c);
    scene_settle(s);
    come(s, ALICE, 1, true);
    appear(s, ALICE, "Alice");
    scene_wait_ms(s, LIMIT_NEWS_MS);
    scene_expect(s, ALICE, "");
    scene_expect(s, BOB, "online dave\noffline alice\nonline Alice\n");
    scene_close(s);
}

/* Bob goes, and his worker is to tell it later; he comes again at another one; only then
 * somebody is there to be told. */
static void test_who_comes_is_told_nothing_old(void **state)
{
    enum { DAVE = 4 };
    struct scene *s = scene_open();
    come(s, ALICE, 0, true);
    come(s, BOB, 1, true);
    come(s, CAROL, 0, true);
    be(s, ALICE, "alice", true);
    be(s, BOB, "Bob", true);
    appear(s, CAROL, "carol"); /* told at once; what follows waits */
    scene_expect(s, BOB, "online carol\n");
    connection_feed_end(s->people[BOB].c);
    scene_settle(s);
    come(s, BOB, 0, true);
    appear(s, BOB, "Bob");
    come(s, DAVE, 1, true);
    appear(s, DAVE, "dave");
    scene_wait_ms(s, LIMIT_NEWS_MS);
    scene_expect(s, DAVE, "");
    scene_expect(s, BOB, "online dave\n");
    scene_close(s);
}

static void test_who_is_here(void **state)
{
    struct scene *s = open_party();
    scene_say(s, ALICE, "GET_CLIENT_LIST\nGET_CLIENT_LIST<>\nWHO\n");
    scene_expect(s, ALICE,
                 "CLIENT_LIST<alice, Bob, carol>\nCLIENT_LIST<alice, Bob, carol>\n"
                 "alice 1700000000 1\nBob 1700000000 2\ncarol 1700000000 1\n");
    scene_say(s, CAROL, "GET_CLIENT_LIST\r\nWHO\r\n");
    scene_expect(
        s, CAROL,
        "+CLIENT_LIST<alice, Bob, carol>\r\n*3\r\n*3\r\n$5\r\nalice\r\n:1700000000\r\n:1\r\n"
        "*3\r\n$3\r\nBob\r\n:1700000000\r\n:2\r\n*3\r\n$5\r\ncarol\r\n:1700000000\r\n:1\r\n");
    come(s, 4, 0, true); /* a guest from elsewhere */
    scene_say(s, 4, "GET_CLIENT_LIST\nWHO\nMEET alice\n");
    scene_expect(s, 4,
                 "ERROR: from another machine the table needs a login over TLS, or a hub "
                 "started with --open\nWHO\n"
                 "MEET alice\n");
    come(s, 5, 0, false);
    scene_say(s, 5, "WHO\r\nMEET alice\r\nACCEPT x\r\nDECLINE x\r\nCANCEL x\r\n");
    scene_expect(s, 5,
                 "-NOPERM from another machine the table needs a login over TLS, or a hub "
                 "started with --open\r\n"
                 "-NOLOGIN log in first\r\n-NOLOGIN log in first\r\n-NOLOGIN log in first\r\n"
                 "-NOLOGIN log in first\r\n");
    scene_close(s);
}

static void test_an_introduction(void **state)
{
    struct scene *s = open_party();
    char id[23], want[512];
    struct fingerprint f = fingerprint_of(&connection_member(s->people[ALICE].c)->device);
    char of_alice[FINGERPRINT_TEXT_LEN + 1], of_bob[FINGERPRINT_TEXT_LEN + 1];
    fingerprint_write(of_alice, &f);
    f = fingerprint_of(&connection_member(s->people[BOB].c)->device);
    fingerprint_write(of_bob, &f);
    scene_say(s, ALICE, "GET_CLIENT_INFO<BOB 10.0.0.1:5000 [::1]:5001>\n");
    read_id(s, ALICE, "", id);
    scene_forget_all(s);
    scene_say(s, ALICE, "MEET bob\n");
    scene_expect(s, ALICE, "ERROR: waiting for an answer already from 'bob'\n");
    scene_expect(s, BOB, "");
    say_id(s, CAROL, "ACCEPT ", id, "");
    scene_expect(
        s, CAROL,
        "-NODEVICE this needs a device of yours: connect by TLS with its certificate\r\n");
    say_id(s, BOB, "ACCEPT ", id, " 10.0.0.2:6000");
    snprintf(want, sizeof want, "introduced %s Bob %s %s dials 10.0.0.1 10.0.0.2:6000\n", id,
             of_bob, KEY_2);
    scene_expect(s, ALICE, want);
    snprintf(want, sizeof want,
             "OK\nintroduced %s alice %s %s answers 10.0.0.0 10.0.0.1:5000 [::1]:5001\n", id,
             of_alice, KEY_1);
    scene_expect(s, BOB, want);
    expect_declined(s, BOB_TOO, id, "alice answered");
    scene_expect(s, CAROL, "");
    say_id(s, BOB_TOO, "ACCEPT ", id, "");
    snprintf(want, sizeof want, "ERROR: nothing waits for an answer under '%s'\n", id);
    scene_expect(s, BOB_TOO, want);
    scene_close(s);
}

static void test_an_invitation_reaches_every_device(void **state)
{
    struct scene *s = open_party();
    char id[23], other[23];
    scene_say(s, ALICE, "MEET bob\n");
    read_id(s, ALICE, "", id);
    read_id(s, BOB, "invited ", other);
    assert_string_equal(id, other);
    read_id(s, BOB_TOO, "invited ", other);
    assert_string_equal(id, other);
    scene_expect(s, CAROL, "");
    scene_close(s);
}

/* A program of his that has no time does not speak for him. */
static void test_busy_is_one_connection_alone(void **state)
{
    struct scene *s = open_party();
    char id[23];
    invite(s, id);
    say_id(s, BOB_TOO, "DECLINE<", id, " BUSY>");
    scene_expect(s, BOB_TOO, "OK\n");
    scene_expect(s, ALICE, "");
    scene_expect(s, BOB, "");
    say_id(s, BOB, "DECLINE ", id, " BUSY");
    scene_expect(s, BOB, "OK\n");
    expect_declined(s, ALICE, id, "Bob busy");
    expect_declined(s, BOB_TOO, id, "alice answered");
    scene_say(s, ALICE, "MEET Bob\n");
    read_id(s, ALICE, "", id);
    say_id(s, BOB_TOO, "DECLINE ", id, " BUSY");
    scene_forget_all(s);
    say_id(s, BOB, "ACCEPT ", id, "");
    assert_true(bytes_starts_with(buffer_view(&s->people[ALICE].got), "introduced "));
    scene_close(s);
}

static void test_how_an_invitation_ends(void **state)
{
    struct scene *s = open_party();
    char id[23];
    invite(s, id);
    say_id(s, BOB, "DECLINE ", id, "");
    scene_expect(s, BOB, "OK\n");
    expect_declined(s, ALICE, id, "Bob declined");
    expect_declined(s, BOB_TOO, id, "alice answered");
    invite(s, id);
    scene_wait_ms(s, LIMIT_INVITED_MS);
    expect_declined(s, ALICE, id, "Bob timeout");
    expect_declined(s, BOB, id, "alice timeout");
    expect_declined(s, BOB_TOO, id, "alice timeout");
    invite(s, id);
    say_id(s, ALICE, "CANCEL ", id, "");
    scene_expect(s, ALICE, "OK\n");
    expect_declined(s, BOB, id, "alice gone");
    come(s, 4, 1, true);
    be(s, 4, "alice", true);
    invite(s, id);
    say_id(s, 4, "CANCEL ", id, "");
    scene_expect(s, 4, "OK\n");
    expect_declined(s, ALICE, id, "Bob answered"); /* else it would wait for ever */
    scene_close(s);
}

static void test_an_invitation_ends_with_either(void **state)
{
    struct scene *s = open_party();
    char id[23], want[256];
    scene_say(s, ALICE, "MEET Bob\n");
    read_id(s, ALICE, "", id);
    leave(s, BOB);
    scene_forget_all(s);
    leave(s, BOB_TOO);
    snprintf(want, sizeof want, "offline Bob\ndeclined %s Bob gone\n", id);
    scene_expect(s, ALICE, want);
    come(s, BOB, 1, true);
    be(s, BOB, "Bob", true);
    scene_say(s, ALICE, "MEET Bob\n");
    scene_forget_all(s);
    scene_say(s, BOB, "MEET alice\n");
    read_id(s, BOB, "", id);
    scene_forget_all(s);
    leave(s, ALICE);
    assert_int_equal(s->shared.introductions.open.count, 0);
    scene_close(s);
}

static void test_what_is_refused(void **state)
{
    struct scene *s = open_party();
    const char *const rows[][2] = {
        {"MEET alice\n", "ERROR: that is you\n"},
        {"MEET dave\n", "ERROR: there is no 'dave' here at present\n"},
        {"MEET b/b\n", "ERROR: not a name of an account: 'b/b'\n"},
        {"MEET bob 10.0.0.1:80\n",
         "ERROR: an address is ADDR:PORT or [V6]:PORT, its port 1024 or more: '10.0.0.1:80'\n"},
        {"MEET bob 1.1.1.1:2000 2.2.2.2:2000 3.3.3.3:2000 4.4.4.4:2000 5.5.5.5:2000 "
         "6.6.6.6:2000 7.7.7.7:2000 8.8.8.8:2000 9.9.9.9:2000 10.1.1.1:2000 11.1.1.1:2000 "
         "12.1.1.1:2000 13.1.1.1:2000 14.1.1.1:2000 15.1.1.1:2000 16.1.1.1:2000\n",
         NULL},
        {"ACCEPT x\n", "ERROR: no id of an invitation: 'x'\n"},
        {"DECLINE x\n", "ERROR: no id of an invitation: 'x'\n"},
        {"DECLINE x LAZY\n", "ERROR: syntax error\n"},
        {"CANCEL x\n", "ERROR: no id of an invitation: 'x'\n"},
        {"MEET\n", "ERROR: wrong number of arguments for 'meet' command\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        scene_say(s, ALICE, rows[i][0]);
        if (rows[i][1])
            scene_expect(s, ALICE, rows[i][1]);
        scene_forget_all(s);
    }
    scene_say(s, CAROL, "MEET bob a b c d e f g h i j k l m n o p q\r\n");
    scene_expect(
        s, CAROL,
        "-NODEVICE this needs a device of yours: connect by TLS with its certificate\r\n");
    scene_close(s);
}

static void test_leaving_politely(void **state)
{
    struct scene *s = open_party();
    scene_say(s, ALICE, "DISCONNECT_CLIENT\nhello\n");
    scene_expect(s, ALICE, "OK\n");
    assert_null(s->people[ALICE].c);
    scene_wait_ms(s, LIMIT_NEWS_MS);
    scene_expect(s, BOB, "offline alice\n");
    scene_say(s, CAROL, "DISCONNECT_CLIENT\r\n");
    scene_expect(s, CAROL, ">2\r\n$7\r\noffline\r\n$5\r\nalice\r\n+OK\r\n");
    assert_null(s->people[CAROL].c);
    scene_close(s);
}

/* ---- the relay ---- */

enum { ALICE_RELAY = 4, BOB_RELAY = 5 };

/* Its key is that of `like`, and it is not present. */
static void be_like(struct scene *s, size_t who, size_t like)
{
    struct member m = *connection_member(s->people[like].c);
    m.present = false;
    assert_int_equal(member_set(s->people[who].c, &m), 0);
}

/* alice and bob have been introduced, and each has another connection. */
static struct scene *open_relay_scene(char id[23])
{
    struct scene *s = open_party();
    scene_say(s, ALICE, "MEET bob\n");
    read_id(s, ALICE, "", id);
    say_id(s, BOB, "ACCEPT ", id, "");
    come(s, ALICE_RELAY, 0, false);
    come(s, BOB_RELAY, 1, false);
    be_like(s, ALICE_RELAY, ALICE);
    be_like(s, BOB_RELAY, BOB);
    scene_forget_all(s);
    return s;
}

static void join(struct scene *s, const char *id)
{
    say_id(s, ALICE_RELAY, "RELAY ", id, "");
    scene_expect(s, ALICE_RELAY, "");
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    scene_expect(s, ALICE_RELAY, "+RELAY\r\n");
    scene_expect(s, BOB_RELAY, "+RELAY\r\n");
}

static void test_a_relay_is_a_pipe(void **state)
{
    char id[23];
    struct scene *s = open_relay_scene(id);
    join(s, id);
    scene_say(s, ALICE_RELAY, "PING\r\n");
    scene_expect(s, BOB_RELAY, "PING\r\n");
    scene_say(s, BOB_RELAY, "*1\r\n");
    scene_expect(s, ALICE_RELAY, "*1\r\n");
    scene_say(s, BOB_RELAY, "last");
    leave(s, BOB_RELAY);
    scene_expect(s, ALICE_RELAY, "last");
    assert_null(s->people[ALICE_RELAY].c); /* it ends with the other */
    assert_int_equal(s->shared.relays.count, 0);
    scene_close(s);
}

/* Who waits at the relay is not left waiting until the other finds out by himself. */
static void test_who_is_waited_for_is_told(void **state)
{
    char id[23], want[64];
    struct scene *s = open_relay_scene(id);
    snprintf(want, sizeof want, "relay %s\n", id);
    say_id(s, ALICE_RELAY, "RELAY ", id, "");
    scene_expect(s, BOB, want);
    scene_expect(s, ALICE, "");
    scene_expect(s, CAROL, "");
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    scene_expect(s, ALICE, ""); /* nobody waits any more */
    scene_expect(s, BOB, "");
    leave(s, BOB_RELAY);
    scene_forget_all(s);
    come(s, BOB_RELAY, 0, false);
    be_like(s, BOB_RELAY, BOB);
    scene_forget_all(s);
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    scene_expect(s, ALICE, want);
    scene_expect(s, BOB, "");
    scene_close(s);
}

static void test_what_is_said_early_is_kept(void **state)
{
    char id[23];
    struct scene *s = open_relay_scene(id);
    say_id(s, ALICE_RELAY, "RELAY ", id, "\nearly");
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    scene_expect(s, BOB_RELAY, "+RELAY\r\nearly\n");
    scene_close(s);
}

static void test_who_does_not_listen_stops_the_other(void **state)
{
    enum { PIECE = 16 * 1024, PIECES = 64 };
    char id[23];
    struct scene *s = open_relay_scene(id);
    join(s, id);
    s->people[BOB_RELAY].deaf = true;
    uint8_t *piece = malloc(PIECE);
    size_t said = 0;
    for (; said < PIECES && connection_wants_input(s->people[ALICE_RELAY].c); said++) {
        memset(piece, (int)said, PIECE);
        connection_feed(s->people[ALICE_RELAY].c, bytes_make(piece, PIECE));
        scene_settle(s);
    }
    size_t most = LIMIT_RELAY_PIPE_BYTES + 64 * 1024 + 2 * PIECE;
    assert_true(said * PIECE >= LIMIT_RELAY_PIPE_BYTES && said * PIECE <= most);
    assert_true(connection_unread(s->people[BOB_RELAY].c) <= 64 * 1024 + PIECE);
    scene_say(s, BOB_RELAY, "still");
    scene_expect(s, ALICE_RELAY, "still"); /* the other way is free */
    s->people[BOB_RELAY].deaf = false;
    hub_set_ready(s->people[BOB_RELAY].c);
    scene_settle(s);
    assert_true(connection_wants_input(s->people[ALICE_RELAY].c));
    struct bytes got = buffer_view(&s->people[BOB_RELAY].got);
    assert_int_equal(got.len, said * PIECE);
    for (size_t i = 0; i < got.len; i++)
        assert_int_equal(got.data[i], i / PIECE);
    free(piece);
    scene_close(s);
}

static void test_a_relay_is_for_the_two_alone(void **state)
{
    char id[23], want[256];
    struct scene *s = open_relay_scene(id);
    be_like(s, ALICE_RELAY, BOB_TOO); /* the same account by another device */
    say_id(s, ALICE_RELAY, "RELAY ", id, "");
    snprintf(want, sizeof want, "-ERR you were not introduced under '%s'\r\n", id);
    scene_expect(s, ALICE_RELAY, want);
    scene_say(s, BOB_RELAY, "RELAY x\r\nRELAY AAAAAAAAAAAAAAAAAAAAAA\r\n");
    scene_expect(s, BOB_RELAY,
                 "-ERR you were not introduced under 'x'\r\n"
                 "-ERR you were not introduced under 'AAAAAAAAAAAAAAAAAAAAAA'\r\n");
    s->people[BOB_RELAY].c->peer.origin = ACCESS_LOOPBACK;
    scene_say(s, BOB_RELAY, "SUBSCRIBE x\r\n");
    scene_forget_all(s);
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    scene_expect(s, BOB_RELAY, "-ERR a relay needs a connection of its own\r\n");
    say_id(s, CAROL, "RELAY ", id, "");
    scene_expect(
        s, CAROL,
        "-NODEVICE the relay is for devices: connect by TLS with a member's certificate, "
        "and speak RESP\r\n");
    s->shared.config.relay = HUB_RELAY_OFF;
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    scene_expect(s, BOB_RELAY, "-NOPERM this hub does not relay\r\n");
    scene_close(s);
}

static void test_how_long_a_relay_may_be_come_to(void **state)
{
    char id[23], want[256];
    struct scene *s = open_relay_scene(id);
    say_id(s, ALICE_RELAY, "RELAY ", id, "");
    scene_wait_ms(s, LIMIT_RELAY_WAIT_MS - 1);
    scene_expect(s, ALICE_RELAY, "");
    scene_wait_ms(s, 1);
    scene_expect(s, ALICE_RELAY, "-GONE the other side did not come\r\n");
    assert_null(s->people[ALICE_RELAY].c);
    scene_wait_ms(s, LIMIT_RELAY_FRESH_MS);
    come(s, ALICE_RELAY, 1, false);
    be_like(s, ALICE_RELAY, ALICE);
    join(s, id); /* both are present */
    leave(s, ALICE_RELAY);
    come(s, BOB_RELAY, 0, false);
    be_like(s, BOB_RELAY, BOB);
    leave(s, ALICE);
    scene_forget_all(s);
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    snprintf(want, sizeof want, "-ERR you were not introduced under '%s'\r\n", id);
    scene_expect(s, BOB_RELAY, want);
    scene_close(s);
}

/* Somebody comes to the relay with the device of that place's key. */
static void come_back(struct scene *s, size_t who, const char *name, size_t like)
{
    struct member m = {.has_device = true};
    come(s, who, 0, false);
    snprintf(m.name, sizeof m.name, "%s", name);
    account_name_fold(bytes_from_str(name), m.key);
    memset(m.device.bytes, (int)like + 1, sizeof m.device.bytes);
    assert_int_equal(member_set(s->people[who].c, &m), 0);
}

static void test_an_introduction_outlives_the_hub(void **state)
{
    char id[23], want[256];
    struct scene *s = open_relay_scene(id);
    snprintf(want, sizeof want, "-ERR you were not introduced under '%s'\r\n", id);
    scene_restart(s);
    come_back(s, CAROL, "carol", CAROL);
    come_back(s, BOB_TOO, "Bob", BOB_TOO); /* of the account, another device */
    come_back(s, ALICE, "bob", ALICE);     /* of another account, the device */
    for (size_t who = ALICE; who <= CAROL; who++)
        if (who != BOB) {
            say_id(s, who, "RELAY ", id, "");
            scene_expect(s, who, want);
        }
    come_back(s, ALICE_RELAY, "alice", ALICE);
    come_back(s, BOB_RELAY, "Bob", BOB);
    join(s, id);
    scene_say(s, ALICE_RELAY, "again");
    scene_expect(s, BOB_RELAY, "again");
    scene_close(s);
}

static void test_how_long_an_introduction_outlives_the_hub(void **state)
{
    char id[23], want[256];
    struct scene *s = open_relay_scene(id);
    snprintf(want, sizeof want, "-ERR you were not introduced under '%s'\r\n", id);
    scene_restart(s);
    scene_wait_ms(s, LIMIT_RELAY_FRESH_MS);
    come_back(s, ALICE_RELAY, "alice", ALICE);
    say_id(s, ALICE_RELAY, "RELAY ", id, "");
    scene_expect(s, ALICE_RELAY, want); /* neither is present */
    come(s, ALICE, 0, true);
    come(s, BOB, 1, true);
    be(s, ALICE, "alice", true);
    be(s, BOB, "Bob", true);
    come_back(s, BOB_RELAY, "Bob", BOB);
    join(s, id);
    scene_restart(s);
    scene_wait_ms(s, LIMIT_INTRODUCED_MS - LIMIT_RELAY_FRESH_MS);
    come(s, ALICE, 0, true);
    come(s, BOB, 1, true);
    be(s, ALICE, "alice", true);
    be(s, BOB, "Bob", true);
    come_back(s, BOB_RELAY, "Bob", BOB);
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    scene_expect(s, BOB_RELAY, want);
    scene_close(s);
}

static void test_who_comes_again_begins_anew(void **state)
{
    char id[23];
    struct scene *s = open_relay_scene(id);
    say_id(s, ALICE_RELAY, "RELAY ", id, "");
    be_like(s, BOB_RELAY, ALICE);
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    scene_expect(s, ALICE_RELAY, "-GONE another connection has come for this side\r\n");
    scene_expect(s, BOB_RELAY, "");
    assert_null(s->people[ALICE_RELAY].c);
    come(s, ALICE_RELAY, 0, false);
    be_like(s, ALICE_RELAY, BOB);
    say_id(s, ALICE_RELAY, "RELAY ", id, "");
    scene_expect(s, ALICE_RELAY, "+RELAY\r\n");
    scene_expect(s, BOB_RELAY, "+RELAY\r\n");
    assert_int_equal(s->shared.relays.count, 1);
    scene_close(s);
}

static void test_a_relay_may_let_files_through(void **state)
{
    char id[23];
    struct scene *s = open_relay_scene(id);
    s->shared.config.relay = HUB_RELAY_ALL;
    say_id(s, ALICE_RELAY, "RELAY ", id, "");
    say_id(s, BOB_RELAY, "RELAY ", id, "");
    scene_expect(s, ALICE_RELAY, "+RELAY ALL\r\n");
    scene_expect(s, BOB_RELAY, "+RELAY ALL\r\n");
    scene_close(s);
}

static void test_a_relay_has_a_quota(void **state)
{
    char id[23];
    struct scene *s = open_relay_scene(id);
    s->shared.config.relay_hour_bytes = 10;
    join(s, id);
    scene_say(s, ALICE_RELAY, "1234567890");
    scene_expect(s, BOB_RELAY, "1234567890");
    scene_say(s, ALICE_RELAY, "1");
    assert_null(s->people[ALICE_RELAY].c);
    assert_null(s->people[BOB_RELAY].c);
    come(s, ALICE_RELAY, 1, false);
    be_like(s, ALICE_RELAY, ALICE);
    say_id(s, ALICE_RELAY, "RELAY ", id, "");
    scene_expect(s, ALICE_RELAY, "-QUOTA this hour's quota of the relay is used up\r\n");
    scene_wait_ms(s, 60 * 60 * 1000);
    come(s, BOB_RELAY, 1, false);
    be_like(s, BOB_RELAY, BOB);
    scene_forget_all(s);
    join(s, id);
    scene_close(s);
}

/* ---- letters ---- */

#define LETTER_1 "AAAAAAAAAAAAAAAAAAAAAA"
#define LETTER_2 "BAAAAAAAAAAAAAAAAAAAAA"

struct owner {
    const char *name;
    size_t who;
};

static int own_device(void *ctx, struct account *a, bool exists)
{
    const struct owner *o = ctx;
    struct device d = {.key = {{0}}};
    memset(d.key.bytes, (int)o->who + 1, sizeof d.key.bytes);
    snprintf(a->name, sizeof a->name, "%s", o->name);
    a->password.cost = password_cost_least;
    account_add_device(a, &d);
    return 0;
}

/* The account has the device that `be` gives to who; its fingerprint. */
static void give_device(struct scene *s, const char *name, size_t who,
                        char text[FINGERPRINT_TEXT_LEN + 1])
{
    struct public_key key;
    memset(key.bytes, (int)who + 1, sizeof key.bytes);
    struct fingerprint f = fingerprint_of(&key);
    struct accounts_change c = {.name = bytes_from_str(name),
                                .fn = own_device,
                                .ctx = &(struct owner){name, who},
                                .hash = f.bytes};
    uint64_t lsn;
    assert_int_equal(
        accounts_change(s->shared.store, (struct walltime){1700000000000}, &c, &lsn), 0);
    fingerprint_write(text, &f);
}

struct letter_scene {
    struct scene *s;
    char alice[FINGERPRINT_TEXT_LEN + 1], bob[FINGERPRINT_TEXT_LEN + 1],
        bob_too[FINGERPRINT_TEXT_LEN + 1], carol[FINGERPRINT_TEXT_LEN + 1];
};

/* alice, bob with two devices and carol, all in RESP3. */
static void open_letter_scene(struct letter_scene *l)
{
    struct scene *s = l->s = scene_open();
    for (size_t i = ALICE; i <= CAROL; i++)
        come(s, i, i % SCENE_HUBS, false);
    give_device(s, "alice", ALICE, l->alice);
    give_device(s, "Bob", BOB, l->bob);
    give_device(s, "Bob", BOB_TOO, l->bob_too);
    give_device(s, "carol", CAROL, l->carol);
    scene_settle(s);
    be(s, ALICE, "alice", true);
    be(s, BOB, "Bob", true);
    be(s, BOB_TOO, "Bob", true);
    be(s, CAROL, "carol", true);
    scene_forget_all(s);
}

static void send_letter(struct letter_scene *l, size_t from, const char *to, const char *device,
                        const char *id, const char *text)
{
    char words[256];
    snprintf(words, sizeof words, "LETTER %s %s %s %s\r\n", to, device, id, text);
    scene_say(l->s, from, words);
}

#define NOTICE_LETTER ">1\r\n$6\r\nletter\r\n"

static void test_a_letter_is_for_one_device(void **state)
{
    struct letter_scene l;
    char want[512];
    open_letter_scene(&l);
    send_letter(&l, ALICE, "bob", l.bob, LETTER_1, "sealed");
    scene_expect(l.s, ALICE, "+OK\r\n");
    scene_expect(l.s, BOB, NOTICE_LETTER);
    scene_expect(l.s, BOB_TOO, "");
    snprintf(want, sizeof want,
             "*1\r\n*5\r\n$22\r\n" LETTER_1 "\r\n$5\r\nalice\r\n$43\r\n%s\r\n"
             "$6\r\nsealed\r\n:1700000000\r\n",
             l.alice);
    scene_say(l.s, BOB, "LETTERS\r\n");
    scene_expect(l.s, BOB, want);
    for (size_t other = BOB_TOO; other <= CAROL; other++) {
        scene_say(l.s, other, "LETTERS\r\nLETTERS TAKEN " LETTER_1 "\r\n");
        scene_expect(l.s, other, "*0\r\n:0\r\n");
    }
    scene_say(l.s, BOB,
              "LETTERS TAKEN " LETTER_1 "\r\nLETTERS TAKEN " LETTER_1 "\r\nLETTERS\r\n");
    scene_expect(l.s, BOB, ":1\r\n:0\r\n*0\r\n");
    scene_close(l.s);
}

static void test_a_letter_comes_once(void **state)
{
    struct letter_scene l;
    open_letter_scene(&l);
    for (size_t i = 0; i < 3; i++) {
        send_letter(&l, ALICE, "bob", l.bob, LETTER_1, "sealed");
        scene_expect(l.s, ALICE, "+OK\r\n");
        scene_expect(l.s, BOB, i == 0 ? NOTICE_LETTER : "");
        if (i == 1)
            scene_say(l.s, BOB, "LETTERS TAKEN " LETTER_1 "\r\n");
        buffer_truncate(&l.s->people[BOB].got, 0);
    }
    scene_say(l.s, BOB, "LETTERS\r\n");
    scene_expect(l.s, BOB, "*0\r\n");
    scene_close(l.s);
}

static void test_a_letter_needs_a_device_of_that_account(void **state)
{
    struct letter_scene l;
    open_letter_scene(&l);
    send_letter(&l, ALICE, "bob", l.carol, LETTER_1, "sealed");
    scene_expect(l.s, ALICE, "-ERR there is no such device of 'bob'\r\n");
    send_letter(&l, ALICE, "bob", LETTER_1 LETTER_1 "A", LETTER_1, "sealed");
    assert_true(bytes_starts_with(buffer_view(&l.s->people[ALICE].got), "-ERR "));
    scene_forget_all(l.s);
    scene_say(l.s, CAROL, "LETTERS\r\n");
    scene_expect(l.s, CAROL, "*0\r\n");
    scene_close(l.s);
}

static void test_a_letter_is_told_of_when_it_is_durable(void **state)
{
    struct letter_scene l;
    open_letter_scene(&l);
    l.s->log_rests = true;
    send_letter(&l, ALICE, "bob", l.bob, LETTER_2, "sealed");
    scene_expect(l.s, ALICE, "");
    scene_expect(l.s, BOB, "");
    l.s->log_rests = false;
    scene_settle(l.s);
    scene_expect(l.s, ALICE, "+OK\r\n");
    scene_expect(l.s, BOB, NOTICE_LETTER);
    scene_close(l.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comings_and_goings_are_told_once),
        cmocka_unit_test(test_a_crowd_is_told_together),
        cmocka_unit_test(test_many_are_told_in_turns),
        cmocka_unit_test(test_whose_turn_is_next_may_leave),
        cmocka_unit_test(test_who_comes_back_is_not_told_that_he_has_left),
        cmocka_unit_test(test_who_comes_is_told_nothing_old),
        cmocka_unit_test(test_who_is_here),
        cmocka_unit_test(test_an_introduction),
        cmocka_unit_test(test_an_invitation_reaches_every_device),
        cmocka_unit_test(test_busy_is_one_connection_alone),
        cmocka_unit_test(test_how_an_invitation_ends),
        cmocka_unit_test(test_an_invitation_ends_with_either),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_leaving_politely),
        cmocka_unit_test(test_a_relay_is_a_pipe),
        cmocka_unit_test(test_who_is_waited_for_is_told),
        cmocka_unit_test(test_what_is_said_early_is_kept),
        cmocka_unit_test(test_who_does_not_listen_stops_the_other),
        cmocka_unit_test(test_a_relay_is_for_the_two_alone),
        cmocka_unit_test(test_how_long_a_relay_may_be_come_to),
        cmocka_unit_test(test_an_introduction_outlives_the_hub),
        cmocka_unit_test(test_how_long_an_introduction_outlives_the_hub),
        cmocka_unit_test(test_who_comes_again_begins_anew),
        cmocka_unit_test(test_a_relay_may_let_files_through),
        cmocka_unit_test(test_a_relay_has_a_quota),
        cmocka_unit_test(test_a_letter_is_for_one_device),
        cmocka_unit_test(test_a_letter_comes_once),
        cmocka_unit_test(test_a_letter_needs_a_device_of_that_account),
        cmocka_unit_test(test_a_letter_is_told_of_when_it_is_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
