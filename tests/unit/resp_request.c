#include "wire/resp_request.h"

#include "base/limits.h"
#include "unit.h"
#include "wire/resp_write.h"

#include <stdio.h>

/* Streams, and what is heard of them: each command as <arg><arg>\n, an error as !why. */
static const struct {
    struct bytes stream, heard;
} cases[] = {
    {BYTES(""), BYTES("")},
    {BYTES("*1\r\n$4\r\nPING\r\n"), BYTES("<PING>\n")},
    {BYTES("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*2\r\n$3\r\nGET\r\n$1\r\nl\r\n*"),
     BYTES("<GET><k>\n<GET><l>\n")},
    {BYTES("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$12\r\n\r\n*1\r\n$1\r\n\0\xff\r\n"),
     BYTES("<SET><><\r\n*1\r\n$1\r\n\0\xff>\n")},
    {BYTES("*0\r\n*-1\r\n*-7\r\n*1\r\n$1\r\na\r\n"), BYTES("\n\n\n<a>\n")},
    {BYTES("*65536\r\n$1\r\na\r\n"), BYTES("")},
    {BYTES("*65537\r\n"), BYTES("!invalid multibulk length")},
    {BYTES("*99999999999999999999\r\n"), BYTES("!invalid multibulk length")},
    {BYTES("*x\r\n"), BYTES("!invalid multibulk length")},
    {BYTES("*\r\n"), BYTES("!invalid multibulk length")},
    {BYTES("*01\r\n"), BYTES("!invalid multibulk length")},
    {BYTES("*1\r$"), BYTES("!invalid multibulk length")},
    {BYTES("*1234567890123456789012345678901"), BYTES("!too big mbulk count string")},
    {BYTES("*1234567890123456789012345678901\r\n"), BYTES("!too big mbulk count string")},
    {BYTES("*123456789012345678901234567890\r\n"), BYTES("!invalid multibulk length")},
    {BYTES("*1\r\nx"), BYTES("!expected '$', got 'x'")},
    {BYTES("*1\r\n\r"), BYTES("!expected '$', got '?'")},
    {BYTES("*2\r\n$1\r\na\r\nGET"), BYTES("!expected '$', got 'G'")},
    {BYTES("*1\r\n$-1\r\n"), BYTES("!invalid bulk length")},
    {BYTES("*1\r\n$a\r\n"), BYTES("!invalid bulk length")},
    {BYTES("*1\r\n$\r\n"), BYTES("!invalid bulk length")},
    {BYTES("*1\r\n$00\r\n"), BYTES("!invalid bulk length")},
    {BYTES("*1\r\n$1\rx"), BYTES("!invalid bulk length")},
    {BYTES("*1\r\n$68157440\r\n"), BYTES("")},
    {BYTES("*1\r\n$68157441\r\n"), BYTES("!invalid bulk length")},
    {BYTES("*1\r\n$1234567890123456789012345678901"), BYTES("!too big bulk count string")},
    {BYTES("*1\r\n$1\r\nab\r"), BYTES("!a bulk string does not end where it said")},
    {BYTES("*1\r\n$1\r\nab\n"), BYTES("!a bulk string does not end where it said")},
    {BYTES("*1\r\n$1\r\na\rb"), BYTES("!a bulk string does not end where it said")},
    /* inline */
    {BYTES("PING\r\nGET  k \n\n \t\r\nGET"), BYTES("<PING>\n<GET><k>\n\n\n")},
    {BYTES("*1\r\n$1\r\na\r\nPING\n*1\r\n$1\r\nb\r\n"), BYTES("<a>\n<PING>\n<b>\n")},
    {BYTES("\0 \xff\n"), BYTES("<\0><\xff>\n")},
    {BYTES("a \"b c\" 'd e' f\"g\" \"\" ''\n"), BYTES("<a><b c><d e><fg><><>\n")},
    {BYTES("\"\\x41\\x4g\\n\\r\\t\\b\\a\\\"\\\\\\q\\x\"\n"), BYTES("<Ax4g\n\r\t\b\a\"\\qx>\n")},
    {BYTES("'it\\'s \\n' b\n"), BYTES("<it's \\n><b>\n")},
    {BYTES("\"a\n"), BYTES("!unbalanced quotes in request")},
    {BYTES("'a\n"), BYTES("!unbalanced quotes in request")},
    {BYTES("\"a\\\"\n"), BYTES("!unbalanced quotes in request")},
    {BYTES("\"a\\\n"), BYTES("!unbalanced quotes in request")},
    {BYTES("\"a\"b\n"), BYTES("!unbalanced quotes in request")},
    {BYTES("\"a\"\"b\"\n"), BYTES("!unbalanced quotes in request")},
};

static void hear(struct buffer *heard, const struct resp_args *args)
{
    for (size_t i = 0; i < args->argc; i++) {
        assert_int_equal(buffer_append_str(heard, "<"), 0);
        assert_int_equal(buffer_append_bytes(heard, args->argv[i]), 0);
        assert_int_equal(buffer_append_str(heard, ">"), 0);
    }
    assert_int_equal(buffer_append_str(heard, "\n"), 0);
}

struct feed {
    struct resp_request request;
    struct resp_args args;
    struct buffer heard;
    size_t at; /* consumed of the stream */
    size_t need;
};

static int parse(struct feed *f, struct bytes stream, size_t len)
{
    struct bytes in = unit_copy(bytes_make(stream.data + f->at, len - f->at));
    size_t consumed, need = 0;
    const char *problem;
    int r = resp_request_parse(&f->request, &f->args, in, &consumed, &need, &problem);
    if (r == 0) {
        hear(&f->heard, &f->args);
        assert_null(f->request.partial);
        f->at += consumed;
    } else if (r == RESP_ERROR) {
        assert_int_equal(buffer_printf(&f->heard, "!%s", problem), 0);
    } else {
        assert_int_equal(r, RESP_MORE);
        assert_true(need > in.len);
        assert_true(in.len > 0 || !f->request.partial);
        f->need = f->at + need;
    }
    unit_free(in);
    return r;
}

/* The stream comes cut at one place, then in steps; a step of 0 is as many as are needed. */
static void feed(struct bytes stream, struct bytes heard, size_t cut, size_t step)
{
    struct feed f = {0};
    size_t len = cut;
    resp_request_init(&f.request);
    resp_args_init(&f.args);
    buffer_init(&f.heard, 1000);
    for (int r; (r = parse(&f, stream, len)) != RESP_ERROR;) {
        size_t next = step > 0 ? len + step : f.need;
        if (r == RESP_MORE && (len == stream.len || next > stream.len))
            break;
        if (r == RESP_MORE)
            len = next;
    }
    assert_bytes(buffer_view(&f.heard), heard);
    resp_request_fini(&f.request);
    resp_args_fini(&f.args);
    buffer_fini(&f.heard);
}

static void test_cut_anywhere(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t len = cases[i].stream.len;
        for (size_t cut = 0; cut < len; cut++)
            feed(cases[i].stream, cases[i].heard, cut, len - cut);
        feed(cases[i].stream, cases[i].heard, len, 1);
        feed(cases[i].stream, cases[i].heard, 0, 1);
        feed(cases[i].stream, cases[i].heard, 0, 0);
    }
}

static void test_need(void **state)
{
    static const struct {
        struct bytes in;
        size_t need;
    } needs[] = {
        {BYTES(""), 1},
        {BYTES("*"), 2},
        {BYTES("*1\r"), 4},
        {BYTES("*2\r\n"), 5},
        {BYTES("*2\r\n$100\r"), 10},
        {BYTES("*2\r\n$100\r\n"), 112},
        {BYTES("*2\r\n$1\r\na"), 11},
        {BYTES("*2\r\n$1\r\na\r"), 11},
        {BYTES("*2\r\n$1\r\na\r\n"), 12},
        {BYTES("PING"), 5},
    };
    for (size_t i = 0; i < COUNT_OF(needs); i++) {
        struct feed f = {0};
        assert_int_equal(parse(&f, needs[i].in, needs[i].in.len), RESP_MORE);
        assert_int_equal(f.need, needs[i].need);
        resp_request_fini(&f.request);
        resp_args_fini(&f.args);
    }
}

static void test_inline_line(void **state)
{
    struct feed f = {0};
    resp_args_init(&f.args);
    buffer_init(&f.heard, 1000);
    struct bytes stream = BYTES("GET \"/\" HTTP/1.1\r\n*1\r\n$1\r\na\r\n");
    struct bytes in = unit_copy(stream);
    size_t consumed, need;
    const char *problem;
    assert_int_equal(resp_request_parse(&f.request, &f.args, in, &consumed, &need, &problem),
                     0);
    assert_bytes(f.args.line, BYTES("GET \"/\" HTTP/1.1"));
    assert_int_equal(resp_request_parse(&f.request, &f.args, bytes_from(in, consumed),
                                        &consumed, &need, &problem),
                     0);
    assert_bytes(f.args.line, BYTES(""));
    unit_free(in);
    resp_args_fini(&f.args);
    buffer_fini(&f.heard);
}

static void test_inline_limit(void **state)
{
    struct feed f = {0};
    struct bytes in = {0};
    uint8_t *line = malloc(LIMIT_RESP_INLINE_BYTES + 2);
    resp_args_init(&f.args);
    buffer_init(&f.heard, LIMIT_MIB);
    memset(line, '\'', LIMIT_RESP_INLINE_BYTES + 2);
    memset(line + 1, 'x', LIMIT_RESP_INLINE_BYTES - 2);
    line[LIMIT_RESP_INLINE_BYTES] = '\n';
    in = bytes_make(line, LIMIT_RESP_INLINE_BYTES + 1);
    assert_int_equal(parse(&f, in, in.len), 0);
    assert_int_equal(f.args.argc, 1);
    assert_int_equal(buffer_len(&f.heard), LIMIT_RESP_INLINE_BYTES - 2 + 3);

    buffer_consume(&f.heard, buffer_len(&f.heard));
    f.at = 0;
    line[LIMIT_RESP_INLINE_BYTES] = 'x';
    line[LIMIT_RESP_INLINE_BYTES + 1] = '\n';
    in.len++;
    assert_int_equal(parse(&f, in, in.len), RESP_ERROR);
    assert_bytes(buffer_view(&f.heard), BYTES("!too big inline request"));
    free(line);
    resp_args_fini(&f.args);
    buffer_fini(&f.heard);
}

/* Two arguments of which the second is so long that all are just at the limit, or past it.
 * Nothing touches their memory, which is never filled. */
static int parse_two(size_t second_len, size_t *ret_argc)
{
    size_t size = LIMIT_RESP_COMMAND_BYTES + 100, consumed, need;
    const char *problem;
    struct resp_request r = {0};
    struct resp_args args;
    char *in = calloc(1, size);
    assert_non_null(in);
    resp_args_init(&args);
    int head = snprintf(in, 100, "*2\r\n$2\r\nab\r\n$%zu\r\n", second_len);
    memcpy(in + head + second_len, "\r\n", 2);
    int result =
        resp_request_parse(&r, &args, bytes_make(in, size), &consumed, &need, &problem);
    if (result == RESP_ERROR)
        assert_string_equal(problem, "too big request");
    *ret_argc = args.argc;
    free(in);
    resp_request_fini(&r);
    resp_args_fini(&args);
    return result;
}

static void test_command_limit(void **state)
{
    size_t argc;
    assert_int_equal(parse_two(LIMIT_RESP_COMMAND_BYTES - 2, &argc), 0);
    assert_int_equal(argc, 2);
    assert_int_equal(parse_two(LIMIT_RESP_COMMAND_BYTES - 1, &argc), RESP_ERROR);
}

/* What was passed is not read again until all is there: spoilt meanwhile, it is not missed. */
static void assert_read_once(struct bytes stream, size_t argc)
{
    struct resp_request r = {0};
    struct resp_args args;
    struct bytes in = unit_copy(stream);
    uint8_t *data = (uint8_t *)(uintptr_t)in.data;
    size_t consumed, need, passed = 1, whole = in.len;
    const char *problem;
    resp_args_init(&args);
    for (in.len = 1; in.len < whole; in.len++) {
        assert_int_equal(resp_request_parse(&r, &args, in, &consumed, &need, &problem),
                         RESP_MORE);
        for (; passed + 32 < in.len; passed++)
            data[passed] = '\n';
    }
    memcpy(data, stream.data, whole);
    assert_int_equal(resp_request_parse(&r, &args, in, &consumed, &need, &problem), 0);
    assert_int_equal(args.argc, argc);
    unit_free(in);
    resp_args_fini(&args);
}

static void test_read_once(void **state)
{
    struct buffer stream;
    struct bytes argv[200];
    for (size_t i = 0; i < COUNT_OF(argv); i++)
        argv[i] = BYTES("argument");
    buffer_init(&stream, LIMIT_MIB);
    assert_int_equal(resp_write_request(&stream, argv, COUNT_OF(argv)), 0);
    assert_read_once(buffer_view(&stream), COUNT_OF(argv));
    buffer_fini(&stream);
    assert_read_once(BYTES("ECHO this-is-a-line-longer-than-what-is-spared-of-it "
                           "this-is-a-line-longer-than-what-is-spared-of-it\n"),
                     3);
}

static void test_million_arguments(void **state)
{
    struct feed f = {0};
    struct buffer stream;
    struct bytes *argv = malloc(LIMIT_RESP_ARGS * sizeof *argv), in;
    size_t consumed, need;
    const char *problem;
    assert_non_null(argv);
    for (size_t i = 0; i < LIMIT_RESP_ARGS; i++)
        argv[i] = BYTES("a");
    buffer_init(&stream, 16 * LIMIT_MIB);
    resp_args_init(&f.args);
    assert_int_equal(resp_write_request(&stream, argv, LIMIT_RESP_ARGS), 0);
    in = buffer_view(&stream);
    for (size_t len = 1; len < in.len; len++)
        assert_true(resp_request_parse(&f.request, &f.args, bytes_first(in, len), &consumed,
                                       &need, &problem) == RESP_MORE);
    assert_int_equal(resp_request_parse(&f.request, &f.args, in, &consumed, &need, &problem),
                     0);
    assert_int_equal(f.args.argc, LIMIT_RESP_ARGS);
    assert_bytes(f.args.argv[LIMIT_RESP_ARGS - 1], BYTES("a"));
    assert_int_equal(consumed, in.len);
    buffer_fini(&stream);
    resp_args_fini(&f.args);
    free(argv);
}

static const struct {
    struct bytes in;
    size_t max, consumed, argc; /* consumed 0: not at a glance */
} glances[] = {
    {BYTES("*1\r\n$4\r\nPING\r\n"), 100, 14, 1},
    {BYTES("*1\r\n$4\r\nPING\r\n*1\r\n"), 100, 14, 1},
    {BYTES("*1\r\n$4\r\nPING\r\n"), 14, 14, 1},
    {BYTES("*1\r\n$4\r\nPING\r\n"), 13, 0, 0},
    {BYTES("*1\r\n$4\r\nPING\r"), 100, 0, 0},
    {BYTES("*2\r\n$4\r\nPING\r\n"), 100, 0, 0},
    {BYTES("*2\r\n$4\r\nPING\r\n:1\r\n"), 100, 0, 0},
    {BYTES("*0\r\n"), 100, 4, 0},
    {BYTES("PING\r\n"), 100, 0, 0},
    {BYTES("*"), 100, 0, 0},
    {BYTES(""), 100, 0, 0},
};

static void test_a_glance_leaves_no_trace(void **state)
{
    for (size_t i = 0; i < COUNT_OF(glances); i++) {
        struct resp_args args;
        resp_args_init(&args);
        struct bytes in = unit_copy(glances[i].in);
        size_t consumed = 0;
        assert_true(resp_request_glance(&args, BYTES("*1\r\n$1\r\nx\r\n"), 100, &consumed));
        consumed = 0;
        bool whole = resp_request_glance(&args, in, glances[i].max, &consumed);
        assert_int_equal(whole, glances[i].consumed > 0);
        assert_int_equal(consumed, glances[i].consumed);
        assert_int_equal(args.argc, 1 + glances[i].argc);
        assert_bytes(args.argv[0], BYTES("x"));
        if (glances[i].argc == 1)
            assert_bytes(args.argv[1], BYTES("PING"));
        unit_free(in);
        resp_args_fini(&args);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_need),
        cmocka_unit_test(test_inline_line),
        cmocka_unit_test(test_inline_limit),
        cmocka_unit_test(test_command_limit),
        cmocka_unit_test(test_read_once),
        cmocka_unit_test(test_million_arguments),
        cmocka_unit_test(test_a_glance_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
