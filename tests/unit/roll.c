#include "lib/roll.h"

#include "unit.h"
#include "wire/resp_reply.h"

/* What roll_read makes of a hub's answer. */
static int read_answer(struct roll *r, const char *answer)
{
    struct resp_reply reply;
    size_t taken;
    resp_reply_init(&reply, 4096);
    assert_int_equal(resp_reply_parse(&reply, bytes_from_str(answer), &taken), 0);
    int result = roll_read(r, reply.values, reply.count);
    resp_reply_fini(&reply);
    return result;
}

static void test_who_is_there(void **state)
{
    struct roll r = {0};
    assert_int_equal(read_answer(&r, "*2\r\n*3\r\n$5\r\nalice\r\n:12\r\n:1\r\n"
                                     "*3\r\n$3\r\nbob\r\n:34\r\n:2\r\n"),
                     0);
    assert_int_equal(r.count, 2);
    assert_string_equal(r.people[0].name, "alice");
    assert_string_equal(r.people[1].name, "bob");
    assert_int_equal(r.people[1].since, 34);
    assert_int_equal(read_answer(&r, "*0\r\n"), 0);
    assert_int_equal(r.count, 0);
    roll_fini(&r);
}

static void test_no_answer_of_a_hubs(void **state)
{
    static const char *const answers[] = {
        "+OK\r\n",
        ":3\r\n",
        "*1\r\n$5\r\nalice\r\n",
        "*4\r\n$5\r\nalice\r\n:1\r\n:1\r\n:1\r\n",
        "*1\r\n*2\r\n$5\r\nalice\r\n:12\r\n",
        "*1\r\n*3\r\n$5\r\nalice\r\n$2\r\n12\r\n:1\r\n",
        "*1\r\n*3\r\n$5\r\na\x1b[2J\r\n:12\r\n:1\r\n",
        "*1\r\n*3\r\n$0\r\n\r\n:12\r\n:1\r\n",
        "*1\r\n*3\r\n*1\r\n$5\r\nalice\r\n:12\r\n:1\r\n",
    };
    struct roll r = {0};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        assert_int_equal(read_answer(&r, answers[i]), ROLL_STRANGE);
    assert_null(r.people);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_there),
        cmocka_unit_test(test_no_answer_of_a_hubs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
