/* Words that two compare during a visit: what is typed and told, against all that comes of it.
 */

#include "support/stage.h"

#include "unit.h"

static const struct public_key his = {{7}};
static const char *const words[] = {"acid", "bacon", "cabin", "daily", "eagle"},
                         *const others[] = {"zebra", "yacht", "wagon", "vapor", "uncle"};

static void reply(struct stage *s, const struct resp_value *values, size_t count)
{
    visit_reply(&s->visit, values, count, (struct walltime){100 * 1000});
}

/* Alice, who has asked bob to talk. */
static void begin(struct stage *s, bool person)
{
    const struct resp_value map = {.kind = RESP_MAP}, ok = {.kind = RESP_STATUS},
                            name = {.kind = RESP_BULK, .text = BYTES("alice")},
                            list = {.kind = RESP_STATUS, .text = BYTES("CLIENT_LIST<>")},
                            id = {.kind = RESP_STATUS, .text = BYTES("id")};
    stage_begin(s, person);
    reply(s, &map, 1);
    reply(s, &ok, 1);
    reply(s, &name, 1);
    reply(s, &list, 1);
    stage_type(s, "/talk bob");
    reply(s, &id, 1);
    visit_talk_begins(&s->visit, "bob", false);
    buffer_truncate(&s->seen, 0);
}

static void hear_words(struct stage *s, const char *name, const char *const *which)
{
    visit_words(&s->visit, name, which, 5, &his);
}

#define QUESTION "? Are these the words bob sees? [yes/no] \n"
#define ASKED                                             \
    "N The words for bob: acid bacon cabin daily eagle\n" \
    "n Compare them by another way than this: side by side, or on the telephone.\n" QUESTION
#define TOLD                                                        \
    "N bob compares words with you: acid bacon cabin daily eagle\n" \
    "n Look at them together; then /verify bob\n"
#define WARNING                                                             \
    "P Somebody may be between you and bob: trust nothing that was said.\n" \
    "P There is no talk with that device any more; kith forget bob begins anew.\n"

static void ask_for_words(struct stage *s, const char *line)
{
    begin(s, true);
    stage_type(s, line);
    stage_expect(s, "n Asking the kith of bob for words to compare.\nverify bob\n");
    hear_words(s, "bob", words);
    stage_expect(s, ASKED);
}

static void test_they_are_the_same(void **state)
{
    static const char *const lines[] = {"/verify", "/verify BOB", "VERIFY bob", "VERIFY<bob>"};
    static const char *const answers[] = {" Yes ", "yes", "y", " Y"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct stage s;
        ask_for_words(&s, lines[i]);
        stage_type(&s, answers[i]);
        stage_expect(&s,
                     "judged bob 1\nn bob is verified, at this device.\n? alice to bob> \n");
        stage_type(&s, "yes");
        stage_expect(&s, "talk yes\n");
        stage_finish(&s);
    }
}

static void test_they_are_not(void **state)
{
    static const char *const answers[] = {"no", "n", "N "};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct stage s;
        ask_for_words(&s, "/verify");
        stage_type(&s, answers[i]);
        stage_expect(
            &s, "judged bob 0\n" WARNING
                "close bob\nn The talk with bob is over. What you type now is for the hub.\n"
                "? alice> \n? alice> \n");
        stage_finish(&s);
    }
}

/* Nothing else is an answer, and it is said to nobody. */
static void test_neither(void **state)
{
    static const char *const lines[] = {"", "ye", "yn", "yess", "yes, they are", "/close"};
    struct stage s;
    ask_for_words(&s, "/verify");
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        stage_type(&s, lines[i]);
        stage_expect(&s, "P yes, or no? Ctrl+C puts it off.\n");
    }
    visit_interrupted(&s.visit, false);
    stage_expect(&s, "n Not answered; /verify bob asks again.\n? alice to bob> \n");
    stage_type(&s, "hello");
    stage_expect(&s, "talk hello\n");
    stage_type(&s, "/verify bob");
    stage_expect(&s, ASKED);
    stage_finish(&s);
}

/* What is being typed for bob never answers what bob has begun. */
static void test_the_other_side_begins(void **state)
{
    struct stage s;
    begin(&s, true);
    hear_words(&s, "bob", words);
    stage_expect(&s, TOLD);
    stage_type(&s, "yes");
    stage_expect(&s, "talk yes\n");
    stage_type(&s, "/verify");
    stage_expect(&s, ASKED);
    stage_type(&s, "yes");
    stage_expect(&s, "judged bob 1\nn bob is verified, at this device.\n? alice to bob> \n");
    stage_finish(&s);
}

static void test_other_words_close_the_question(void **state)
{
    struct stage s;
    ask_for_words(&s, "/verify");
    hear_words(&s, "bob", others);
    stage_expect(&s, "N bob compares words with you: zebra yacht wagon vapor uncle\n"
                     "n Look at them together; then /verify bob\n? alice to bob> \n");
    stage_type(&s, "yes");
    stage_expect(&s, "talk yes\n");
    stage_finish(&s);
}

static void test_words_of_two(void **state)
{
    struct stage s;
    ask_for_words(&s, "/verify");
    visit_talk_begins(&s.visit, "carol", false);
    stage_expect(&s, "N carol is there to talk: /talk carol\n");
    hear_words(&s, "carol", others);
    stage_expect(&s, "N carol compares words with you, too; later: /verify carol\n");
    stage_type(&s, "yes");
    stage_expect(&s, "judged bob 1\nn bob is verified, at this device.\n? alice to bob> \n");
    stage_type(&s, "/verify carol");
    stage_expect(&s, "n Asking the kith of carol for words to compare.\nverify carol\n");
    stage_finish(&s);
}

/* Who was shown them can be asked, though the other side has left: kith verify does. */
static void test_the_talk_is_over(void **state)
{
    struct stage s;
    begin(&s, true);
    hear_words(&s, "bob", words);
    visit_talk_ends(&s.visit, "bob", NULL);
    buffer_truncate(&s.seen, 0);
    stage_type(&s, "/verify bob");
    stage_expect(&s, ASKED);
    visit_lost(&s.visit, "gone");
    buffer_truncate(&s.seen, 0);
    stage_type(&s, "no");
    stage_expect(&s, "judged bob 0\n" WARNING "? alice> \n");
    stage_finish(&s);
}

static void test_words_of_another_talk_are_forgotten(void **state)
{
    struct stage s;
    begin(&s, true);
    hear_words(&s, "bob", words);
    visit_talk_ends(&s.visit, "bob", NULL);
    visit_talk_begins(&s.visit, "bob", false);
    buffer_truncate(&s.seen, 0);
    stage_type(&s, "/verify bob");
    stage_expect(&s, "n Asking the kith of bob for words to compare.\nverify bob\n");
    stage_finish(&s);
}

static void test_a_talk_that_is_not_in_front(void **state)
{
    struct stage s;
    begin(&s, true);
    visit_talk_begins(&s.visit, "carol", true);
    stage_expect(&s, "N carol (verified) is there to talk: /talk carol\n");
    hear_words(&s, "carol", others);
    stage_type(&s, "/verify carol");
    buffer_truncate(&s.seen, 0);
    stage_type(&s, "no");
    stage_expect(
        &s, "judged carol 0\n"
            "P Somebody may be between you and carol: trust nothing that was said.\n"
            "P There is no talk with that device any more; kith forget carol begins anew.\n"
            "close carol\nn The talk with carol is over.\n? alice to bob> \n");
    stage_finish(&s);
}

static void test_it_cannot_be_remembered(void **state)
{
    struct stage s;
    ask_for_words(&s, "/verify");
    s.kept = -5;
    stage_type(&s, "yes");
    stage_expect(&s, "judged bob 1\n? alice to bob> \n");
    assert_true(list_is_empty(&s.visit.verified));
    stage_finish(&s);
}

static void test_no_words(void **state)
{
    struct stage s;
    begin(&s, true);
    stage_type(&s, "/verify");
    buffer_truncate(&s.seen, 0);
    visit_words_fail(&s.visit, "bob", "nobody is there to compare them");
    stage_expect(&s, "P No words with bob: nobody is there to compare them\n");
    hear_words(&s, "bob", words);
    stage_expect(&s, TOLD);
    stage_finish(&s);
}

/* Whoever has that device now is not to be verified by them. */
static void test_words_of_a_device_that_is_revoked(void **state)
{
    struct stage s;
    ask_for_words(&s, "/verify");
    stage_hear_revoked(&s, "bob", &(struct public_key){{8}});
    stage_forget(&s);
    assert_true(s.visit.words.open);
    stage_hear_revoked(&s, "bob", &his);
    stage_expect(&s,
                 "P No words with bob: the device they were of was revoked.\n? alice to bob> "
                 "\nrevoked 7\n"
                 "N A device of bob's was revoked; the talk goes on at another.\n");
    stage_type(&s, "yes");
    stage_expect(&s, "talk yes\n");
    stage_finish(&s);
}

static void test_whom(void **state)
{
    struct stage s;
    begin(&s, true);
    stage_type(&s, "/verify carol");
    stage_expect(&s, "P You do not talk with carol; /talk him first.\n");
    stage_type(&s, "/verify c/rol");
    stage_expect(&s, "P Nobody can be called c/rol\n");
    stage_type(&s, "VERIFY");
    stage_expect(&s, "P Whom? VERIFY NAME\n");
    visit_talk_ends(&s.visit, "bob", NULL);
    buffer_truncate(&s.seen, 0);
    stage_type(&s, "/verify");
    stage_expect(&s, "P Whom? /verify NAME, with whom you talk.\n");
    stage_finish(&s);
}

static void test_a_program_compares_nothing(void **state)
{
    struct stage s;
    begin(&s, false);
    stage_type(&s, "/verify bob");
    stage_expect(&s, "P Words are compared by a person at a terminal.\n");
    stage_finish(&s);
}

static void test_who_is_verified_is_shown(void **state)
{
    const struct resp_value who[] = {
        {.kind = RESP_ARRAY, .number = 2},           {.kind = RESP_ARRAY, .number = 3},
        {.kind = RESP_BULK, .text = BYTES("Bob")},   {.kind = RESP_INTEGER, .number = 40},
        {.kind = RESP_INTEGER, .number = 2},         {.kind = RESP_ARRAY, .number = 3},
        {.kind = RESP_BULK, .text = BYTES("carol")}, {.kind = RESP_INTEGER, .number = 40},
        {.kind = RESP_INTEGER, .number = 1}};
    struct stage s;
    ask_for_words(&s, "/verify");
    stage_type(&s, "yes");
    buffer_truncate(&s.seen, 0);
    stage_type(&s, "/who");
    reply(&s, who, COUNT_OF(who));
    stage_expect(&s,
                 "! WHO\nA Bob          1 min, 2 devices, verified\nA carol        1 min\n");
    visit_verified(&s.visit, BYTES("Carol"));
    visit_verified(&s.visit, BYTES("no/body"));
    stage_type(&s, "/who");
    reply(&s, who, COUNT_OF(who));
    stage_expect(
        &s,
        "! WHO\nA Bob          1 min, 2 devices, verified\nA carol        1 min, verified\n");
    stage_finish(&s);
}

static void test_his_devices_are_asked_for(void **state)
{
    const struct resp_value list = {.kind = RESP_ARRAY};
    struct stage s;
    begin(&s, true);
    assert_int_equal(visit_ask_devices(&s.visit, "bob"), 1);
    assert_int_equal(visit_ask_devices(&s.visit, "carol"), 2);
    stage_expect(&s, "! DEVICES OF bob\n! DEVICES OF carol\n");
    reply(&s, &list, 1);
    reply(&s, &list, 1);
    stage_expect(&s, "devices 1 1\ndevices 2 1\n");
    visit_lost(&s.visit, "gone");
    buffer_truncate(&s.seen, 0);
    assert_int_equal(visit_ask_devices(&s.visit, "bob"), 0);
    stage_expect(&s, "");
    stage_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_his_devices_are_asked_for),
        cmocka_unit_test(test_they_are_the_same),
        cmocka_unit_test(test_they_are_not),
        cmocka_unit_test(test_neither),
        cmocka_unit_test(test_the_other_side_begins),
        cmocka_unit_test(test_other_words_close_the_question),
        cmocka_unit_test(test_words_of_two),
        cmocka_unit_test(test_the_talk_is_over),
        cmocka_unit_test(test_words_of_another_talk_are_forgotten),
        cmocka_unit_test(test_a_talk_that_is_not_in_front),
        cmocka_unit_test(test_it_cannot_be_remembered),
        cmocka_unit_test(test_no_words),
        cmocka_unit_test(test_words_of_a_device_that_is_revoked),
        cmocka_unit_test(test_whom),
        cmocka_unit_test(test_a_program_compares_nothing),
        cmocka_unit_test(test_who_is_verified_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
