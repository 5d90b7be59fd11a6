/* Words that two compare during a visit: what is typed and told, against all that comes of it.
 */

#include "client/visit.h"

#include "unit.h"

struct stage {
    struct visit visit;
    struct buffer seen; /* all that the handler was told, a line each */
    int kept;           /* what judged returns */
};

static const struct public_key his = {{7}};
static const char *const words[] = {"acid", "bacon", "cabin", "daily", "eagle"},
                         *const others[] = {"zebra", "yacht", "wagon", "vapor", "uncle"};

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
    buffer_printf(&stage_of(v)->seen, "? %.*s\n", (int)text.len, (const char *)text.data);
}

static int on_request(struct visit *v, const struct bytes *argv, size_t argc, bool secret)
{
    if (bytes_equal_str(argv[0], "DEVICES"))
        buffer_printf(&stage_of(v)->seen, "! DEVICES %.*s %.*s\n", (int)argv[1].len,
                      (const char *)argv[1].data, (int)argv[2].len, (const char *)argv[2].data);
    return 0;
}

static void on_leave(struct visit *v, enum visit_end end)
{
    buffer_printf(&stage_of(v)->seen, "leave %d\n", end);
}

static void on_introduced(struct visit *v, const struct notice *n)
{
}

static void on_talk_say(struct visit *v, struct bytes text)
{
    buffer_printf(&stage_of(v)->seen, "talk %.*s\n", (int)text.len, (const char *)text.data);
}

static void on_talk_close(struct visit *v, const char *name)
{
    buffer_printf(&stage_of(v)->seen, "close %s\n", name);
}

static void on_verify(struct visit *v, const char *name)
{
    buffer_printf(&stage_of(v)->seen, "verify %s\n", name);
}

static int on_judged(struct visit *v, const char *name, const struct public_key *key, bool same)
{
    assert_memory_equal(key, &his, sizeof his);
    buffer_printf(&stage_of(v)->seen, "judged %s %d\n", name, same);
    return stage_of(v)->kept;
}

static void on_devices(struct visit *v, uint64_t number, const struct resp_value *values,
                       size_t count)
{
    buffer_printf(&stage_of(v)->seen, "devices %d %zu\n", (int)number, count);
}

static const struct visit_handler handler = {.say = on_say,
                                             .prompt = on_prompt,
                                             .request = on_request,
                                             .leave = on_leave,
                                             .introduced = on_introduced,
                                             .talk_say = on_talk_say,
                                             .talk_send = on_talk_say,
                                             .talk_close = on_talk_close,
                                             .talk_verify = on_verify,
                                             .judged = on_judged,
                                             .devices = on_devices};

static void expect(struct stage *s, const char *want)
{
    assert_bytes(buffer_view(&s->seen), bytes_from_str(want));
    buffer_truncate(&s->seen, 0);
}

static void reply(struct stage *s, const struct resp_value *values, size_t count)
{
    visit_reply(&s->visit, values, count, (struct walltime){100 * 1000});
}

static void type(struct stage *s, const char *line)
{
    assert_true(visit_takes_lines(&s->visit));
    visit_typed(&s->visit, bytes_from_str(line));
}

/* Alice, who has asked bob to talk. */
static void begin(struct stage *s, bool person)
{
    const struct resp_value map = {.kind = RESP_MAP}, ok = {.kind = RESP_STATUS},
                            name = {.kind = RESP_BULK, .text = BYTES("alice")},
                            list = {.kind = RESP_STATUS, .text = BYTES("CLIENT_LIST<>")},
                            id = {.kind = RESP_STATUS, .text = BYTES("id")};
    *s = (struct stage){.kept = 0};
    buffer_init(&s->seen, SIZE_MAX);
    visit_init(&s->visit, &handler, "hub:1", person);
    visit_connected(&s->visit);
    reply(s, &map, 1);
    reply(s, &ok, 1);
    reply(s, &name, 1);
    reply(s, &list, 1);
    type(s, "/talk bob");
    reply(s, &id, 1);
    visit_talk_begins(&s->visit, "bob", false);
    buffer_truncate(&s->seen, 0);
}

static void finish(struct stage *s)
{
    visit_fini(&s->visit);
    buffer_fini(&s->seen);
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
    type(s, line);
    expect(s, "n Asking the kith of bob for words to compare.\nverify bob\n");
    hear_words(s, "bob", words);
    expect(s, ASKED);
}

static void test_they_are_the_same(void **state)
{
    static const char *const lines[] = {"/verify", "/verify BOB", "VERIFY bob", "VERIFY<bob>"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct stage s;
        ask_for_words(&s, lines[i]);
        type(&s, " Yes ");
        expect(&s, "judged bob 1\nn bob is verified, at this device.\n? alice to bob> \n");
        type(&s, "yes");
        expect(&s, "talk yes\n");
        finish(&s);
    }
}

static void test_they_are_not(void **state)
{
    struct stage s;
    ask_for_words(&s, "/verify");
    type(&s, "no");
    expect(&s, "judged bob 0\n" WARNING
               "close bob\nn The talk with bob is over. What you type now is for the hub.\n"
               "? alice> \n? alice> \n");
    finish(&s);
}

/* Nothing else is an answer, and it is said to nobody. */
static void test_neither(void **state)
{
    static const char *const lines[] = {"", "y", "n", "yess", "yes, they are", "/close"};
    struct stage s;
    ask_for_words(&s, "/verify");
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        type(&s, lines[i]);
        expect(&s, "P yes, or no? Ctrl+C puts it off.\n");
    }
    visit_interrupted(&s.visit, false);
    expect(&s, "n Not answered; /verify bob asks again.\n? alice to bob> \n");
    type(&s, "hello");
    expect(&s, "talk hello\n");
    type(&s, "/verify bob");
    expect(&s, ASKED);
    finish(&s);
}

/* What is being typed for bob never answers what bob has begun. */
static void test_the_other_side_begins(void **state)
{
    struct stage s;
    begin(&s, true);
    hear_words(&s, "bob", words);
    expect(&s, TOLD);
    type(&s, "yes");
    expect(&s, "talk yes\n");
    type(&s, "/verify");
    expect(&s, ASKED);
    type(&s, "yes");
    expect(&s, "judged bob 1\nn bob is verified, at this device.\n? alice to bob> \n");
    finish(&s);
}

static void test_other_words_close_the_question(void **state)
{
    struct stage s;
    ask_for_words(&s, "/verify");
    hear_words(&s, "bob", others);
    expect(&s, "N bob compares words with you: zebra yacht wagon vapor uncle\n"
               "n Look at them together; then /verify bob\n? alice to bob> \n");
    type(&s, "yes");
    expect(&s, "talk yes\n");
    finish(&s);
}

static void test_words_of_two(void **state)
{
    struct stage s;
    ask_for_words(&s, "/verify");
    visit_talk_begins(&s.visit, "carol", false);
    expect(&s, "N carol is there to talk: /talk carol\n");
    hear_words(&s, "carol", others);
    expect(&s, "N carol compares words with you, too; later: /verify carol\n");
    type(&s, "yes");
    expect(&s, "judged bob 1\nn bob is verified, at this device.\n? alice to bob> \n");
    type(&s, "/verify carol");
    expect(&s, "n Asking the kith of carol for words to compare.\nverify carol\n");
    finish(&s);
}

/* Who was shown them can be asked, though the other side has left: kith verify does. */
static void test_the_talk_is_over(void **state)
{
    struct stage s;
    begin(&s, true);
    hear_words(&s, "bob", words);
    visit_talk_ends(&s.visit, "bob", NULL);
    buffer_truncate(&s.seen, 0);
    type(&s, "/verify bob");
    expect(&s, ASKED);
    visit_lost(&s.visit, "gone");
    buffer_truncate(&s.seen, 0);
    type(&s, "no");
    expect(&s, "judged bob 0\n" WARNING "? alice> \n");
    finish(&s);
}

static void test_words_of_another_talk_are_forgotten(void **state)
{
    struct stage s;
    begin(&s, true);
    hear_words(&s, "bob", words);
    visit_talk_ends(&s.visit, "bob", NULL);
    visit_talk_begins(&s.visit, "bob", false);
    buffer_truncate(&s.seen, 0);
    type(&s, "/verify bob");
    expect(&s, "n Asking the kith of bob for words to compare.\nverify bob\n");
    finish(&s);
}

static void test_a_talk_that_is_not_in_front(void **state)
{
    struct stage s;
    begin(&s, true);
    visit_talk_begins(&s.visit, "carol", true);
    expect(&s, "N carol (verified) is there to talk: /talk carol\n");
    hear_words(&s, "carol", others);
    type(&s, "/verify carol");
    buffer_truncate(&s.seen, 0);
    type(&s, "no");
    expect(&s, "judged carol 0\n"
               "P Somebody may be between you and carol: trust nothing that was said.\n"
               "P There is no talk with that device any more; kith forget carol begins anew.\n"
               "close carol\nn The talk with carol is over.\n? alice to bob> \n");
    finish(&s);
}

static void test_it_cannot_be_remembered(void **state)
{
    struct stage s;
    ask_for_words(&s, "/verify");
    s.kept = -5;
    type(&s, "yes");
    expect(&s, "judged bob 1\n? alice to bob> \n");
    assert_true(list_is_empty(&s.visit.verified));
    finish(&s);
}

static void test_no_words(void **state)
{
    struct stage s;
    begin(&s, true);
    type(&s, "/verify");
    buffer_truncate(&s.seen, 0);
    visit_words_fail(&s.visit, "bob", "nobody is there to compare them");
    expect(&s, "P No words with bob: nobody is there to compare them\n");
    hear_words(&s, "bob", words);
    expect(&s, TOLD);
    finish(&s);
}

static void test_whom(void **state)
{
    struct stage s;
    begin(&s, true);
    type(&s, "/verify carol");
    expect(&s, "P You do not talk with carol; /talk him first.\n");
    type(&s, "/verify c/rol");
    expect(&s, "P Nobody can be called c/rol\n");
    type(&s, "VERIFY");
    expect(&s, "P Whom? VERIFY NAME\n");
    visit_talk_ends(&s.visit, "bob", NULL);
    buffer_truncate(&s.seen, 0);
    type(&s, "/verify");
    expect(&s, "P Whom? /verify NAME, with whom you talk.\n");
    finish(&s);
}

static void test_a_program_compares_nothing(void **state)
{
    struct stage s;
    begin(&s, false);
    type(&s, "/verify bob");
    expect(&s, "P Words are compared by a person at a terminal.\n");
    finish(&s);
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
    type(&s, "yes");
    buffer_truncate(&s.seen, 0);
    type(&s, "/who");
    reply(&s, who, COUNT_OF(who));
    expect(&s, "A Bob          1 min, 2 devices, verified\nA carol        1 min\n");
    visit_verified(&s.visit, BYTES("Carol"));
    visit_verified(&s.visit, BYTES("no/body"));
    type(&s, "/who");
    reply(&s, who, COUNT_OF(who));
    expect(&s, "A Bob          1 min, 2 devices, verified\nA carol        1 min, verified\n");
    finish(&s);
}

static void test_his_devices_are_asked_for(void **state)
{
    const struct resp_value list = {.kind = RESP_ARRAY};
    struct stage s;
    begin(&s, true);
    assert_int_equal(visit_ask_devices(&s.visit, "bob"), 1);
    assert_int_equal(visit_ask_devices(&s.visit, "carol"), 2);
    expect(&s, "! DEVICES OF bob\n! DEVICES OF carol\n");
    reply(&s, &list, 1);
    reply(&s, &list, 1);
    expect(&s, "devices 1 1\ndevices 2 1\n");
    visit_lost(&s.visit, "gone");
    buffer_truncate(&s.seen, 0);
    assert_int_equal(visit_ask_devices(&s.visit, "bob"), 0);
    expect(&s, "");
    finish(&s);
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
        cmocka_unit_test(test_whom),
        cmocka_unit_test(test_a_program_compares_nothing),
        cmocka_unit_test(test_who_is_verified_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
