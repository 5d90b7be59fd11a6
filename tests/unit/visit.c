/* Visits as transcripts: what the person types (>), what the hub says (<, a reply as RESP with
 * blanks for line ends), against all that comes of it. */

#include "support/stage.h"

#include "base/limits.h"

#include "unit.h"

#include <stdio.h>

static void begin(struct stage *s, bool person)
{
    stage_begin(s, person);
    stage_expect(s, "! HELLO 3\n! LOGIN\n");
    stage_hear(s, "%0|");
    stage_expect(s, "");
    assert_false(visit_takes_lines(&s->visit));
}

/* A member, his device known; what is said by the way is another test's. */
static void begin_as_alice(struct stage *s)
{
    begin(s, true);
    stage_hear(s, "+OK|");
    stage_hear(s, "$5|alice|");
    stage_hear(s, "+CLIENT_LIST<alice, bob>|");
    buffer_truncate(&s->seen, 0);
}

#define WHICH "? Are you new here, or returning? [new/returning] \n"

/* ---- the greeting ---- */

static void test_a_known_device_is_not_asked(void **state)
{
    struct stage s;
    begin(&s, true);
    stage_hear(&s, "+OK|");
    stage_expect(&s, "! WHOAMI\n");
    stage_hear(&s, "$5|alice|");
    assert_true(bytes_starts_with(buffer_view(&s.seen),
                                  "n Welcome, alice. You are at hub:1.\nn GET_CLIENT_LIST"));
    assert_non_null(
        memmem(s.seen.data, buffer_len(&s.seen), "! GET_CLIENT_LIST\n? alice> \n", 28));
    stage_finish(&s);
}

static void test_who_is_asked_may_leave(void **state)
{
    struct stage s;
    begin(&s, true);
    stage_hear(&s, "-NOLOGIN this device is nobody's|");
    stage_expect(&s, WHICH);
    stage_type(&s, " /quit ");
    stage_expect(&s, "leave 0\n");
    stage_finish(&s);
}

static void test_who_is_new_registers(void **state)
{
    struct stage s;
    begin(&s, true);
    stage_hear(&s, "-NOLOGIN this device is nobody's|");
    stage_expect(&s, WHICH);
    stage_type(&s, "what?");
    stage_expect(
        &s, "P new, or returning? Or Enter alone, to be nobody here; /quit leaves.\n" WHICH);
    stage_type(&s, " NEW ");
    stage_expect(&s, "? What shall you be called? \n");
    stage_type(&s, "");
    stage_expect(&s, WHICH);
    stage_type(&s, "new");
    stage_expect(&s, "? What shall you be called? \n");
    stage_type(&s, "a lice");
    stage_expect(
        &s, "P A name is 1 to 32 letters, digits, and _ . -\n? What shall you be called? \n");
    stage_type(&s, "alice");
    stage_expect(&s, "?? A password, 8 or more: \n");
    stage_type(&s, "");
    stage_type(&s, "alice");
    stage_type(&s, "seven77");
    stage_expect(&s, "? What shall you be called? \n?? A password, 8 or more: \n"
                     "P A password has 8 to 1024 bytes; Enter alone leads back.\n"
                     "?? A password, 8 or more: \n");
    stage_type(&s, "a secret1");
    stage_expect(&s, "?? The same again: \n");
    stage_type(&s, "a secret2");
    stage_expect(&s, "P That was not the same; Enter alone leads back.\n"
                     "?? A password, 8 or more: \n");
    stage_type(&s, "a secret1");
    stage_type(&s, "a secret1");
    stage_expect(&s, "?? The same again: \n!! REGISTER alice a secret1\n? \n");
    assert_false(visit_takes_lines(&s.visit));
    stage_hear(&s, "-NOINVITE by invite only|");
    stage_expect(&s, "P The hub says: by invite only\n?? Your invitation: \n");
    stage_type(&s, "tokem");
    stage_forget(&s);
    stage_hear(&s, "-NOPERM that is not valid|");
    stage_expect(&s, "P The hub says: that is not valid\n?? Your invitation: \n");
    stage_type(&s, "token");
    stage_expect(&s, "!! REGISTER alice a secret1 INVITE token\n? \n");
    stage_hear(&s, "+OK|");
    assert_true(s.visit.member);
    assert_int_equal(buffer_len(&s.visit.secret), 0);
    stage_finish(&s);
}

static void test_a_hub_that_takes_no_new_accounts(void **state)
{
    struct stage s;
    begin(&s, true);
    stage_hear(&s, "-NOLOGIN this device is nobody's|");
    stage_type(&s, "new");
    stage_type(&s, "alice");
    stage_type(&s, "a secret1");
    stage_type(&s, "a secret1");
    stage_forget(&s);
    stage_hear(&s, "-NOPERM this hub takes no new accounts|");
    stage_expect(&s, "P The hub says: this hub takes no new accounts\n" WHICH);
    assert_int_equal(buffer_len(&s.visit.secret), 0);
    stage_finish(&s);
}

#define NO_LONGER                                                                          \
    "P This device is no longer one of alice's: it was revoked, or the account is gone.\n" \
    "n If that was you, all is well. Else: kith login alice adds it again, with the "      \
    "password; then look at kith devices.\n"                                               \
    "leave 1\n"

static void test_a_device_that_is_revoked_meanwhile(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    visit_lost(&s.visit, "it closed the connection");
    visit_connected(&s.visit);
    stage_hear(&s, "%0|");
    stage_forget(&s);
    stage_hear(&s, "-NOLOGIN this device is nobody's|");
    stage_expect(&s, NO_LONGER);
    stage_finish(&s);
}

static void test_a_device_that_is_revoked_now(void **state)
{
    const struct public_key own = {{7}};
    struct stage s;
    begin_as_alice(&s);
    s.visit.device = &own;
    stage_hear_revoked(&s, "bob", &(struct public_key){{8}});
    stage_expect(&s, "revoked 8\n"); /* that is for whoever talks with it */
    stage_hear_revoked(&s, "alice", &(struct public_key){{7}});
    stage_expect(&s, NO_LONGER);
    visit_lost(&s.visit, "it closed the connection");
    stage_expect(&s, "");
    stage_finish(&s);
}

static void test_who_has_ended_a_talk_was_revoked(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_hear_revoked(&s, "bob", &(struct public_key){{9}});
    stage_expect(&s, "revoked 9\n");
    snprintf(s.visit.wanted, sizeof s.visit.wanted, "bob");
    visit_talk_begins(&s.visit, "bob", false);
    visit_talk_ends(&s.visit, "bob", NULL);
    stage_forget(&s);
    stage_hear_revoked(&s, "bob", &(struct public_key){{9}});
    stage_expect(&s, "N A device of bob's was revoked.\nrevoked 9\n");
    stage_finish(&s);
}

static void test_a_talk_that_goes_on_at_another_device(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    snprintf(s.visit.wanted, sizeof s.visit.wanted, "bob");
    visit_talk_begins(&s.visit, "bob", false);
    stage_forget(&s);
    stage_hear_revoked(&s, "bob", &(struct public_key){{9}}); /* nothing ends by it */
    stage_expect(&s,
                 "revoked 9\nN A device of bob's was revoked; the talk goes on at another.\n");
    visit_talk_ends(&s.visit, "bob", NULL);
    visit_talk_begins(&s.visit, "bob", false); /* before a line was typed */
    stage_forget(&s);
    stage_hear_revoked(&s, "BOB", &(struct public_key){{9}});
    stage_expect(&s,
                 "revoked 9\nN A device of bob's was revoked; the talk goes on at another.\n");
    stage_finish(&s);
}

static void test_another_device_of_ones_own(void **state)
{
    struct stage s;
    struct public_key key = {{0}};
    struct fingerprint f = fingerprint_of(&key);
    char print[FINGERPRINT_TEXT_LEN + 1], words[128], want[512];
    begin_as_alice(&s);
    fingerprint_write(print, &f);
    snprintf(words, sizeof words, ">3|$5|added|$43|%s|$6|laptop|", print);
    stage_hear(&s, words);
    snprintf(want, sizeof want,
             "N A device was added to your account: laptop, %s\n"
             "n If it is yours, and kith id prints that there: kith devices --sign %s\n"
             "n If not, somebody knows your password: kith devices --revoke %s, then kith "
             "password\n",
             print, print, print);
    stage_expect(&s, want);
    stage_hear_revoked(&s, "Alice", &(struct public_key){{0}});
    snprintf(want, sizeof want, "N A device of yours was revoked: %s\nrevoked 0\n", print);
    stage_expect(&s, want);
    stage_finish(&s);
}

static bool recall_nothing(void *ctx, struct buffer *seen)
{
    return false; /* another kith of this device takes letters */
}

/* How a hub lists the device of that key. signer: whose word it has; NULL: nobody's. */
static void list_device(struct buffer *out, const struct public_key *key,
                        const struct public_key *signer)
{
    char print[FINGERPRINT_TEXT_LEN + 1];
    struct fingerprint f = fingerprint_of(key);
    fingerprint_write(print, &f);
    buffer_printf(out, "*6\r\n$43\r\n%s\r\n$32\r\n", print);
    buffer_append(out, key->bytes, sizeof key->bytes);
    buffer_printf(out, "\r\n$0\r\n\r\n:7\r\n");
    if (!signer) {
        buffer_printf(out, "_\r\n_\r\n");
        return;
    }
    f = fingerprint_of(signer);
    fingerprint_write(print, &f);
    buffer_printf(out, "$43\r\n%s\r\n$64\r\n%064d\r\n", print, 0);
}

/* The first device of the account and this one, if with_own. */
static void hear_own_devices(struct stage *s, bool with_own, const struct public_key *signer)
{
    const struct public_key first = {{1, 2, 3}};
    struct resp_reply reply;
    struct buffer in;
    size_t consumed;
    resp_reply_init(&reply, 4096);
    buffer_init(&in, 4096);
    buffer_printf(&in, "*%d\r\n", 1 + with_own);
    list_device(&in, with_own ? &first : &s->visit.post.key, NULL);
    if (with_own)
        list_device(&in, &s->visit.post.key, signer);
    assert_int_equal(resp_reply_parse(&reply, buffer_view(&in), &consumed), 0);
    visit_reply(&s->visit, reply.values, reply.count, (struct walltime){1000});
    resp_reply_fini(&reply);
    buffer_fini(&in);
}

static bool was_seen(struct stage *s, const char *words)
{
    struct bytes seen = buffer_view(&s->seen);
    return memmem(seen.data, seen.len, words, strlen(words)) != NULL;
}

/* Logs in by its key, as a device that can take letters. */
static void come_with_post(struct stage *s)
{
    static const struct post_keep keep = {.recall = recall_nothing};
    static const uint8_t seed[32] = {1}, entropy[32] = {2};
    stage_begin(s, true);
    visit_set_post(&s->visit, &keep, NULL, seed, entropy);
    stage_hear(s, "%0|");
    stage_hear(s, "+OK|");
    stage_hear(s, "$5|alice|");
    stage_hear(s, "+CLIENT_LIST<alice>|");
    assert_true(was_seen(s, "! GET_CLIENT_LIST\n! LETTERS\n"));
    stage_hear(s, "*0|");
}

static void come_back(struct stage *s)
{
    visit_lost(&s->visit, "it closed the connection");
    visit_connected(&s->visit);
    stage_hear(s, "%0|");
    stage_hear(s, "+OK|");
    stage_hear(s, "$5|alice|");
}

static void test_an_unsigned_device_is_told_so_once(void **state)
{
    struct stage s;
    char print[FINGERPRINT_TEXT_LEN + 1], want[256];
    come_with_post(&s);
    struct fingerprint own = fingerprint_of(&s.visit.post.key);
    fingerprint_write(print, &own);
    snprintf(want, sizeof want,
             "n This device is unsigned, and others may refuse it. On an older device of "
             "yours: kith devices --sign %s\n",
             print);
    assert_true(was_seen(&s, "! DEVICES\n"));
    stage_forget(&s);
    hear_own_devices(&s, true, NULL);
    stage_expect(&s, want);
    come_back(&s);
    assert_true(was_seen(&s, "! GET_CLIENT_LIST\n"));
    assert_false(was_seen(&s, "! DEVICES\n"));
    stage_finish(&s);
}

static void test_another_is_told_nothing(void **state)
{
    const struct public_key first = {{1, 2, 3}};
    for (int i = 0; i < 3; i++) {
        struct stage s;
        come_with_post(&s);
        stage_forget(&s);
        if (i == 0)
            stage_hear(&s, "-ERR not now|");
        else
            hear_own_devices(&s, i == 1, &first); /* signed; the only one */
        stage_expect(&s, "");
        assert_int_equal(s.visit.asked_count, 0);
        stage_finish(&s);
    }
}

static void test_who_was_not_answered_asks_again(void **state)
{
    struct stage s;
    come_with_post(&s);
    stage_forget(&s);
    come_back(&s);
    assert_true(was_seen(&s, "! DEVICES\n"));
    stage_finish(&s);
}

static void test_what_a_device_is_called(void **state)
{
    struct stage s = {.kept = 0};
    buffer_init(&s.seen, SIZE_MAX);
    visit_init(&s.visit, &stage_handler, "hub:1", true);
    snprintf(s.visit.label, sizeof s.visit.label, "laptop");
    visit_connected(&s.visit);
    stage_expect(&s, "! HELLO 3 SETNAME laptop\n! LOGIN\n");
    stage_finish(&s);
}

static void test_who_returns_logs_in(void **state)
{
    struct stage s;
    begin(&s, true);
    stage_hear(&s, "-NOLOGIN this device is nobody's|");
    stage_type(&s, "r");
    stage_type(&s, "bob");
    stage_type(&s, "wrong");
    stage_expect(&s, WHICH "? Your name: \n?? Your password: \n!! LOGIN bob wrong\n? \n");
    stage_hear(&s, "-ERR the name or the password is wrong|");
    stage_expect(&s, "P The hub says: the name or the password is wrong\n? Your name: \n");
    stage_type(&s, "bob");
    stage_type(&s, "right");
    stage_hear(&s, "+OK|");
    assert_string_equal(s.visit.name, "bob");
    assert_int_equal(s.visit.state, VISIT_HERE);
    stage_finish(&s);
}

static void test_a_program_that_may_not_come_in_ends(void **state)
{
    struct stage s;
    begin(&s, false);
    stage_hear(&s, "-NOLOGIN this device is nobody's|");
    stage_type(&s, "returning");
    stage_type(&s, "bob");
    stage_type(&s, "wrong");
    buffer_truncate(&s.seen, 0);
    stage_hear(&s, "-ERR wrong|");
    stage_expect(&s, "P The hub says: wrong\nleave 1\n");
    stage_finish(&s);
}

static void test_a_program_goes_straight_to_the_table(void **state)
{
    struct stage s;
    begin(&s, false);
    stage_hear(&s, "-NOLOGIN this device is nobody's|");
    stage_type(&s, "GET a");
    stage_expect(&s, WHICH "? > \n! GET a\n");
    visit_input_over(&s.visit);
    stage_expect(&s, "");
    stage_hear(&s, "$1|b|");
    stage_expect(&s, "A b\nleave 0\n");
    stage_finish(&s);
}

/* ---- the table, by words of the text door ---- */

static void test_the_table(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_type(&s, "STORE a = b c");
    stage_type(&s, "GET a");
    stage_type(&s, "GET none");
    stage_type(&s, "STORE a");
    stage_type(&s, "REPLIES terse");
    stage_type(&s, "STORE a = d");
    stage_type(&s, "GET none");
    stage_type(&s, "hello \x01");
    stage_expect(&s, "! STORE a b c\n! GET a\n! GET none\n"
                     "P Not stored: there is no '=' between key and value\n"
                     "! ECHO terse\n! STORE a d\n! GET none\n! ECHO hello \x01\n");
    stage_hear(&s, "+Saved|");
    stage_hear(&s, "$3|b c|");
    stage_hear(&s, "_|");
    stage_hear(&s, "$5|terse|");
    stage_hear(&s, "+Updated|");
    stage_hear(&s, "_|");
    stage_hear(&s, "$7|hello \x01|");
    stage_expect(&s, "A Saved Successfully for key:a\nA b c\nA Invalid Key:none\nA terse\nA 1\n"
                     "A ERROR\nA hello \\x01\n");
    stage_type(&s, "STORE a = e");
    stage_hear(&s, "-NOPERM not here|");
    stage_expect(&s, "! STORE a e\nA 0\n");
    stage_type(&s, "WATCH a");
    stage_hear(&s, ">3|$6|follow|$1|a|:1|");
    stage_hear(&s, ">5|$6|change|$1|a|$3|set|$1|a|$1|f|");
    stage_expect(&s, "! FOLLOW a\nA OK\nN a = f\n");
    stage_finish(&s);
}

static void test_stopping_the_hub_is_asked_about(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_type(&s, "QUIT");
    stage_type(&s, "");
    stage_expect(&s, "? Stop the hub for everyone? [y/N] \nn It goes on.\n? alice> \n");
    stage_type(&s, "QUIT now");
    visit_interrupted(&s.visit, false);
    stage_expect(&s,
                 "? Stop the hub for everyone? [y/N] \n? alice> \nn Ctrl+C again leaves.\n");
    stage_type(&s, "QUIT");
    stage_type(&s, "y");
    stage_expect(&s, "? Stop the hub for everyone? [y/N] \n! SHUTDOWN\n? alice> \n");
    stage_hear(&s, "-NOPERM not yours|");
    stage_expect(&s, "P Not allowed: not yours\n");
    stage_type(&s, "QUIT");
    stage_type(&s, "Yes");
    buffer_truncate(&s.seen, 0);
    visit_lost(&s.visit, "closed");
    stage_expect(&s, "A Server Quitting..!\nleave 0\n");
    stage_finish(&s);
}

static void test_a_lost_hub(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_type(&s, "GET a");
    visit_lost(&s.visit, "it was cut off");
    stage_expect(&s, "! GET a\nP Lost the hub at hub:1: it was cut off. Trying to get back.\n"
                     "P What was not answered yet may have been done, or not.\n? alice> \n");
    stage_type(&s, "GET b");
    stage_type(&s, "CLOSE_SESSION");
    stage_expect(&s, "P Not sent, the hub is away: GET b\nP No session\n");
    visit_connected(&s.visit);
    stage_hear(&s, "%0|");
    stage_hear(&s, "+OK|");
    stage_hear(&s, "$5|alice|");
    stage_expect(&s, "! HELLO 3\n! LOGIN\n! WHOAMI\nn The hub at hub:1 is back.\n"
                     "! GET_CLIENT_LIST\n? alice> \n");
    stage_finish(&s);
}

/* ---- people ---- */

#define ID "AAAAAAAAAAAAAAAAAAAAAA"
#define KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define PRINT "ciq9EumaU2fzda65ZyqOB3EuA8Kt0W-o1pFNHPou_gw"

static void test_who_is_here(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_hear(&s, ">2|$6|online|$5|carol|");
    stage_hear(&s, ">2|$7|offline|$3|bob|");
    stage_hear(&s, ">2|$6|online|$5|Alice|");
    stage_hear(&s, ">2|$6|online|$7|\x1b[2Jeve|");
    stage_hear(&s, ">2|$7|frobbed|$3|bob|");
    stage_expect(&s, "N carol is here\nN bob has left\n");
    stage_type(&s, "GET_CLIENT_LIST");
    stage_hear(&s, "+CLIENT_LIST<alice, carol>|");
    stage_type(&s, "/who");
    stage_hear(&s, "*2|*3|$5|alice|:990|:1|*3|$5|carol|:-6200|:2|");
    stage_expect(
        &s, "! GET_CLIENT_LIST\nA CLIENT_LIST<alice, carol>\n! WHO\nA alice        just now\n"
            "A carol        2 h, 2 devices\n");
    stage_finish(&s);
}

static void test_a_talk(void **state)
{
    static const struct bytes at[] = {{(const uint8_t *)"10.0.0.1:5000", 13}};
    struct stage s;
    begin_as_alice(&s);
    visit_set_candidates(&s.visit, at, 1);
    stage_type(&s, "CLOSE_SESSION");
    stage_type(&s, "GET_CLIENT_INFO<bob>");
    stage_expect(&s, "P No session\n! MEET bob 10.0.0.1:5000\n");
    stage_hear(&s, "$22|" ID "|");
    stage_type(&s, "/talk carol");
    stage_expect(&s, "n Asking bob to talk; /close withdraws that.\n"
                     "P bob has not answered yet; /close withdraws that.\n");
    stage_type(&s, "/close");
    stage_hear(&s, "+OK|");
    stage_expect(&s, "n bob is no longer asked.\n! CANCEL " ID "\n");
    stage_type(&s, "/talk bob");
    stage_hear(&s, "$22|" ID "|");
    buffer_truncate(&s.seen, 0);
    stage_hear(&s, ">4|$8|declined|$22|" ID "|$3|bob|$4|busy|");
    stage_type(&s, "/talk bob");
    stage_expect(&s, "N bob is busy.\n! MEET bob 10.0.0.1:5000\n");
    stage_hear(&s, "$22|" ID "|");
    stage_hear(&s, ">9|$10|introduced|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY
                   "|$5|dials|$10|10.0.0.2:9|$8|[::1]:99|$4|a:22|");
    visit_talk_begins(&s.visit, "bob", false);
    stage_expect(&s, "n Asking bob to talk; /close withdraws that.\nintroduced bob 1 2\n"
                     "N You talk with bob now; /close ends it.\n? alice to bob> \n");
    stage_type(&s, "GET a");
    stage_type(&s, "//who");
    stage_type(&s, "DISCONNECT_CLIENT");
    stage_type(&s, "/send my file");
    stage_expect(
        &s, "talk GET a\ntalk /who\nP You talk with bob: CLOSE_SESSION first.\nsend my file\n");
    visit_talk_heard(&s.visit, "bob", BYTES("hi\x1b[31m"));
    visit_talk_heard(&s.visit, "bob", BYTES("1\n\ncarol: \r3\n"));
    visit_talk_undelivered(&s.visit, "bob", BYTES("4\n5"), false);
    stage_expect(&s, "A bob: hi\\x1b[31m\nA bob: 1\nA bob: \nA bob: carol: \\x0d3\n"
                     "P Not delivered to bob: 4\nP Not delivered to bob: 5\n");
    visit_interrupted(&s.visit, false);
    stage_expect(&s,
                 "close bob\nn The talk with bob is over. What you type now is for the hub.\n"
                 "? alice> \n");
    stage_type(&s, "DISCONNECT_CLIENT");
    stage_expect(&s, "leave 0\n");
    stage_finish(&s);
}

static void test_who_leaves_gets_his_answers(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_type(&s, "GET a");
    buffer_truncate(&s.seen, 0);
    stage_type(&s, "DISCONNECT_CLIENT");
    assert_false(visit_takes_lines(&s.visit));
    stage_expect(&s, "");
    stage_hear(&s, "$1|b|");
    stage_expect(&s, "A b\nleave 0\n");
    stage_finish(&s);
}

/* carol is accepted by hand, eve by rule. */
static void begin_two_talks(struct stage *s)
{
    begin_as_alice(s);
    s->visit.accepts = "eve";
    stage_hear(s, ">5|$7|invited|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY "|");
    stage_type(s, "/accept");
    stage_hear(s, ">5|$7|invited|$22|" ID "|$3|Eve|$43|" PRINT "|$43|" KEY "|");
    visit_talk_begins(&s->visit, "Eve", false);
    visit_talk_begins(&s->visit, "carol", false);
    visit_talk_way(&s->visit, "carol", "direct 10.0.0.2");
}

static void test_several_talks(void **state)
{
    struct stage s;
    begin_two_talks(&s);
    stage_expect(
        &s, "N carol wants to talk: /accept or /decline\n! ACCEPT " ID "\n! ACCEPT " ID
            "\nN Eve is there to talk: /talk Eve\nN You talk with carol now; /close ends it.\n"
            "? alice to carol> \nN Talking with carol: direct 10.0.0.2\n");
    visit_talk_way(&s.visit, "Eve", "relayed");
    stage_forget(&s);
    stage_type(&s, "/talk eve");
    stage_type(&s, "one");
    visit_talk_heard(&s.visit, "carol", BYTES("two"));
    stage_expect(&s,
                 "n What you type is for Eve now.\n? alice to Eve> \ntalk one\nA carol: two\n");
    stage_type(&s, "/path");
    visit_talk_way(&s.visit, "carol", NULL);
    stage_expect(&s, "A Eve          relayed\nA carol        direct 10.0.0.2\n"
                     "P Lost carol. Trying to get back; what you say is kept.\n");
    visit_talk_refused(&s.visit, "no");
    stage_type(&s, "CLOSE_SESSION");
    stage_type(&s, "CLOSE_SESSION");
    stage_expect(&s,
                 "P Not said to Eve: no\nclose Eve\n"
                 "n The talk with Eve is over. What you type now is for the hub.\n? alice> \n"
                 "P No session\n"
                 "n /talk NAME puts a talk in front; /path tells which there are.\n");
    stage_finish(&s);
}

/* Her kith may have been started again, and know nothing of the talk. */
static void test_who_is_lost_is_asked_anew(void **state)
{
    struct stage s;
    begin_two_talks(&s);
    visit_talk_way(&s.visit, "carol", NULL);
    stage_forget(&s);
    stage_type(&s, "/talk carol");
    stage_expect(&s, "n What you type is for carol now.\n? alice to carol> \n! MEET carol\n");
    stage_hear(&s, "$22|" ID "|");
    stage_forget(&s);
    stage_hear(&s, ">7|$10|introduced|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY
                   "|$5|dials|$1|-|");
    visit_talk_way(&s.visit, "carol", "relayed");
    stage_expect(&s, "introduced carol 1 0\nN Talking with carol: relayed\n");
    stage_type(&s, "/talk carol");
    stage_expect(&s, "n What you type is for carol now.\n? alice to carol> \n");
    stage_finish(&s);
}

/* What was meant for carol is not said to the hub, which could read it. */
static void test_a_line_for_who_has_just_left(void **state)
{
    struct stage s;
    begin_two_talks(&s);
    visit_talk_ends(&s.visit, "Eve", "no connection came about");
    buffer_truncate(&s.seen, 0);
    visit_talk_ends(&s.visit, "carol", NULL);
    stage_type(&s, "a secret");
    stage_expect(&s, "N carol has ended the talk.\n? alice> \nP Not said: a secret\n"
                     "P The talk with carol is over; what you type now is for the hub.\n");
    stage_type(&s, "hello");
    stage_expect(&s, "! ECHO hello\n");
    visit_talk_undelivered(&s.visit, "carol", BYTES("\x1b!"), false);
    visit_talk_undelivered(&s.visit, "carol", BYTES("kept"), true);
    stage_type(&s, "/path");
    stage_expect(&s, "P Not delivered to carol: \\x1b!\nP Reached carol, but was not shown: "
                     "kept\nA You talk with nobody.\n");
    stage_finish(&s);
}

static void test_nor_are_those_that_were_pasted_with_it(void **state)
{
    static const char *const lines[] = {"a secret", "of two lines"};
    struct stage s;
    begin_two_talks(&s);
    visit_talk_ends(&s.visit, "Eve", "no connection came about");
    visit_talk_ends(&s.visit, "carol", NULL);
    stage_forget(&s);
    stage_paste(&s, lines, 2);
    stage_expect(&s, "P Not said: a secret\n"
                     "P The talk with carol is over; what you type now is for the hub.\n"
                     "P Not said: of two lines\n"
                     "P The talk with carol is over; what you type now is for the hub.\n");
    stage_type(&s, "hello");
    stage_expect(&s, "! ECHO hello\n");
    stage_finish(&s);
}

static void test_nor_is_it_for_who_comes_next(void **state)
{
    struct stage s;
    begin_two_talks(&s);
    stage_type(&s, "/talk bob");
    stage_hear(&s, "$22|" ID "|");
    visit_talk_ends(&s.visit, "carol", NULL);
    visit_talk_begins(&s.visit, "bob", false);
    buffer_truncate(&s.seen, 0);
    stage_type(&s, "for carol");
    stage_expect(&s, "P Not said: for carol\n"
                     "P The talk with carol is over; what you type now is for bob.\n");
    stage_type(&s, "for bob");
    stage_expect(&s, "talk for bob\n");
    stage_finish(&s);
}

/* What was meant for bob is not said to the hub, whose commands are. */
static void test_a_line_for_who_has_not_answered(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_type(&s, "/talk bob");
    stage_type(&s, "too early");
    stage_hear(&s, "$22|" ID "|");
    stage_type(&s, "a secret");
    stage_type(&s, "//a secret");
    stage_type(&s, "GET a");
    stage_type(&s, "GET_CLIENT_LIST");
    stage_expect(&s, "! MEET bob\nP Not said: too early\n"
                     "P bob has not answered yet; /close withdraws that.\n"
                     "n Asking bob to talk; /close withdraws that.\nP Not said: a secret\n"
                     "P bob has not answered yet; /close withdraws that.\n"
                     "P Not said: /a secret\n"
                     "P bob has not answered yet; /close withdraws that.\n"
                     "! GET a\n! GET_CLIENT_LIST\n");
    stage_type(&s, "/close");
    stage_type(&s, "hello");
    stage_expect(&s, "n bob is no longer asked.\n! CANCEL " ID "\n! ECHO hello\n");
    stage_finish(&s);
}

static void test_a_line_for_who_does_not_talk(void **state)
{
    static const char *const lines[] = {"a secret", "of two lines"};
    struct stage s;
    begin_as_alice(&s);
    stage_type(&s, "/talk bob");
    stage_hear(&s, "$22|" ID "|");
    stage_hear(&s, ">4|$8|declined|$22|" ID "|$3|bob|$8|declined|");
    stage_forget(&s);
    stage_paste(&s, lines, 2);
    stage_expect(&s, "P Not said: a secret\n"
                     "P There is no talk with bob; what you type now is for the hub.\n"
                     "P Not said: of two lines\n"
                     "P There is no talk with bob; what you type now is for the hub.\n");
    stage_type(&s, "hello");
    stage_expect(&s, "! ECHO hello\n");
    stage_type(&s, "/talk Ghost");
    stage_hear(&s, "+hello|");
    stage_hear(&s, "-ABSENT there is no 'Ghost' here at present|");
    stage_forget(&s);
    stage_type(&s, "GET a");
    stage_type(&s, "hello");
    stage_expect(&s, "! GET a\n! ECHO hello\n");
    stage_type(&s, "/talk Ghost");
    stage_hear(&s, "_|");
    stage_hear(&s, "+hello|");
    stage_hear(&s, "-ABSENT there is no 'Ghost' here at present|");
    stage_forget(&s);
    stage_type(&s, "a secret");
    stage_expect(&s, "P Not said: a secret\n"
                     "P There is no talk with Ghost; what you type now is for the hub.\n");
    stage_finish(&s);
}

/* It was accepted, and is being connected, or the hub says nothing more. */
static void test_a_line_for_a_talk_that_has_not_begun(void **state)
{
    static const char carol[] = ">5|$7|invited|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY "|";
    static const char both[] =
        ">7|$10|introduced|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY "|$5|dials|$1|-|";
    struct stage s;
    begin_as_alice(&s);
    stage_hear(&s, carol);
    stage_type(&s, "/accept");
    stage_forget(&s);
    stage_type(&s, "a secret");
    stage_type(&s, "/close");
    stage_type(&s, "hello");
    stage_expect(&s, "P Not said: a secret\n"
                     "P The talk with carol has not begun yet; /close gives it up.\n"
                     "n The talk with carol is given up.\n! ECHO hello\n");
    stage_hear(&s, carol);
    stage_type(&s, "/accept");
    stage_hear(&s, both);
    stage_forget(&s);
    visit_lost(&s.visit, "it was cut off"); /* a talk needs no hub */
    stage_forget(&s);
    stage_type(&s, "a secret");
    stage_expect(&s, "P Not said: a secret\n"
                     "P The talk with carol has not begun yet; /close gives it up.\n");
    visit_talk_ends(&s.visit, "carol", "no connection came about");
    stage_type(&s, "another");
    stage_type(&s, "/close");
    stage_expect(&s, "P The talk with carol is over: no connection came about.\n? alice> \n"
                     "P Not said: another\n"
                     "P There is no talk with carol; what you type now is for the hub.\n"
                     "P No session\n");
    stage_finish(&s);
}

static void test_a_line_when_the_hub_went_before_the_answer(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_type(&s, "/talk bob");
    stage_hear(&s, "$22|" ID "|");
    visit_lost(&s.visit, "it was cut off");
    visit_connected(&s.visit);
    stage_hear(&s, "%0|");
    stage_hear(&s, "+OK|");
    stage_hear(&s, "$5|alice|");
    stage_forget(&s);
    stage_type(&s, "a secret");
    stage_type(&s, "hello");
    stage_expect(&s, "P Not said: a secret\n"
                     "P There is no talk with bob; what you type now is for the hub.\n"
                     "! ECHO hello\n");
    stage_finish(&s);
}

/* Nobody is waited for once a talk has begun, in front or not. */
static void test_who_begins_is_no_longer_waited_for(void **state)
{
    struct stage s;
    begin_two_talks(&s);
    stage_type(&s, "/talk bob");
    stage_hear(&s, "+OK|");
    stage_hear(&s, "+OK|");
    stage_hear(&s, "$22|" ID "|");
    stage_hear(&s,
               ">7|$10|introduced|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|$5|dials|$1|-|");
    visit_talk_begins(&s.visit, "bob", false);
    stage_type(&s, "/close");
    stage_forget(&s);
    stage_type(&s, "hello");
    stage_expect(&s, "! ECHO hello\n");
    stage_finish(&s);
}

static void test_nobody_is_introduced_unasked(void **state)
{
    static const char bob[] =
        ">7|$10|introduced|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|$5|dials|$1|-|";
    struct stage s;
    begin_as_alice(&s);
    stage_hear(&s, bob);
    stage_expect(&s, "");
    stage_hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    stage_hear(&s, bob);
    stage_expect(&s, "N bob wants to talk: /accept or /decline\n");
    stage_hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    stage_type(&s, "/accept");
    stage_hear(&s, bob);
    stage_hear(&s, bob);
    stage_expect(&s, "N bob wants to talk: /accept or /decline\n! ACCEPT " ID
                     "\nintroduced bob 1 0\n");
    stage_finish(&s);
}

/* He may ask from another device, or from a program: that is one talk, and nothing waits. */
static void test_who_talks_already_is_accepted_again(void **state)
{
    struct stage s;
    begin_two_talks(&s);
    stage_forget(&s);
    stage_hear(&s, ">5|$7|invited|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY "|");
    stage_expect(&s, "! ACCEPT " ID "\n");
    stage_hear(&s, ">7|$10|introduced|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY
                   "|$5|dials|$1|-|");
    visit_talk_joins(&s.visit, "carol", true);
    visit_talk_joins(&s.visit, "carol", false);
    stage_expect(&s,
                 "introduced carol 1 0\nN carol is there at another device, too (verified).\n"
                 "N carol is there at another device, too.\n");
    visit_verified(&s.visit, BYTES("carol"));
    visit_talk_joins(&s.visit, "carol", false);
    stage_expect(&s, "N carol is there at another device, too, which is not verified.\n");
    stage_type(&s, "/close");
    stage_forget(&s);
    stage_type(&s, "hello");
    stage_expect(&s, "! ECHO hello\n");
    stage_finish(&s);
}

static void test_who_asks_whom_he_is_asked_by_accepts(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    stage_type(&s, "/talk BOB");
    stage_expect(&s, "N bob wants to talk: /accept or /decline\n! ACCEPT " ID "\n");
    stage_hear(&s, "+OK|");
    stage_type(&s, "/talk carol");
    stage_hear(&s, "$22|" ID "|");
    stage_forget(&s);
    stage_hear(&s, ">5|$7|invited|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY "|");
    stage_expect(&s, "! ACCEPT " ID "\n");
    stage_finish(&s);
}

/* alice's, under another id than bob's, which she has accepted. */
static void begin_two_that_cross(struct stage *s)
{
    begin_as_alice(s);
    stage_type(s, "/talk bob");
    stage_hear(s, "$22|BBBBBBBBBBBBBBBBBBBBBA|");
    stage_hear(s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
}

/* What is left of two invitations that crossed is taken back, and listened to if that is late.
 */
static void test_one_invitation_is_enough(void **state)
{
    struct stage s;
    begin_two_that_cross(&s);
    stage_forget(&s);
    stage_hear(&s,
               ">7|$10|introduced|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|$5|dials|$1|-|");
    stage_expect(&s, "! CANCEL BBBBBBBBBBBBBBBBBBBBBA\nintroduced bob 1 0\n");
    visit_talk_begins(&s.visit, "bob", false);
    stage_forget(&s);
    stage_hear(&s, ">7|$10|introduced|$22|BBBBBBBBBBBBBBBBBBBBBA|$3|bob|$43|" PRINT "|$43|" KEY
                   "|$5|dials|$1|-|");
    stage_expect(&s, "introduced bob 1 0\n");
    stage_finish(&s);
}

/* His is gone by the time it is accepted, since ours was: that is no news, and changes nothing.
 */
static void test_the_other_of_two_that_crossed(void **state)
{
    struct stage s;
    begin_two_that_cross(&s);
    stage_hear(&s, ">7|$10|introduced|$22|BBBBBBBBBBBBBBBBBBBBBA|$3|bob|$43|" PRINT "|$43|" KEY
                   "|$5|dials|$1|-|");
    stage_forget(&s);
    stage_hear(&s, ">4|$8|declined|$22|" ID "|$3|bob|$4|gone|");
    stage_hear(&s, "-GONE nothing waits for an answer under '" ID "'|");
    stage_expect(&s, "");
    visit_talk_begins(&s.visit, "bob", false);
    stage_expect(&s, "N You talk with bob now; /close ends it.\n? alice to bob> \n");
    stage_finish(&s);
}

/* Where no other is on its way, the talk that was wanted is missed. */
static void test_what_is_accepted_and_gone(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    stage_type(&s, "/accept");
    stage_forget(&s);
    stage_hear(&s, ">4|$8|declined|$22|" ID "|$3|bob|$4|gone|");
    stage_hear(&s, "-GONE nothing waits for an answer under '" ID "'|");
    stage_expect(&s, "N bob asks no longer.\n");
    stage_type(&s, "a secret");
    assert_null(memmem(s.seen.data, buffer_len(&s.seen), "! ECHO", 6));
    stage_forget(&s);
    stage_finish(&s);
}

/* Who has asked, and does so no longer, is not said to have refused. */
static void test_how_his_invitation_ends(void **state)
{
    static const char *const ends[][2] = {
        {"$8|declined|", "N bob was declined from another device of yours.\n"},
        {"$4|gone|", "N bob asks no longer.\n"},
        {"$7|timeout|", "N bob asks no longer.\n"},
        {"$8|answered|", "N bob was answered at another device of yours.\n"},
    };
    struct stage s;
    char refusal[200];
    begin_as_alice(&s);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        stage_hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
        stage_forget(&s);
        snprintf(refusal, sizeof refusal, ">4|$8|declined|$22|" ID "|$3|bob|%s", ends[i][0]);
        stage_hear(&s, refusal);
        stage_expect(&s, ends[i][1]);
    }
    stage_finish(&s);
}

/* The hub says that the one asked for, or accepted, is somebody else. */
static void test_nobody_else_is_introduced(void **state)
{
    static const char eve[] =
        ">7|$10|introduced|$22|" ID "|$3|eve|$43|" PRINT "|$43|" KEY "|$5|dials|$1|-|";
    struct stage s;
    begin_as_alice(&s);
    stage_type(&s, "/talk bob");
    stage_hear(&s, "$22|" ID "|");
    stage_hear(&s, eve);
    stage_type(&s, "/close");
    stage_hear(&s, "+OK|");
    stage_expect(&s, "! MEET bob\nn Asking bob to talk; /close withdraws that.\n"
                     "n bob is no longer asked.\n! CANCEL " ID "\n");
    stage_hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    stage_type(&s, "/accept");
    stage_hear(&s, eve);
    stage_expect(&s, "N bob wants to talk: /accept or /decline\n! ACCEPT " ID "\n");
    stage_finish(&s);
}

/* A hub that tells without end and never answers. */
static void test_a_hub_that_only_tells(void **state)
{
    struct stage s;
    char name[64];
    begin_as_alice(&s);
    s.visit.accepts = "all";
    for (size_t i = 0; i < LIMIT_UNANSWERED + 10; i++)
        stage_hear(&s, ">5|$7|invited|$22|" ID "|$3|bob|$43|" PRINT "|$43|" KEY "|");
    assert_int_equal(s.visit.asked_count, LIMIT_UNANSWERED);
    for (size_t i = 0; i < LIMIT_NAMES + 10; i++) {
        snprintf(name, sizeof name, ">2|$6|online|$9|%09zu|", i);
        stage_hear(&s, name);
    }
    assert_int_equal(s.visit.name_count, LIMIT_NAMES);
    stage_hear(&s, ">2|$7|offline|$9|000000000|");
    assert_int_equal(s.visit.name_count, LIMIT_NAMES - 1);
    stage_finish(&s);
}

static void test_invitations(void **state)
{
    static const char carol[] = ">5|$7|invited|$22|" ID "|$5|carol|$43|" PRINT "|$43|" KEY "|";
    struct stage s;
    begin_as_alice(&s);
    stage_type(&s, "/accept");
    stage_hear(&s, carol);
    stage_type(&s, "/accept bob");
    stage_expect(&s, "P Nobody asks to talk.\nN carol wants to talk: /accept or /decline\n"
                     "P bob does not ask to talk.\n");
    stage_type(&s, "/accept");
    stage_hear(&s, "+OK|");
    stage_hear(&s, carol);
    stage_type(&s, "/decline Carol");
    stage_hear(&s, "-ERR it is over|");
    stage_expect(&s,
                 "! ACCEPT " ID "\nN carol wants to talk: /accept or /decline\n! DECLINE " ID
                 "\nP The hub says: it is over\n");
    for (size_t i = 0; i < 20; i++)
        stage_hear(&s, carol);
    assert_int_equal(s.visit.incoming_count, 16);
    /* a key that is not the fingerprint's */
    buffer_truncate(&s.seen, 0);
    stage_hear(&s, ">5|$7|invited|$22|" ID "|$3|eve|$43|" KEY "|$43|" KEY "|");
    stage_expect(&s, "");
    stage_finish(&s);
}

static void test_somebody_waits_at_the_relay(void **state)
{
    struct stage s;
    begin_as_alice(&s);
    stage_hear(&s, ">2|$5|relay|$22|" ID "|");
    stage_expect(&s, "relay " ID "\n");
    stage_hear(&s, ">2|$10|unbelieved|$22|" ID "|");
    stage_expect(&s, "unbelieved " ID "\n");
    stage_hear(&s, ">2|$5|relay|$5|short|");
    stage_hear(&s, ">2|$10|unbelieved|$5|short|");
    stage_hear(&s, ">1|$5|relay|");
    stage_hear(&s, ">3|$5|relay|$22|" ID "|$3|bob|");
    stage_expect(&s, "");
    stage_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_known_device_is_not_asked),
        cmocka_unit_test(test_who_is_asked_may_leave),
        cmocka_unit_test(test_who_is_new_registers),
        cmocka_unit_test(test_a_hub_that_takes_no_new_accounts),
        cmocka_unit_test(test_a_device_that_is_revoked_now),
        cmocka_unit_test(test_another_device_of_ones_own),
        cmocka_unit_test(test_who_has_ended_a_talk_was_revoked),
        cmocka_unit_test(test_a_talk_that_goes_on_at_another_device),
        cmocka_unit_test(test_an_unsigned_device_is_told_so_once),
        cmocka_unit_test(test_another_is_told_nothing),
        cmocka_unit_test(test_who_was_not_answered_asks_again),
        cmocka_unit_test(test_what_a_device_is_called),
        cmocka_unit_test(test_a_device_that_is_revoked_meanwhile),
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
        cmocka_unit_test(test_who_is_lost_is_asked_anew),
        cmocka_unit_test(test_a_line_for_who_has_just_left),
        cmocka_unit_test(test_nor_are_those_that_were_pasted_with_it),
        cmocka_unit_test(test_nor_is_it_for_who_comes_next),
        cmocka_unit_test(test_a_line_for_who_has_not_answered),
        cmocka_unit_test(test_a_line_for_who_does_not_talk),
        cmocka_unit_test(test_a_line_for_a_talk_that_has_not_begun),
        cmocka_unit_test(test_a_line_when_the_hub_went_before_the_answer),
        cmocka_unit_test(test_who_begins_is_no_longer_waited_for),
        cmocka_unit_test(test_nobody_is_introduced_unasked),
        cmocka_unit_test(test_who_talks_already_is_accepted_again),
        cmocka_unit_test(test_who_asks_whom_he_is_asked_by_accepts),
        cmocka_unit_test(test_one_invitation_is_enough),
        cmocka_unit_test(test_the_other_of_two_that_crossed),
        cmocka_unit_test(test_what_is_accepted_and_gone),
        cmocka_unit_test(test_how_his_invitation_ends),
        cmocka_unit_test(test_nobody_else_is_introduced),
        cmocka_unit_test(test_a_hub_that_only_tells),
        cmocka_unit_test(test_somebody_waits_at_the_relay),
        cmocka_unit_test(test_invitations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
