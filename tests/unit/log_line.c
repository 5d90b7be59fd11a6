#include "base/log_line.h"

#include "unit.h"

static void test_line(void **state)
{
    struct buffer out;
    buffer_init(&out, 1000);
    struct log_line line = log_line_begin(&out, LOG_WARNING, "the disk is full");
    log_line_str(&line, "file", "a.log");
    log_line_number(&line, "free", -5);
    log_line_end(&line);
    line = log_line_begin(&out, LOG_INFO, "up");
    log_line_end(&line);
    assert_bytes(buffer_view(&out),
                 BYTES("level=warning msg=\"the disk is full\" file=a.log free=-5\n"
                       "level=info msg=up\n"));
    buffer_fini(&out);
}

static void test_values(void **state)
{
    static const struct {
        struct bytes value, out;
    } cases[] = {
        {BYTES("plain"), BYTES("plain")},
        {BYTES(""), BYTES("\"\"")},
        {BYTES("two words"), BYTES("\"two words\"")},
        {BYTES("a=b"), BYTES("\"a=b\"")},
        {BYTES("say \"hi\""), BYTES("\"say \\\"hi\\\"\"")},
        {BYTES("back\\slash"), BYTES("\"back\\\\slash\"")},
        {BYTES("x\nlevel=error"), BYTES("\"x\\x0alevel=error\"")},
        {BYTES("\xff"), BYTES("\\xff")},
        {BYTES("\xc3\xa9t\xc3\xa9"), BYTES("\xc3\xa9t\xc3\xa9")},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out;
        buffer_init(&out, 1000);
        struct log_line line = log_line_begin(&out, LOG_ERROR, "m");
        log_line_bytes(&line, "k", cases[i].value);
        assert_bytes(bytes_from(buffer_view(&out), strlen("level=error msg=m k=")),
                     cases[i].out);
        buffer_fini(&out);
    }
}

/* A value of n times one byte, then the given end. */
static void assert_long(char c, size_t n, const char *end, size_t shown, const char *tail)
{
    char value[400];
    struct buffer out;
    buffer_init(&out, 1000);
    memset(value, c, n);
    memcpy(value + n, end, strlen(end) + 1);
    struct log_line line = log_line_begin(&out, LOG_INFO, "m");
    log_line_str(&line, "k", value);
    struct bytes got = bytes_from(buffer_view(&out), strlen("level=info msg=m k="));
    if (got.data[0] == '"')
        got = bytes_from(got, 1);
    assert_bytes(bytes_first(got, shown), bytes_make(value, shown));
    assert_bytes(bytes_from(got, shown), bytes_from_str(tail));
    buffer_fini(&out);
}

static void test_long_values(void **state)
{
    assert_long('a', 256, "", 256, "");
    assert_long('a', 257, "", 256, "...");
    assert_long('a', 255, "\xe2\x82\xac", 255, "...");
    assert_long('a', 254, "\xe2\x82\xac", 254, "...");
    assert_long(' ', 256, "", 256, "\"");
    assert_long(' ', 257, "", 256, "...\"");
    assert_long(' ', 255, "\xe2\x82\xac", 255, "...\"");
    assert_long(' ', 253, "\xe2\x82\xac", 256, "\"");
}

/* Whatever the ceiling, a line is there whole or not at all. */
static void test_dropped_whole(void **state)
{
    struct bytes whole = BYTES("level=info msg=m k=\"a \\x0a\" n=1\n");
    for (size_t max = 5; max < 5 + whole.len + 3; max++) {
        struct buffer out;
        buffer_init(&out, max);
        assert_int_equal(buffer_append_str(&out, "kept\n"), 0);
        struct log_line line = log_line_begin(&out, LOG_INFO, "m");
        log_line_bytes(&line, "k", BYTES("a \n"));
        log_line_number(&line, "n", 1);
        log_line_end(&line);
        assert_bytes(bytes_from(buffer_view(&out), 5), max < 5 + whole.len ? BYTES("") : whole);
        buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_dropped_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
