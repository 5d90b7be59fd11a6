#include "wire/resp_write.h"

#include "unit.h"

static struct buffer out;

static void assert_written(int r, struct bytes want)
{
    assert_int_equal(r, 0);
    assert_bytes(buffer_view(&out), want);
    buffer_consume(&out, buffer_len(&out));
}

static void test_replies(void **state)
{
    buffer_init(&out, 1000);
    assert_written(resp_write_status(&out, "OK"), BYTES("+OK\r\n"));
    assert_written(resp_write_status(&out, ""), BYTES("+\r\n"));
    assert_written(resp_write_error(&out, "ERR no"), BYTES("-ERR no\r\n"));
    assert_written(resp_write_error(&out, "ERR a\r\n+OK"), BYTES("-ERR a  +OK\r\n"));
    assert_written(resp_write_bulk(&out, BYTES("f\r\0o")), BYTES("$4\r\nf\r\0o\r\n"));
    assert_written(resp_write_bulk(&out, bytes_make(NULL, 0)), BYTES("$0\r\n\r\n"));
    assert_written(resp_write_null(&out, 2), BYTES("$-1\r\n"));
    assert_written(resp_write_null(&out, 3), BYTES("_\r\n"));
    assert_written(resp_write_array(&out, 0), BYTES("*0\r\n"));
    assert_written(resp_write_array(&out, 1048576), BYTES("*1048576\r\n"));
    assert_written(resp_write_map(&out, 7, 2), BYTES("*14\r\n"));
    assert_written(resp_write_map(&out, 7, 3), BYTES("%7\r\n"));
    buffer_fini(&out);
}

static void test_integers(void **state)
{
    static const struct {
        int64_t value;
        struct bytes text;
    } cases[] = {
        {0, BYTES(":0\r\n")},
        {9, BYTES(":9\r\n")},
        {10, BYTES(":10\r\n")},
        {-1, BYTES(":-1\r\n")},
        {-10, BYTES(":-10\r\n")},
        {INT64_MAX, BYTES(":9223372036854775807\r\n")},
        {INT64_MIN, BYTES(":-9223372036854775808\r\n")},
    };
    buffer_init(&out, 1000);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_written(resp_write_integer(&out, cases[i].value), cases[i].text);
    buffer_fini(&out);
}

static const struct bytes argv[] = {BYTES("SET"), BYTES(""), BYTES("0123456789")};

static void test_request(void **state)
{
    buffer_init(&out, 1000);
    assert_written(resp_write_request(&out, argv, 3),
                   BYTES("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$10\r\n0123456789\r\n"));
    assert_written(resp_write_request(&out, NULL, 0), BYTES("*0\r\n"));
    buffer_fini(&out);
}

static int write_nth(size_t which)
{
    switch (which) {
    case 0:
        return resp_write_status(&out, "OK");
    case 1:
        return resp_write_integer(&out, 1234);
    case 2:
        return resp_write_integer(&out, -1234);
    case 3:
        return resp_write_bulk(&out, BYTES("0123456789"));
    case 4:
        return resp_write_null(&out, 2);
    case 5:
        return resp_write_map(&out, 12, 3);
    default:
        return resp_write_request(&out, argv, 3);
    }
}

/* Each fits a ceiling of just its size, and leaves nothing behind where it does not fit. */
static void test_ceiling(void **state)
{
    static const size_t sizes[] = {5, 7, 8, 17, 5, 5, 36};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        buffer_init(&out, sizes[i]);
        assert_int_equal(write_nth(i), 0);
        assert_int_equal(buffer_len(&out), sizes[i]);
        buffer_fini(&out);
        buffer_init(&out, sizes[i] - 1);
        assert_int_equal(write_nth(i), BUFFER_FULL);
        assert_int_equal(buffer_len(&out), 0);
        buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
