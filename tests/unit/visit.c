/* Visits as transcripts: what the person types (>), what the hub says (<, a reply as RESP with
 * blanks for line ends), against all that comes of it. */

#include "client/visit.h"
#include "base/limits.h"

#include "unit.h"

#include <stdio.h>

struct stage {
    struct visit visit;
    struct buffer seen; /* all that the handler was told, a line each */
};

static struct stage *stage_of(struct visit *v)
{
    return (struct stage *)((char *)v - offsetof(struct stage, visit));
}

static void on_say(struct visit *v, enum visit_tone tone, struct bytes line)
{
    static const char tones[] = {
        [VISIT_ANSWER] = 'A', [VISIT_NEWS] = 'N', [VISIT_NOTE] = 'n', [VISIT_PROBLEM] = 'P'};
    buffer_printf(&stage_of(v)->seen, "%c %.*s\n", tones[tone], (int)line.len,
                  (const char *)line.data);
}

static void on_prompt(struct visit *v, struct bytes text, bool secret)
{
    buffer_printf(&stage_of(v)->seen, "%s %.*s\n", secret ? "??" : "?", (int)text.len,
                  (const char *)text.data);
}

static int on_request(struct visit *v, const struct bytes *argv, size_t argc, bool secret)
{
    struct buffer *seen = &stage_of(v)->seen;
    buffer_append_str(seen, secret ? "!!" : "!");
    for (size_t i = 0; i < argc; i++)
        buffer_printf(seen, " %.*s", (int)argv[i].len, (const char *)argv[i].data);
    return buffer_append_str(seen, "\n");
}

static void on_leave(struct visit *v, enum visit_end end)
{
    buffer_printf(&stage_of(v)->seen, "leave %d\n", end);
}

static void on_introduced(struct visit *v, const struct notice *n)
{
    buffer_printf(&stage_of(v)->seen, "introduced %.*s %d %zu\n", (int)n->name.len,
                  (const char *)n->name.data, n->dials, n->candidate_count);
}

static void on_talk_say(struct visit *v, struct bytes text)
{
    buffer_printf(&stage_of(v)->seen, "talk %.*s\n", (int)text.len, (const char *)text.data);
}

static void on_talk_send(struct visit *v, struct bytes path)
{
    buffer_printf(&stage_of(v)->seen, "send %.*s\n", (int)path.len, (const char *)path.data);
}

static void on_talk_close(struct visit *v, const char *name)
{
    buffer_append_str(&stage_of(v)->seen, "close\n");
}

static void on_relay_waits(struct visit *v, struct bytes id)
{
    buffer_printf(&stage_of(v)->seen, "relay %.*s\n", (int)id.len, (const char *)id.data);
}

static const struct visit_handler handler = {.say = on_say,
                                             .prompt = on_prompt,
                                             .request = on_request,
                                             .leave = on_leave,
                                             .introduced = on_introduced,
                                             .talk_say = on_talk_say,
                                             .talk_send = on_talk_send,
                                             .talk_close = on_talk_close,
                                             .relay_waits = on_relay_waits};

/* ---- the steps ---- */

static void expect(struct stage *s, const char *want)
{
    assert_bytes(buffer_view(&s->seen), bytes_from_str(want));
    buffer_truncate(&s->seen, 0);
}

static void hear(struct stage *s, const char *text)
{
    struct resp_reply reply;
    struct buffer in;
    size_t consumed;
    resp_reply_init(&reply, 4096);
    buffer_init(&in, 4096);
    for (; *text; text++)
        buffer_append(&in, *text == '|' ? "\r\n" : text, *text == '|' ? 2 : 1);
    assert_int_equal(resp_reply_parse(&reply, buffer_view(&in), &consumed), 0);
    assert_int_equal(consumed, buffer_len(&in));
    if (reply.values->kind == RESP_PUSH)
        visit_push(&s->visit, reply.values, reply.count);
    else
        visit_reply(&s->visit, reply.values, reply.count, (struct walltime){1000 * 1000});
    resp_reply_fini(&reply);
    buffer_fini(&in);
}

static void type(struct stage *s, const char *line)
{
    assert_true(visit_takes_lines(&s->visit));
    visit_typed(&s->visit, bytes_from_str(line));
}

static void begin(struct stage *s, bool person)
{
    buffer_init(&s->seen, SIZE_MAX);
    visit_init(&s->visit, &handler, "hub:1", person);
    visit_connected(&s->visit);
    expect(s, "! HELLO 3\n! LOGIN\n");
    hear(s, "%0|");
    expect(s, "");
    assert_false(visit_takes_lines(&s->visit));
}

static void finish(struct stage *s)
{
    visit_fini(&s->visit);
    buffer_fini(&s->seen);
}

/* A member, his device known; what is said by the way is another test's. */
static void begin_as_alice(struct stage *s)
{
    begin(s, true);
    hear(s, "+OK|");
    hear(s, "$5|alice|");
    hear(s, "+CLIENT_LIST<alice, bob>|");
    buffer_truncate(&s->seen, 0);
}

#define WHICH "? Are you new here, or returning? [new/returning] \n"

/* ---- the greeting ---- */

static void test_a_known_device_is_not_asked(void **state)
{
    struct stage s;
    begin(&s, true);
    hear(&s, "+OK|");
    expect(&s, "! WHOAMI\n");
    hear(&s, "$5|alice|");
    assert_true(bytes_starts_with(buffer_view(&s.seen),
                                  "n Welcome, alice. You are at hub:1.\nn GET_CLIENT_LIST"));
    assert_non_null(
        memmem(s.seen.data, buffer_len(&s.seen), "! GET_CLIENT_LIST\n? alice> \n", 28));
    finish(&s);
}

static void test_who_is_new_registers(void **state)
{
    struct stage s;
    begin(&s, true);
    hear(&s, "-NOLOGIN this device is nobody's|");
    expect(&s, WHICH);
    type(&s, "what?");
    expect(&s, "P new, or returning? Or Enter alone, to be nobody here.\n" WHICH);
    type(&s, " NEW ");
    expect(&s, "? What shall you be called? \n");
    type(&s, "");
    expect(&s, WHICH);
    type(&s, "new");
    expect(&s, "? What shall you be called? \n");
    type(&s, "a lice");
    expect(&s,
           "P A name is 1 to 32 letters, digits, and _ . -\n? What shall you be called? \n");
    type(&s, "alice");
    expect(&s, "?? A password: \n");
    type(&s, "secret1");
    expect(&s, "?? The same again: \n");
    type(&s, "secret2");
    expect(&s, "P That was not the same.\n?? A password: \n");
    type(&s, "secret1");
    type(&s, "secret1");
    expect(&s, "?? The same again: \n!! REGISTER alice secret1\n? \n");
    assert_false(visit_takes_lines(&s.visit));
    hear(&s, "-NOINVITE by invite only|");
    expect(&s, "P The hub says: by invite only\n?? Your invitation: \n");
    type(&s, "token");
    expect(&s, "!! REGISTER alice secret1 INVITE token\n? \n");
    hear(&s, "+OK|");
    assert_true(s.visit.member);
    assert_int_equal(buffer_len(&s.visit.secret), 0);
    finish(&s);
}

static void test_who_returns_logs_in(void **state)
{
    struct stage s;
    begin(&s, true);
    hear(&s, "-NOLOGIN this device is nobody's|");
    type(&s, "r");
    type(&s, "bob");
    type(&s, "wrong");
    expect(&s, WHICH "? Your name: \n?? Your password: \n!! LOGIN bob wrong\n? \n");
    hear(&s, "-ERR the name or the password is wrong|");
    expect(&s, "P The hub says: the name or the password is wrong\n? Your name: \n");
    type(&s, "bob");
    type(&s, "right");
    hear(&s, "+OK|");
    assert_string_equal(s.visit.name, "bob");
    assert_int_equal(s.visit.state, VISIT_HERE);
    finish(&s);
}

static void test_a_program_that_may_not_come_in_ends(void **state)
{
    struct stage s;
    begin(&s, false);
    hear(&s, "-NOLOGIN this device is nobody's|");
    type(&s, "returning");
    type(&s, "bob");
    type(&s, "wrong");
    buffer_truncate(&s.seen, 0);
    hear(&s, "-ERR wrong|");
    expect(&s, "P The hub says: wrong\nleave 1\n");
    finish(&s);
}

static void test_a_program_goes_straight_to_the_table(void **state)
{
    struct stage s;
    begin(&s, false);
    hear(&s, "-NOLOGIN this device is nobody's|");
    type(&s, "GET a");
    expect(&s, WHICH "? > \n! GET a\n");
    visit_input_over(&s.visit);
    expect(&s, "");
    hear(&s, "$1|b|");
    expect(&s, "A b\nleave 0\n");
    finish(&s);
}

/* ---- the table, by words of the text door ---- */

static void test_the_table(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    type(&s, "STORE a = b c");
    type(&s, "GET a");
    type(&s, "GET none");
    type(&s, "STORE a");
    type(&s, "REPLIES terse");
    type(&s, "STORE a = d");
    type(&s, "GET none");
    type(&s, "hello \x01");
    expect(&s, "! STORE a b c\n! GET a\n! GET none\n"
               "P Not stored: there is no '=' between key and value\n"
               "! ECHO terse\n! STORE a d\n! GET none\n! ECHO hello \x01\n");
    hear(&s, "+Saved|");
    hear(&s, "$3|b c|");
    hear(&s, "_|");
    hear(&s, "$5|terse|");
    hear(&s, "+Updated|");
    hear(&s, "_|");
    hear(&s, "$7|hello \x01|");
    expect(&s, "A Saved Successfully for key:a\nA b c\nA Invalid Key:none\nA terse\nA 1\n"
               "A ERROR\nA hello \\x01\n");
    type(&s, "STORE a = e");
    hear(&s, "-NOPERM not here|");
    expect(&s, "! STORE a e\nA 0\n");
    type(&s, "WATCH a");
    hear(&s, ">3|$6|follow|$1|a|:1|");
    hear(&s, ">5|$6|change|$1|a|$3|set|$1|a|$1|f|");
    expect(&s, "! FOLLOW a\nA OK\nN a = f\n");
    finish(&s);
}

static void test_stopping_the_hub_is_asked_about(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    type(&s, "QUIT");
    type(&s, "");
    expect(&s, "? Stop the hub for everyone? [y/N] \nn It goes on.\n? alice> \n");
    type(&s, "QUIT now");
    visit_interrupted(&s.visit, false);
    expect(&s, "? Stop the hub for everyone? [y/N] \n? alice> \nn Ctrl+C again leaves.\n");
    type(&s, "QUIT");
    type(&s, "y");
    expect(&s, "? Stop the hub for everyone? [y/N] \n! SHUTDOWN\n? alice> \n");
    hear(&s, "-NOPERM not yours|");
    expect(&s, "P Not allowed: not yours\n");
    type(&s, "QUIT");
    type(&s, "Yes");
    buffer_truncate(&s.seen, 0);
    visit_lost(&s.visit, "closed");
    expect(&s, "A Server Quitting..!\nleave 0\n");
    finish(&s);
}

static void test_a_lost_hub(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    type(&s, "GET a");
    visit_lost(&s.visit, "it was cut off");
    expect(&s, "! GET a\nP Lost the hub at hub:1: it was cut off. Trying to get back.\n"
               "P What was not answered yet may have been done, or not.\n? alice> \n");
    type(&s, "GET b");
    type(&s, "CLOSE_SESSION");
    expect(&s, "P Not sent, the hub is away: GET b\nP No session\n");
    visit_connected(&s.visit);
    hear(&s, "%0|");
    hear(&s, "+OK|");
    hear(&s, "$5|alice|");
    expect(&s, "! HELLO 3\n! LOGIN\n! WHOAMI\nn The hub at hub:1 is back.\n"
               "! GET_CLIENT_LIST\n? alice> \n");
    finish(&s);
}

/* ---- people ---- */

#define ID "AAAAAAAAAAAAAAAAAAAAAA"
#define KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define PRINT "ciq9EumaU2fzda65ZyqOB3EuA8Kt0W-o1pFNHPou_gw"

static void test_who_is_here(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    hear(&s, ">2|$6|online|$5|carol|");
    hear(&s, ">2|$7|offline|$3|bob|");
    hear(&s, ">2|$6|online|$5|Alice|");
    hear(&s, ">2|$6|online|$7|\x1b[2Jeve|");
    hear(&s, ">2|$7|frobbed|$3|bob|");
    expect(&s, "N carol is here\nN bob has left\n");
    type(&s, "GET_CLIENT_LIST");
    hear(&s, "+CLIENT_LIST<alice, carol>|");
    type(&s, "/who");
    hear(&s, "*2|*3|$5|alice|:990|:1|*3|$5|carol|:-6200|:2|");
    expect(&s,
           "! GET_CLIENT_LIST\nA CLIENT_LIST<alice, carol>\n! WHO\nA alice        just now\n"
           "A carol        2 h, 2 devices\n");
    finish(&s);
}

static void test_a_talk(void **state)
{
    static const struct bytes at[] = {{(const uint8_t *)"10.0.0.1:5000", 13}};
    struct stage s;
    begin_as_alice(&s);
    visit_set_candidates(&s.visit, at, 1);
    type(&s, "CLOSE_SESSION");
    type(&s, "GET_CLIENT_INFO<bob>");
    expect(&s, "P No session\n! MEET bob 10.0.0.1:5000\n");
    hear(&s, "$22|" ID "|");
    type(&s, "/talk carol");
    expect(&s, "n Asking bob to talk; /close withdraws that.\n"
               "P bob has not answered yet; /close withdraws that.\n");
    type(&s, "/close");
    hear(&s, "+OK|");
    expect(&s, "n bob is no longer asked.\n! CANCEL " ID "\n");
    type(&s, "/talk bob");
    hear(&s, "$22|" ID "|");
    buffer_truncate(&s.seen, 0);
    hear(&s, ">4|$8|declined|$22|" ID "|$3|bob|$4|busy|");
    type(&s, "/talk bob");
    expect(&s, "N bob is busy.\n! MEET bob 10.0.0.1:5000\n");
    hear(&s, "$22|" ID "|");
    hear(&s, ">9|$10|introduced|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY
             "|$5|dials|$10|10.0.0.2:9|$8|[::1]:99|$4|a:22|");
    visit_talk_begins(&s.visit, "bob", false);
    expect(&s, "n Asking bob to talk; /close withdraws that.\nintroduced bob 1 2\n"
               "N You talk with bob now; /close ends it.\n? alice to bob> \n");
    type(&s, "GET a");
    type(&s, "//who");
    type(&s, "DISCONNECT_CLIENT");
    type(&s, "/send my file");
    expect(&s,
           "talk GET a\ntalk /who\nP You talk with bob: CLOSE_SESSION first.\nsend my file\n");
    visit_talk_heard(&s.visit, "bob", BYTES("hi\x1b[31m"));
    expect(&s, "A bob: hi\\x1b[31m\n");
    visit_interrupted(&s.visit, false);
    expect(&s, "close\nn The talk with bob is over. What you type now is for the hub.\n"
               "? alice> \n");
    type(&s, "DISCONNECT_CLIENT");
    expect(&s, "leave 0\n");
    finish(&s);
}

static void test_who_leaves_gets_his_answers(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    type(&s, "GET a");
    buffer_truncate(&s.seen, 0);
    type(&s, "DISCONNECT_CLIENT");
    assert_false(visit_takes_lines(&s.visit));
    expect(&s, "");
    hear(&s, "$1|b|");
    expect(&s, "A b\nleave 0\n");
    finish(&s);
}

/* carol is accepted by hand, eve by rule. */
static void begin_two_talks(struct stage *s)
{
    begin_as_alice(s);
    s->visit.accepts = "eve";
    hear(s, ">5|$7|invited|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY "|");
    type(s, "/accept");
    hear(s, ">5|$7|invited|$22|" ID "|$3|Eve|$43|" PRINT "|$43|" KEY "|");
    visit_talk_begins(&s->visit, "Eve", false);
    visit_talk_begins(&s->visit, "carol", false);
    visit_talk_way(&s->visit, "carol", "direct 10.0.0.2");
}

static void test_several_talks(void **state)
{
    struct stage s;
    begin_two_talks(&s);
    expect(&s,
           "N carol wants to talk: /accept or /decline\n! ACCEPT " ID "\n! ACCEPT " ID
           "\nN Eve is there to talk: /talk Eve\nN You talk with carol now; /close ends it.\n"
           "? alice to carol> \nN Talking with carol: direct 10.0.0.2\n");
    type(&s, "/talk eve");
    type(&s, "one");
    visit_talk_heard(&s.visit, "carol", BYTES("two"));
    expect(&s, "n What you type is for Eve now.\n? alice to Eve> \ntalk one\nA carol: two\n");
    type(&s, "/path");
    visit_talk_way(&s.visit, "carol", NULL);
    expect(&s, "A Eve          not connected\nA carol        direct 10.0.0.2\n"
               "P Lost carol. Trying to get back; what you say is kept.\n");
    visit_talk_refused(&s.visit, "no");
    type(&s, "CLOSE_SESSION");
    type(&s, "CLOSE_SESSION");
    expect(&s, "P Not said to Eve: no\nclose\n"
               "n The talk with Eve is over. What you type now is for the hub.\n? alice> \n"
               "P No session\n");
    finish(&s);
}

/* What was meant for carol is not said to the hub, which could read it. */
static void test_a_line_for_who_has_just_left(void **state)
{
    struct stage s;
    begin_two_talks(&s);
    visit_talk_ends(&s.visit, "Eve", "no connection came about");
    buffer_truncate(&s.seen, 0);
    visit_talk_ends(&s.visit, "carol", NULL);
    type(&s, "a secret");
    expect(&s, "N carol has ended the talk.\n? alice> \nP Not said: a secret\n"
               "P The talk with carol is over; what you type now is for the hub.\n");
    type(&s, "hello");
    expect(&s, "! ECHO hello\n");
    visit_talk_undelivered(&s.visit, "carol", BYTES("\x1b!"));
    type(&s, "/path");
    expect(&s, "P Not delivered to carol: \\x1b!\nA You talk with nobody.\n");
    finish(&s);
}

static void test_nor_is_it_for_who_comes_next(void **state)
{
    struct stage s;
    begin_two_talks(&s);
    type(&s, "/talk bob");
    hear(&s, "$22|" ID "|");
    visit_talk_ends(&s.visit, "carol", NULL);
    visit_talk_begins(&s.visit, "bob", false);
    buffer_truncate(&s.seen, 0);
    type(&s, "for carol");
    expect(&s, "P Not said: for carol\n"
               "P The talk with carol is over; what you type now is for bob.\n");
    type(&s, "for bob");
    expect(&s, "talk for bob\n");
    finish(&s);
}

static void test_nobody_is_introduced_unasked(void **state)
{
    static const char bob[] =
        ">7|$10|introduced|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|$5|dials|$1|-|";
    struct stage s;
    begin_as_alice(&s);
    hear(&s, bob);
    expect(&s, "");
    hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    hear(&s, bob);
    expect(&s, "N bob wants to talk: /accept or /decline\n");
    hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    type(&s, "/accept");
    hear(&s, bob);
    hear(&s, bob);
    expect(&s,
           "N bob wants to talk: /accept or /decline\n! ACCEPT " ID "\nintroduced bob 1 0\n");
    finish(&s);
}

/* The hub says that the one asked for, or accepted, is somebody else. */
static void test_nobody_else_is_introduced(void **state)
{
    static const char eve[] =
        ">7|$10|introduced|$22|" ID "|$3|eve|$43|" PRINT "|$43|" KEY "|$5|dials|$1|-|";
    struct stage s;
    begin_as_alice(&s);
    type(&s, "/talk bob");
    hear(&s, "$22|" ID "|");
    hear(&s, eve);
    type(&s, "/close");
    hear(&s, "+OK|");
    expect(&s, "! MEET bob\nn Asking bob to talk; /close withdraws that.\n"
               "n bob is no longer asked.\n! CANCEL " ID "\n");
    hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    type(&s, "/accept");
    hear(&s, eve);
    expect(&s, "N bob wants to talk: /accept or /decline\n! ACCEPT " ID "\n");
    finish(&s);
}

/* A hub that tells without end and never answers. */
static void test_a_hub_that_only_tells(void **state)
{
    struct stage s;
    char name[64];
    begin_as_alice(&s);
    s.visit.accepts = "all";
    for (size_t i = 0; i < LIMIT_UNANSWERED + 10; i++)
        hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    assert_int_equal(s.visit.asked_count, LIMIT_UNANSWERED);
    for (size_t i = 0; i < LIMIT_NAMES + 10; i++) {
        snprintf(name, sizeof name, ">2|$6|online|$9|%09zu|", i);
        hear(&s, name);
    }
    assert_int_equal(s.visit.name_count, LIMIT_NAMES);
    hear(&s, ">2|$7|offline|$9|000000000|");
    assert_int_equal(s.visit.name_count, LIMIT_NAMES - 1);
    finish(&s);
}

static void test_invitations(void **state)
{
    static const char carol[] = ">5|$7|invited|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY "|";
    struct stage s;
    begin_as_alice(&s);
    type(&s, "/accept");
    hear(&s, carol);
    type(&s, "/accept bob");
    expect(&s, "P Nobody asks to talk.\nN carol wants to talk: /accept or /decline\n"
               "P bob does not ask to talk.\n");
    type(&s, "/accept");
    hear(&s, "+OK|");
    hear(&s, carol);
    type(&s, "/decline Carol");
    hear(&s, "-ERR it is over|");
    expect(&s, "! ACCEPT " ID "\nN carol wants to talk: /accept or /decline\n! DECLINE " ID
               "\nP The hub says: it is over\n");
    for (size_t i = 0; i < 20; i++)
        hear(&s, carol);
    assert_int_equal(s.visit.incoming_count, 16);
    /* a key that is not the fingerprint's */
    buffer_truncate(&s.seen, 0);
    hear(&s, ">5|$7|invited|$22|" ID "|$3|eve|$43|" KEY "|$43|" KEY "|");
    expect(&s, "");
    finish(&s);
}

static void test_somebody_waits_at_the_relay(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    hear(&s, ">2|$5|relay|$22|" ID "|");
    expect(&s, "relay " ID "\n");
    hear(&s, ">2|$5|relay|$5|short|");
    hear(&s, ">1|$5|relay|");
    hear(&s, ">3|$5|relay|$22|" ID "|$3|bob|");
    expect(&s, "");
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_known_device_is_not_asked),
        cmocka_unit_test(test_who_is_new_registers),
        cmocka_unit_test(test_who_returns_logs_in),
        cmocka_unit_test(test_a_program_that_may_not_come_in_ends),
        cmocka_unit_test(test_a_program_goes_straight_to_the_table),
        cmocka_unit_test(test_the_table),
        cmocka_unit_test(test_stopping_the_hub_is_asked_about),
        cmocka_unit_test(test_a_lost_hub),
        cmocka_unit_test(test_who_is_here),
        cmocka_unit_test(test_a_talk),
        cmocka_unit_test(test_who_leaves_gets_his_answers),
        cmocka_unit_test(test_several_talks),
        cmocka_unit_test(test_a_line_for_who_has_just_left),
        cmocka_unit_test(test_nor_is_it_for_who_comes_next),
        cmocka_unit_test(test_nobody_is_introduced_unasked),
        cmocka_unit_test(test_nobody_else_is_introduced),
        cmocka_unit_test(test_a_hub_that_only_tells),
        cmocka_unit_test(test_somebody_waits_at_the_relay),
        cmocka_unit_test(test_invitations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
