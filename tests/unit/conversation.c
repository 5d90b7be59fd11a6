#include "client/conversation.h"

#include "base/limits.h"
#include "unit.h"

#include <errno.h>

static void ask(struct conversation *c, const char *command, const char *key)
{
    struct bytes argv[] = {bytes_from_str(command), bytes_from_str(key)};
    assert_int_equal(conversation_ask(c, argv, 2), 0);
}

static const struct resp_value *next(struct conversation *c)
{
    const struct resp_value *values;
    size_t count;
    assert_int_equal(conversation_next(c, &values, &count), 0);
    assert_true(count >= 1);
    return values;
}

static void assert_next(struct conversation *c, int result)
{
    const struct resp_value *values;
    size_t count;
    assert_int_equal(conversation_next(c, &values, &count), result);
}

static void test_requests_and_replies_in_order(void **state)
{
    struct conversation c;
    conversation_init(&c, LIMIT_REPLY_BYTES);
    ask(&c, "GET", "a");
    ask(&c, "GET", "b");
    assert_bytes(conversation_output(&c),
                 BYTES("*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"));
    conversation_sent(&c, 20);
    assert_bytes(conversation_output(&c), BYTES("*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"));
    assert_next(&c, CONVERSATION_MORE);
    assert_int_equal(conversation_feed(&c, BYTES("$1\r\nx\r\n$-1\r\n")), 0);
    assert_bytes(next(&c)->text, BYTES("x"));
    assert_int_equal(next(&c)->kind, RESP_NULL);
    assert_next(&c, CONVERSATION_MORE);
    conversation_fini(&c);
}

static void test_a_byte_at_a_time(void **state)
{
    static const char reply[] = "*2\r\n$3\r\nf\0o\r\n:7\r\n";
    struct conversation c;
    conversation_init(&c, LIMIT_REPLY_BYTES);
    ask(&c, "SCAN", "0");
    for (size_t i = 0; i < sizeof reply - 1; i++) {
        assert_next(&c, CONVERSATION_MORE);
        struct bytes byte = unit_copy(bytes_make(reply + i, 1));
        assert_int_equal(conversation_feed(&c, byte), 0);
        unit_free(byte);
    }
    const struct resp_value *v = next(&c);
    assert_int_equal(v[0].kind, RESP_ARRAY);
    assert_bytes(v[1].text, BYTES("f\0o"));
    assert_int_equal(v[2].number, 7);
    conversation_fini(&c);
}

static void test_what_is_no_reply(void **state)
{
    struct conversation c;
    conversation_init(&c, LIMIT_REPLY_BYTES);
    ask(&c, "GET", "a");
    assert_int_equal(conversation_feed(&c, BYTES("SSH-2.0-OpenSSH\r\n")), 0);
    assert_next(&c, CONVERSATION_FOREIGN);
    conversation_fini(&c);
}

static void test_a_reply_nobody_asked_for(void **state)
{
    struct conversation c;
    conversation_init(&c, LIMIT_REPLY_BYTES);
    ask(&c, "GET", "a");
    assert_int_equal(conversation_feed(&c, BYTES("+OK\r\n+OK\r\n")), 0);
    assert_int_equal(next(&c)->kind, RESP_STATUS);
    assert_next(&c, CONVERSATION_FOREIGN);
    conversation_fini(&c);
}

static void test_a_request_too_big_leaves_nothing(void **state)
{
    struct conversation c;
    conversation_init(&c, LIMIT_REPLY_BYTES);
    c.out.max = 64;
    char value[100] = {0};
    struct bytes argv[] = {BYTES("GET"), bytes_make(value, sizeof value)};
    assert_int_equal(conversation_ask(&c, argv, 2), -E2BIG);
    assert_int_equal(conversation_output(&c).len, 0);
    ask(&c, "GET", "a");
    assert_int_equal(c.unanswered, 1);
    conversation_fini(&c);
}

static void test_a_reply_too_large(void **state)
{
    struct conversation c;
    conversation_init(&c, 100);
    ask(&c, "PING", "a");
    char line[101] = "+";
    memset(line + 1, 'a', 99);
    assert_int_equal(conversation_feed(&c, bytes_make(line, 99)), 0);
    assert_next(&c, CONVERSATION_MORE);
    assert_int_equal(conversation_feed(&c, BYTES("aa")), CONVERSATION_FOREIGN);
    conversation_fini(&c);
}

static void test_a_push_that_answers(void **state)
{
    struct conversation c;
    conversation_init(&c, LIMIT_REPLY_BYTES);
    ask(&c, "FOLLOW", "a");
    assert_int_equal(conversation_feed(&c, BYTES(">1\r\n$6\r\nfollow\r\n+OK\r\n")), 0);
    assert_int_equal(next(&c)->kind, RESP_PUSH);
    conversation_settle(&c);
    assert_next(&c, CONVERSATION_FOREIGN);
    conversation_fini(&c);
}

static void test_memory_of_what_is_large_is_given_back(void **state)
{
    static char large[3 * LIMIT_MIB];
    static const char head[] = "$3145728\r\n";
    struct conversation c;
    conversation_init(&c, LIMIT_REPLY_BYTES);
    struct bytes argv[] = {BYTES("ECHO"), bytes_make(large, sizeof large)};
    assert_int_equal(conversation_ask(&c, argv, 2), 0);
    assert_true(c.out.capacity >= sizeof large);
    conversation_sent(&c, buffer_len(&c.out) - 1);
    assert_int_equal(conversation_output(&c).len, 1);
    conversation_sent(&c, 1);
    assert_int_equal(c.out.capacity, 0);
    assert_int_equal(conversation_feed(&c, bytes_make(head, sizeof head - 1)), 0);
    assert_int_equal(conversation_feed(&c, bytes_make(large, sizeof large)), 0);
    assert_int_equal(conversation_feed(&c, BYTES("\r\n")), 0);
    assert_bytes(next(&c)->text, argv[1]);
    assert_next(&c, CONVERSATION_MORE);
    assert_int_equal(c.in.capacity, 0);
    ask(&c, "GET", "a");
    assert_int_equal(conversation_feed(&c, BYTES("+OK\r\n")), 0);
    assert_int_equal(next(&c)->kind, RESP_STATUS);
    assert_next(&c, CONVERSATION_MORE);
    assert_true(c.in.capacity > 0);
    conversation_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_and_replies_in_order),
        cmocka_unit_test(test_a_byte_at_a_time),
        cmocka_unit_test(test_what_is_no_reply),
        cmocka_unit_test(test_a_reply_nobody_asked_for),
        cmocka_unit_test(test_a_request_too_big_leaves_nothing),
        cmocka_unit_test(test_a_reply_too_large),
        cmocka_unit_test(test_a_push_that_answers),
        cmocka_unit_test(test_memory_of_what_is_large_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
