#include "unit.h"

#include "people/account_name.h"

static bool valid(const char *s)
{
    return account_name_is_valid(bytes_from_str(s));
}

static void test_what_may_be_a_name(void **state)
{
    assert_true(valid("a"));
    assert_true(valid("Anna_B.c-9"));
    assert_true(valid("abcdefghijklmnopqrstuvwxyz012345"));
    assert_false(valid("abcdefghijklmnopqrstuvwxyz0123456"));
    assert_false(valid(""));
    assert_false(valid("a b"));
    assert_false(valid("a/b"));
    assert_false(valid("a\n"));
    assert_false(valid("\xc3\xa4"));
    assert_false(account_name_is_valid(bytes_make("a\0b", 3)));
}

static void test_case_makes_no_difference(void **state)
{
    char folded[ACCOUNT_NAME_BYTES + 1];
    account_name_fold(bytes_from_str("Anna_B.C-9"), folded);
    assert_string_equal(folded, "anna_b.c-9");
    assert_true(account_name_equal(bytes_from_str("ANNA"), bytes_from_str("anna")));
    assert_false(account_name_equal(bytes_from_str("anna"), bytes_from_str("ann")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_may_be_a_name),
        cmocka_unit_test(test_case_makes_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
