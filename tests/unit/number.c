#include "base/number.h"

#include "unit.h"

static const struct {
    struct bytes text;
    bool u64, i64;
    uint64_t value;
} cases[] = {
    {BYTES("0"), true, true, 0},
    {BYTES("7"), true, true, 7},
    {BYTES("10"), true, true, 10},
    {BYTES("9223372036854775807"), true, true, INT64_MAX},
    {BYTES("9223372036854775808"), true, false, (uint64_t)INT64_MAX + 1},
    {BYTES("18446744073709551615"), true, false, UINT64_MAX},
    {BYTES("-1"), false, true, UINT64_MAX},
    {BYTES("-9223372036854775808"), false, true, (uint64_t)INT64_MAX + 1},
    {BYTES("-9223372036854775809"), false, false, 0},
    {BYTES("18446744073709551616"), false, false, 0},
    {BYTES("18446744073709551620"), false, false, 0},
    {BYTES("99999999999999999999"), false, false, 0},
    {BYTES("100000000000000000000"), false, false, 0},
    {BYTES(""), false, false, 0},
    {BYTES("-"), false, false, 0},
    {BYTES("-0"), false, false, 0},
    {BYTES("--1"), false, false, 0},
    {BYTES("+1"), false, false, 0},
    {BYTES("01"), false, false, 0},
    {BYTES("00"), false, false, 0},
    {BYTES("-01"), false, false, 0},
    {BYTES(" 1"), false, false, 0},
    {BYTES("1 "), false, false, 0},
    {BYTES("1\0"), false, false, 0},
    {BYTES("1a"), false, false, 0},
    {BYTES("/"), false, false, 0},
    {BYTES(":"), false, false, 0},
};

static void test_parse(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t u = 42;
        int64_t v = 42;
        assert_int_equal(number_parse_u64(cases[i].text, &u), cases[i].u64);
        assert_int_equal(u, cases[i].u64 ? cases[i].value : 42);
        assert_int_equal(number_parse_i64(cases[i].text, &v), cases[i].i64);
        assert_int_equal(v, cases[i].i64 ? (int64_t)cases[i].value : 42);
    }
}

static void test_format(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char out[NUMBER_INT64_CHARS];
        if (cases[i].i64)
            assert_bytes(bytes_make(out, number_format_i64(out, (int64_t)cases[i].value)),
                         cases[i].text);
    }
}

static void test_little_endian(void **state)
{
    uint8_t at[8];
    number_put_u32(at, 0x89abcdef);
    assert_bytes(bytes_make(at, 4), BYTES("\xef\xcd\xab\x89"));
    assert_int_equal(number_get_u32(at), 0x89abcdef);
    number_put_u64(at, 0x8123456789abcdef);
    assert_bytes(bytes_make(at, 8), BYTES("\xef\xcd\xab\x89\x67\x45\x23\x81"));
    assert_int_equal(number_get_u64(at), 0x8123456789abcdef);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_little_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
