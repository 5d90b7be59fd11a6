#include "base/utf8.h"

#include "unit.h"

/* At every bound of RFC 3629, the last that is well-formed and the first that is not. */
static const struct {
    struct bytes text;
    size_t len; /* 0: not well-formed */
    uint32_t code;
} cases[] = {
    {BYTES("\0"), 1, 0},
    {BYTES("\x7f"), 1, 0x7f},
    {BYTES("\x80"), 0, 0},
    {BYTES("\xbf"), 0, 0},
    {BYTES("\xc1\xbf"), 0, 0},
    {BYTES("\xc2\x80"), 2, 0x80},
    {BYTES("\xdf\xbf"), 2, 0x7ff},
    {BYTES("\xe0\x9f\xbf"), 0, 0},
    {BYTES("\xe0\xa0\x80"), 3, 0x800},
    {BYTES("\xed\x9f\xbf"), 3, 0xd7ff},
    {BYTES("\xed\xa0\x80"), 0, 0},
    {BYTES("\xed\xbf\xbf"), 0, 0},
    {BYTES("\xee\x80\x80"), 3, 0xe000},
    {BYTES("\xef\xbf\xbf"), 3, 0xffff},
    {BYTES("\xf0\x8f\xbf\xbf"), 0, 0},
    {BYTES("\xf0\x90\x80\x80"), 4, 0x10000},
    {BYTES("\xf4\x8f\xbf\xbf"), 4, 0x10ffff},
    {BYTES("\xf4\x90\x80\x80"), 0, 0},
    {BYTES("\xf5\x80\x80\x80"), 0, 0},
    {BYTES("\xff"), 0, 0},
};

static void test_decode(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes text = unit_copy(cases[i].text);
        uint32_t code = 0;
        assert_int_equal(utf8_decode(text, &code), cases[i].len);
        assert_int_equal(code, cases[i].code);
        assert_int_equal(utf8_is_valid(text), cases[i].len > 0);
        unit_free(text);
    }
}

/* A sequence cut short, or with a byte in it that does not continue it, is none. */
static void test_cut_short(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t code = 42;
        for (size_t len = 1; len < cases[i].len; len++) {
            struct bytes text = unit_copy(bytes_first(cases[i].text, len));
            assert_int_equal(utf8_decode(text, &code), 0);
            unit_free(text);
            text = unit_copy(cases[i].text);
            ((uint8_t *)(uintptr_t)text.data)[len] ^= 0x40;
            assert_int_equal(utf8_decode(text, &code), 0);
            unit_free(text);
        }
        assert_int_equal(code, 42);
    }
}

static void test_valid(void **state)
{
    assert_true(utf8_is_valid(bytes_make(NULL, 0)));
    assert_true(utf8_is_valid(BYTES("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z")));
    assert_false(utf8_is_valid(BYTES("a\xc3\xa9\xe2\x82")));
    assert_false(utf8_is_valid(BYTES("a\xffz")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
