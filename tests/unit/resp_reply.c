#include "wire/resp_reply.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_BYTES = 100 };

/* Streams, and what is heard of them: values as s(tatus) f(ailure) i(nteger) b(ulk) n(ull)
 * a(rray) m(ap) p(ush) t(ruth) with their text or number, a reply a line, an error as !. */
static const struct {
    struct bytes stream, heard;
} cases[] = {
    {BYTES(""), BYTES("")},
    {BYTES("+OK\r\n-ERR no\r\n:12\r\n$3\r\nf\r\n\r\n"),
     BYTES("s[OK]\nf[ERR no]\ni12\nb[f\r\n]\n")},
    {BYTES("+\r\n-\r\n$0\r\n\r\n$1\r\n\0\r\n"), BYTES("s[]\nf[]\nb[]\nb[\0]\n")},
    {BYTES(":-9223372036854775808\r\n:0\r\n"), BYTES("i-9223372036854775808\ni0\n")},
    {BYTES("$-1\r\n*-1\r\n_\r\n"), BYTES("n\nn\nn\n")},
    {BYTES("*0\r\n*2\r\n$1\r\na\r\n:1\r\n+x\r\n"), BYTES("a0\na2b[a]i1\ns[x]\n")},
    {BYTES("*2\r\n*2\r\n*0\r\n_\r\n+b\r\n:1\r\n"), BYTES("a2a2a0ns[b]\ni1\n")},
    {BYTES("%2\r\n+a\r\n*1\r\n:1\r\n+b\r\n~1\r\n#t\r\n"), BYTES("m4s[a]a1i1s[b]a1t1\n")},
    {BYTES("%0\r\n~0\r\n>1\r\n+m\r\n"), BYTES("m0\na0\np1s[m]\n")},
    {BYTES("#t\r\n#f\r\n,1.5\r\n(123\r\n"), BYTES("t1\nt0\nb[1.5]\nb[123]\n")},
    {BYTES("=7\r\ntxt:a\nb\r\n!3\r\nERR\r\n"), BYTES("b[a\nb]\nf[ERR]\n")},
    {BYTES("x\r\n"), BYTES("!")},
    {BYTES("\0"), BYTES("!")},
    {BYTES("+OK\n"), BYTES("!")},
    {BYTES("\n"), BYTES("!")},
    {BYTES(":\r\n"), BYTES("!")},
    {BYTES(":1x\r\n"), BYTES("!")},
    {BYTES("$-2\r\n"), BYTES("!")},
    {BYTES("$x\r\n"), BYTES("!")},
    {BYTES("$1\r\nab\r"), BYTES("!")},
    {BYTES("$1\r\na\rb"), BYTES("!")},
    {BYTES("*-2\r\n"), BYTES("!")},
    {BYTES("%-1\r\n"), BYTES("!")},
    {BYTES("=-1\r\n"), BYTES("!")},
    {BYTES("=3\r\ntxt\r\n"), BYTES("!")},
    {BYTES("=1\r\na\r\n:1\r\n"), BYTES("!")},
    {BYTES("+\n"), BYTES("!")},
    {BYTES("=4\r\ntxt;\r\n"), BYTES("!")},
    {BYTES("_x\r\n"), BYTES("!")},
    {BYTES("#\r\n"), BYTES("!")},
    {BYTES("#x\r\n"), BYTES("!")},
    {BYTES(",\r\n"), BYTES("!")},
    {BYTES("|1\r\n+a\r\n+b\r\n+c\r\n"), BYTES("!")},
    {BYTES("*2\r\n+a\r\nx"), BYTES("!")},
    /* nested 16 deep, and one past it */
    {BYTES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
           "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n+x\r\n"),
     BYTES("a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1i1\ns[x]\n")},
    {BYTES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
           "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*0\r\n"),
     BYTES("!")},
    {BYTES("*33\r\n"), BYTES("")},
    {BYTES("*34\r\n"), BYTES("!")},
};

static void hear(struct buffer *heard, const struct resp_reply *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct resp_value *v = &r->values[i];
        assert_int_equal(buffer_append(heard, &"sfibnampt"[v->kind], 1), 0);
        if (v->kind == RESP_STATUS || v->kind == RESP_FAILURE || v->kind == RESP_BULK) {
            assert_int_equal(buffer_append_str(heard, "["), 0);
            assert_int_equal(buffer_append_bytes(heard, v->text), 0);
            assert_int_equal(buffer_append_str(heard, "]"), 0);
        } else if (v->kind != RESP_NULL) {
            assert_int_equal(buffer_printf(heard, "%" PRId64, v->number), 0);
        }
    }
    assert_int_equal(buffer_append_str(heard, "\n"), 0);
}

static int parse(struct resp_reply *r, struct bytes stream, size_t *at, size_t len,
                 struct buffer *heard)
{
    struct bytes in = unit_copy(bytes_make(stream.data + *at, len - *at));
    size_t consumed;
    int result = resp_reply_parse(r, in, &consumed);
    if (result == 0) {
        hear(heard, r);
        *at += consumed;
    } else if (result == RESP_REPLY_ERROR) {
        assert_int_equal(buffer_append_str(heard, "!"), 0);
    } else {
        assert_int_equal(result, RESP_REPLY_MORE);
    }
    unit_free(in);
    return result;
}

/* The stream comes cut at one place, then in steps. */
static void feed(struct bytes stream, struct bytes want, size_t cut, size_t step)
{
    struct resp_reply r;
    struct buffer heard;
    size_t at = 0, len = cut;
    resp_reply_init(&r, MAX_BYTES);
    buffer_init(&heard, 1000);
    for (int result; (result = parse(&r, stream, &at, len, &heard)) != RESP_REPLY_ERROR;) {
        if (result == RESP_REPLY_MORE && len == stream.len)
            break;
        if (result == RESP_REPLY_MORE)
            len = step < stream.len - len ? len + step : stream.len;
    }
    assert_bytes(buffer_view(&heard), want);
    resp_reply_fini(&r);
    buffer_fini(&heard);
}

static void feed_all_ways(struct bytes stream, struct bytes heard)
{
    for (size_t cut = 0; cut <= stream.len; cut++)
        feed(stream, heard, cut, SIZE_MAX);
    feed(stream, heard, 0, 1);
}

static void test_cut_anywhere(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        feed_all_ways(cases[i].stream, cases[i].heard);
}

/* A status and a bulk string of just max_bytes, and of one more. */
static void test_max_bytes(void **state)
{
    for (size_t past = 0; past < 2; past++) {
        char stream[200], heard[200];
        int filler = MAX_BYTES - 3 + (int)past;
        snprintf(stream, sizeof stream, "+%0*d\r\n", filler, 0);
        snprintf(heard, sizeof heard, "s[%0*d]\n", filler, 0);
        feed_all_ways(bytes_from_str(stream), past ? BYTES("!") : bytes_from_str(heard));
        filler = MAX_BYTES - 7 + (int)past;
        snprintf(stream, sizeof stream, "$%d\r\n%0*d\r\n", filler, filler, 0);
        snprintf(heard, sizeof heard, "b[%0*d]\n", filler, 0);
        feed_all_ways(bytes_from_str(stream), past ? BYTES("!") : bytes_from_str(heard));
    }
    feed_all_ways(BYTES("$101\r\n"), BYTES("!"));
    feed_all_ways(BYTES("$9223372036854775807\r\n"), BYTES("!"));
}

/* Nothings are small where they come from, and large where they are listed. */
static void test_max_values(void **state)
{
    for (size_t past = 0; past < 2; past++) {
        struct resp_reply r;
        struct buffer in;
        size_t consumed, count = LIMIT_REPLY_VALUES - 1 + past;
        resp_reply_init(&r, 8 * LIMIT_MIB);
        buffer_init(&in, 8 * LIMIT_MIB);
        assert_int_equal(buffer_printf(&in, "*2\r\n*%zu\r\n", count - 2), 0);
        for (size_t i = 0; i < count - 1; i++)
            assert_int_equal(buffer_append_str(&in, "_\r\n"), 0);
        assert_int_equal(resp_reply_parse(&r, buffer_view(&in), &consumed),
                         past ? RESP_REPLY_ERROR : 0);
        resp_reply_fini(&r);
        buffer_fini(&in);
    }
    feed_all_ways(BYTES("*1048577\r\n"), BYTES("!"));
}

/* What was passed is not read again until all is there: spoilt meanwhile, it is not missed. */
static void test_read_once(void **state)
{
    struct bytes stream =
        BYTES("*3\r\n+a status of some length\r\n%1\r\n+a\r\n:1\r\n$2\r\nab\r\n");
    struct bytes in = unit_copy(stream);
    uint8_t *data = (uint8_t *)(uintptr_t)in.data;
    size_t consumed, whole = in.len;
    struct resp_reply r;
    resp_reply_init(&r, MAX_BYTES);
    for (in.len = 1; in.len < whole; in.len++) {
        assert_int_equal(resp_reply_parse(&r, in, &consumed), RESP_REPLY_MORE);
        for (size_t i = 0; i + 9 < in.len; i++) {
            if (i != 4) /* the type byte of the status */
                data[i] = '\n';
        }
    }
    memcpy(data, stream.data, whole);
    assert_int_equal(resp_reply_parse(&r, in, &consumed), 0);
    assert_int_equal(r.count, 6);
    assert_bytes(r.values[5].text, BYTES("ab"));
    unit_free(in);
    resp_reply_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_max_bytes),
        cmocka_unit_test(test_max_values),
        cmocka_unit_test(test_read_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
