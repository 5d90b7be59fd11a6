#include "unit.h"

static void test_equal(void **state)
{
    static const struct {
        struct bytes a, b;
        bool equal, nocase;
    } cases[] = {
        {BYTES(""), {NULL, 0}, true, true},
        {BYTES("a"), BYTES("a"), true, true},
        {BYTES("a"), BYTES("A"), false, true},
        {BYTES("zZ"), BYTES("Zz"), false, true},
        {BYTES("a"), BYTES("ab"), false, false},
        {BYTES("a\0b"), BYTES("a\0b"), true, true},
        {BYTES("a\0b"), BYTES("a\0c"), false, false},
        {BYTES("@"), BYTES("`"), false, false},
        {BYTES("["), BYTES("{"), false, false},
        {BYTES("\xc4"), BYTES("\xe4"), false, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(bytes_equal(cases[i].a, cases[i].b), cases[i].equal);
        assert_int_equal(bytes_equal_nocase(cases[i].a, cases[i].b), cases[i].nocase);
    }
    assert_true(bytes_equal_str(BYTES("GET"), "GET"));
    assert_false(bytes_equal_str(BYTES("GET\0"), "GET"));
}

static void test_starts_with(void **state)
{
    assert_true(bytes_starts_with(BYTES("NAME=x"), "NAME="));
    assert_true(bytes_starts_with(BYTES("NAME="), "NAME="));
    assert_false(bytes_starts_with(BYTES("NAME"), "NAME="));
    assert_false(bytes_starts_with(BYTES("name=x"), "NAME="));
    assert_true(bytes_starts_with(bytes_make(NULL, 0), ""));
}

static void test_parts(void **state)
{
    assert_bytes(bytes_from(BYTES("abc"), 1), BYTES("bc"));
    assert_bytes(bytes_from(BYTES("abc"), 3), BYTES(""));
    assert_bytes(bytes_from(bytes_make(NULL, 0), 0), BYTES(""));
    assert_bytes(bytes_first(BYTES("abc"), 2), BYTES("ab"));
    assert_int_equal(bytes_find(BYTES("a=b="), '='), 1);
    assert_int_equal(bytes_find(BYTES("ab"), '='), 2);
    assert_int_equal(bytes_find(bytes_make(NULL, 0), '='), 0);
}

static void test_trim(void **state)
{
    static const struct {
        struct bytes in, out;
    } cases[] = {
        {BYTES(""), BYTES("")},           {BYTES(" \t "), BYTES("")},
        {BYTES("a"), BYTES("a")},         {BYTES(" \ta b\t "), BYTES("a b")},
        {BYTES("\ra\n"), BYTES("\ra\n")}, {BYTES("\0 "), BYTES("\0")},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_bytes(bytes_trim(cases[i].in), cases[i].out);
}

static void test_words(void **state)
{
    struct bytes rest = BYTES("  STORE\tk =  v ");
    assert_bytes(bytes_next_word(&rest), BYTES("STORE"));
    assert_bytes(rest, BYTES("\tk =  v "));
    assert_bytes(bytes_next_word(&rest), BYTES("k"));
    assert_bytes(bytes_next_word(&rest), BYTES("="));
    assert_bytes(bytes_next_word(&rest), BYTES("v"));
    assert_bytes(rest, BYTES(" "));
    assert_bytes(bytes_next_word(&rest), BYTES(""));
    assert_bytes(rest, BYTES(""));
    assert_bytes(bytes_next_word(&rest), BYTES(""));
}

static void test_lines(void **state)
{
    struct bytes rest = BYTES("one\n\nthree\n");
    assert_bytes(bytes_next_line(&rest), BYTES("one"));
    assert_bytes(rest, BYTES("\nthree\n"));
    assert_bytes(bytes_next_line(&rest), BYTES(""));
    assert_bytes(bytes_next_line(&rest), BYTES("three"));
    assert_bytes(rest, BYTES(""));
    assert_bytes(bytes_next_line(&rest), BYTES(""));
    rest = BYTES("a\r\n\r\nb\r");
    assert_bytes(bytes_next_line(&rest), BYTES("a"));
    assert_bytes(bytes_next_line(&rest), BYTES(""));
    assert_bytes(bytes_next_line(&rest), BYTES("b\r"));
    rest = BYTES("without an end");
    assert_bytes(bytes_next_line(&rest), BYTES("without an end"));
    assert_bytes(rest, BYTES(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal), cmocka_unit_test(test_starts_with),
        cmocka_unit_test(test_parts), cmocka_unit_test(test_trim),
        cmocka_unit_test(test_words), cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
