#include "base/clean.h"

#include "unit.h"

static const struct {
    struct bytes in, out;
} cases[] = {
    {BYTES(""), BYTES("")},
    {BYTES("plain ~text"), BYTES("plain ~text")},
    {BYTES("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
     BYTES("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80")},
    {BYTES("a\nb"), BYTES("a\\x0ab")},
    {BYTES("\0"), BYTES("\\x00")},
    {BYTES("\x1b[31m"), BYTES("\\x1b[31m")},
    {BYTES("\x1f\x20\x7e\x7f"), BYTES("\\x1f\x20\x7e\\x7f")},
    {BYTES("\xc2\x9f\xc2\xa0"), BYTES("\\xc2\\x9f\xc2\xa0")},                  /* the last C1 */
    {BYTES("\xc2\xad"), BYTES("\\xc2\\xad")},                                  /* soft hyphen */
    {BYTES("\xe2\x80\x8a\xe2\x80\x8b"), BYTES("\xe2\x80\x8a\\xe2\\x80\\x8b")}, /* zero width */
    {BYTES("\xe2\x80\xa8"), BYTES("\\xe2\\x80\\xa8")}, /* line separator */
    {BYTES("\xe2\x80\xae\xe2\x80\xaf"), BYTES("\\xe2\\x80\\xae\xe2\x80\xaf")}, /* bidi */
    {BYTES("\xe2\x81\xa6"), BYTES("\\xe2\\x81\\xa6")},          /* bidi isolate */
    {BYTES("\xef\xbb\xbf"), BYTES("\\xef\\xbb\\xbf")},          /* BOM */
    {BYTES("\xe1\xa0\x8e"), BYTES("\\xe1\\xa0\\x8e")},          /* Mongolian vowel separator */
    {BYTES("\xf0\x9b\xb2\xa0"), BYTES("\\xf0\\x9b\\xb2\\xa0")}, /* shorthand format */
    {BYTES("\xf0\x9d\x85\xb3"), BYTES("\\xf0\\x9d\\x85\\xb3")}, /* musical format */
    {BYTES("\xf3\xa0\x81\x81"), BYTES("\\xf3\\xa0\\x81\\x81")}, /* a tag */
    {BYTES("\x80"), BYTES("\\x80")},                            /* not UTF-8: */
    {BYTES("\xc0\xaf"), BYTES("\\xc0\\xaf")},                   /* overlong */
    {BYTES("\xc1\xbf"), BYTES("\\xc1\\xbf")},
    {BYTES("\xe0\x9f\xbf"), BYTES("\\xe0\\x9f\\xbf")},
    {BYTES("\xf0\x8f\xbf\xbf"), BYTES("\\xf0\\x8f\\xbf\\xbf")},
    {BYTES("\xed\xa0\x80"), BYTES("\\xed\\xa0\\x80")},          /* surrogate */
    {BYTES("\xf4\x8f\xbf\xbf"), BYTES("\xf4\x8f\xbf\xbf")},     /* U+10FFFF */
    {BYTES("\xf4\x90\x80\x80"), BYTES("\\xf4\\x90\\x80\\x80")}, /* past it */
    {BYTES("\xf5\xff"), BYTES("\\xf5\\xff")},
    {BYTES("\xe2\x82"), BYTES("\\xe2\\x82")}, /* cut short */
    {BYTES("\xe2\x82x\xc3"), BYTES("\\xe2\\x82x\\xc3")},
};

static void test_append(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes in = unit_copy(cases[i].in);
        struct buffer out;
        buffer_init(&out, 1000);
        assert_int_equal(clean_append(&out, in, in.len), 0);
        assert_bytes(buffer_view(&out), cases[i].out);
        assert_int_equal(clean_is_clean(in), bytes_equal(cases[i].in, cases[i].out));
        assert_true(clean_is_clean(buffer_view(&out)));
        buffer_fini(&out);
        unit_free(in);
    }
}

static void test_max(void **state)
{
    static const struct {
        struct bytes in;
        size_t max;
        struct bytes out;
    } cuts[] = {
        {BYTES("abc"), 3, BYTES("abc")},
        {BYTES("abcd"), 3, BYTES("abc...")},
        {BYTES("a"), 0, BYTES("...")},
        {BYTES(""), 0, BYTES("")},
        {BYTES("a\xe2\x82\xac"), 4, BYTES("a\xe2\x82\xac")},
        {BYTES("a\xe2\x82\xac"), 3, BYTES("a...")},
        {BYTES("\n\n"), 1, BYTES("\\x0a...")},
    };
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        struct buffer out;
        buffer_init(&out, 100);
        assert_int_equal(clean_append(&out, cuts[i].in, cuts[i].max), 0);
        assert_bytes(buffer_view(&out), cuts[i].out);
        buffer_fini(&out);
    }
}

static void test_full(void **state)
{
    struct buffer out;
    buffer_init(&out, 3);
    assert_int_equal(clean_append(&out, BYTES("\n"), 10), BUFFER_FULL);
    assert_int_equal(clean_append(&out, BYTES("abcd"), 10), BUFFER_FULL);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_max),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
