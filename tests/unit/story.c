#include "client/story.h"

#include "base/buffer.h"

#include "unit.h"

static const char example[] = "# a comment\n"
                              "\n"
                              "client Alice full\r\n"
                              "  client bob  terse \n"
                              "say Hello  there\n"
                              "ask alice STORE k = a # b\n"
                              "expect Saved Successfully for key:k\n"
                              "again Update Successfully for key:k\n"
                              "together\n"
                              "say both\n"
                              "ask Bob GET k\n"
                              "expect a # b\n"
                              "expect ERROR\n"
                              "ask Alice QUIT\n"
                              "expect Server Quitting..!\n"
                              "end\n"
                              "say done";

static void parse(struct story *s, const char *text)
{
    size_t line = 0;
    const char *problem = "";
    int r = story_parse(s, bytes_from_str(text), &line, &problem);
    if (r != 0)
        fail_msg("line %zu: %s", line, problem);
}

static void test_a_story(void **state)
{
    struct story s;
    parse(&s, example);
    assert_int_equal(s.client_count, 2);
    assert_bytes(s.clients[0].name, BYTES("Alice"));
    assert_true(s.clients[0].full);
    assert_bytes(s.clients[1].name, BYTES("bob"));
    assert_false(s.clients[1].full);
    static const struct {
        enum story_verb verb;
        size_t line, meeting, client, answers;
        const char *text;
    } steps[] = {
        {STORY_SAY, 5, 0, 0, 0, "Hello  there"}, {STORY_ASK, 6, 0, 0, 2, "STORE k = a # b"},
        {STORY_SAY, 10, 1, 0, 0, "both"},        {STORY_ASK, 11, 1, 1, 2, "GET k"},
        {STORY_ASK, 14, 1, 0, 1, "QUIT"},        {STORY_SAY, 17, 0, 0, 0, "done"},
    };
    assert_int_equal(s.step_count, COUNT_OF(steps));
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        assert_int_equal(s.steps[i].verb, steps[i].verb);
        assert_int_equal(s.steps[i].line, steps[i].line);
        assert_int_equal(s.steps[i].meeting, steps[i].meeting);
        assert_int_equal(s.steps[i].client, steps[i].client);
        assert_int_equal(s.steps[i].answer_count, steps[i].answers);
        assert_bytes(s.steps[i].text, bytes_from_str(steps[i].text));
    }
    story_fini(&s);
}

static void test_what_is_right(void **state)
{
    struct story s;
    parse(&s, example);
    const struct story_step *store = &s.steps[1], *get = &s.steps[3];
    assert_true(story_is_right(&s, store, BYTES("Saved Successfully for key:k"), false));
    assert_false(story_is_right(&s, store, BYTES("Update Successfully for key:k"), false));
    assert_true(story_is_right(&s, store, BYTES("Update Successfully for key:k"), true));
    assert_true(story_is_right(&s, store, BYTES("Saved Successfully for key:k"), true));
    assert_true(story_is_right(&s, get, BYTES("a # b"), false));
    assert_true(story_is_right(&s, get, BYTES("ERROR"), false));
    assert_false(story_is_right(&s, get, BYTES("Server Quitting..!"), false));
    assert_false(story_is_right(&s, get, BYTES(""), false));
    story_fini(&s);
}

static void test_what_stops_the_hub(void **state)
{
    struct story s;
    parse(&s, "client a full\nask a QUIT now\nexpect x\nask a STORE k = QUIT\nexpect x\n"
              "say QUIT\n");
    assert_true(story_is_stop(&s.steps[0]));
    assert_false(story_is_stop(&s.steps[1]));
    assert_false(story_is_stop(&s.steps[2]));
    story_fini(&s);
}

#define A "client a full\n"
#define AB A "client b full\n"

static const struct {
    size_t line;
    const char *text;
} wrong[] = {
    {0, ""},
    {1, A},
    {2, "# nothing\nplay\n"},
    {1, "client\n"},
    {1, "client a\n"},
    {1, "client a fuller\n"},
    {1, "client a-much-too-long-name-for-a-client- full\n"},
    {1, "client ../x full\n"},
    {1, "client HUB full\n"},
    {2, A "client A terse\n"},
    {2, A "ask b GET k\nexpect v\n"},
    {2, A "ask a\nexpect v\n"},
    {3, A "ask a GET k\nsay x\n"},
    {2, A "ask a GET k\n"},
    {3, A "ask a GET k\nexpect\n"},
    {3, A "ask a GET k\nagain x\n"},
    {2, A "expect x\n"},
    {5, A "ask a GET k\nexpect x\nsay y\nexpect z\n"},
    {2, A "end\n"},
    {3, AB "together now\n"},
    {4, AB "together\ntogether\n"},
    {6, AB "together\nask a GET k\nexpect v\nend\n"},
    {6, AB "together\nask a GET k\nexpect v\nask a GET k\n"},
    {7, AB "together\nask a GET k\nexpect v\nask b GET k\nexpect v\n"},
    {8, AB "together\nask a GET k\nexpect v\nask b GET k\nexpect v\nend it\n"},
};

static void test_what_is_wrong(void **state)
{
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct story s;
        size_t line = 99;
        const char *problem = NULL;
        struct bytes text = unit_copy(bytes_from_str(wrong[i].text));
        if (story_parse(&s, text, &line, &problem) != STORY_WRONG)
            fail_msg("taken: %s", wrong[i].text);
        assert_non_null(problem);
        if (line != wrong[i].line)
            fail_msg("line %zu (%s), not %zu: %s", line, problem, wrong[i].line, wrong[i].text);
        unit_free(text);
    }
}

static void assert_wrong_at(const struct buffer *text, size_t want)
{
    struct story s;
    size_t line = 99;
    const char *problem;
    assert_int_equal(story_parse(&s, buffer_view(text), &line, &problem), STORY_WRONG);
    assert_int_equal(line, want);
}

static void repeat(struct buffer *text, const char *format, int times)
{
    for (int i = 0; i < times; i++)
        assert_int_equal(buffer_printf(text, "%s%d terse\n", format, i), 0);
}

static void test_limits(void **state)
{
    struct buffer text;
    buffer_init(&text, 2 * STORY_BYTES_MAX);
    repeat(&text, "client c", STORY_CLIENTS_MAX + 1);
    assert_wrong_at(&text, STORY_CLIENTS_MAX + 1);
    buffer_truncate(&text, 0);
    buffer_append_str(&text, A "ask a x\nexpect x\n");
    repeat(&text, "say ", STORY_STEPS_MAX);
    assert_wrong_at(&text, 3 + STORY_STEPS_MAX);
    buffer_truncate(&text, 0);
    while (buffer_len(&text) <= STORY_BYTES_MAX)
        buffer_append_str(&text, "# a comment that does not count, but has a length\n");
    assert_wrong_at(&text, 0);
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_story),
        cmocka_unit_test(test_what_is_right),
        cmocka_unit_test(test_what_stops_the_hub),
        cmocka_unit_test(test_what_is_wrong),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
