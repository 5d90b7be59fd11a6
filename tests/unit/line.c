#include "wire/line.h"

#include "unit.h"

enum { MAX = 8 };

struct message {
    int result; /* of line_parse; LINE_MORE: text is what is left over */
    struct bytes text;
    enum line_ending ending;
};

/* Streams and their messages, the last of them what the rest of the stream gives. */
static const struct {
    struct bytes stream;
    struct message messages[4];
} cases[] = {
    {BYTES(""), {{LINE_MORE, BYTES(""), 0}}},
    {BYTES("a\n"), {{0, BYTES("a"), LINE_LF}, {LINE_MORE, BYTES(""), 0}}},
    {BYTES("a\r\n"), {{0, BYTES("a"), LINE_CRLF}, {LINE_MORE, BYTES(""), 0}}},
    {BYTES("\n\r\nb"),
     {{0, BYTES(""), LINE_LF}, {0, BYTES(""), LINE_CRLF}, {LINE_MORE, BYTES("b"), 0}}},
    {BYTES("ab\n\nc"),
     {{0, BYTES("ab"), LINE_LF}, {0, BYTES(""), LINE_LF}, {LINE_MORE, BYTES("c"), 0}}},
    {BYTES("a\rb\r\r\n"), {{0, BYTES("a\rb\r"), LINE_CRLF}, {LINE_MORE, BYTES(""), 0}}},
    {BYTES("\0\n x\r"), {{0, BYTES("\0"), LINE_LF}, {LINE_MORE, BYTES(" x\r"), 0}}},
    /* at the bound, and one past it */
    {BYTES("12345678"), {{LINE_MORE, BYTES("12345678"), 0}}},
    {BYTES("12345678\n"), {{0, BYTES("12345678"), LINE_LF}, {LINE_MORE, BYTES(""), 0}}},
    {BYTES("12345678\r"), {{LINE_MORE, BYTES("12345678\r"), 0}}},
    {BYTES("12345678\r\n"), {{0, BYTES("12345678"), LINE_CRLF}, {LINE_MORE, BYTES(""), 0}}},
    {BYTES("123456789"), {{LINE_TOO_LONG, BYTES(""), 0}}},
    {BYTES("123456789\n"), {{LINE_TOO_LONG, BYTES(""), 0}}},
    {BYTES("12345678\rx"), {{LINE_TOO_LONG, BYTES(""), 0}}},
    {BYTES("12345678\r\r\n"), {{LINE_TOO_LONG, BYTES(""), 0}}},
    {BYTES("a\n123456789"), {{0, BYTES("a"), LINE_LF}, {LINE_TOO_LONG, BYTES(""), 0}}},
};

/* One call to the parser at the stream from at on, of which first_len bytes have come. */
static int parse(struct line *l, struct bytes stream, size_t *at, size_t len,
                 const struct message *want)
{
    struct bytes in = unit_copy(bytes_make(stream.data + *at, len - *at)), text;
    enum line_ending ending;
    size_t consumed;
    int r = line_parse(l, in, MAX, &consumed, &text, &ending);
    if (r == 0) {
        assert_int_equal(want->result, 0);
        assert_bytes(text, want->text);
        assert_int_equal(ending, want->ending);
        assert_int_equal(consumed, text.len + line_ending_bytes(ending).len);
        *at += consumed;
    }
    unit_free(in);
    return r;
}

/* The stream comes cut at one place, then in steps. */
static void feed(struct bytes stream, const struct message *want, size_t cut, size_t step)
{
    struct line l = {0};
    size_t at = 0, len = cut < stream.len ? cut : stream.len;
    int r;
    while ((r = parse(&l, stream, &at, len, want)) != LINE_TOO_LONG) {
        if (r == 0)
            want++;
        else if (len == stream.len)
            break;
        else
            len = step < stream.len - len ? len + step : stream.len;
    }
    assert_int_equal(r, want->result);
    if (r == LINE_MORE)
        assert_bytes(bytes_from(stream, at), want->text);
}

static void test_cut_anywhere(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t cut = 0; cut <= cases[i].stream.len; cut++)
            feed(cases[i].stream, cases[i].messages, cut, SIZE_MAX);
        feed(cases[i].stream, cases[i].messages, 0, 1);
    }
}

/* What was searched is not looked at again: a newline slipped in there is not seen. */
static void test_searched_once(void **state)
{
    struct line l = {0};
    struct bytes text;
    enum line_ending ending;
    size_t consumed;
    uint8_t in[] = "abcd\nx";
    for (size_t len = 1; len <= 4; len++) {
        assert_int_equal(line_parse(&l, bytes_make(in, len), MAX, &consumed, &text, &ending),
                         LINE_MORE);
        in[len - 1] = '\n';
    }
    assert_int_equal(line_parse(&l, bytes_make(in, 6), MAX, &consumed, &text, &ending), 0);
    assert_int_equal(consumed, 5);
}

static void test_bare(void **state)
{
    struct line l = {0};
    struct bytes text;
    enum line_ending ending;
    size_t consumed;
    assert_int_equal(line_parse(&l, BYTES("GET foo"), MAX, &consumed, &text, &ending),
                     LINE_MORE);
    line_take_bare(&l);
    assert_int_equal(line_parse(&l, BYTES("a\n"), MAX, &consumed, &text, &ending), 0);
    assert_bytes(text, BYTES("a"));
}

static void test_endings(void **state)
{
    assert_bytes(line_ending_bytes(LINE_LF), BYTES("\n"));
    assert_bytes(line_ending_bytes(LINE_CRLF), BYTES("\r\n"));
    assert_bytes(line_ending_bytes(LINE_BARE), BYTES(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_searched_once),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
