#include "client/accepting.h"

#include "unit.h"

static void test_which_rules_there_are(void **state)
{
    assert_true(accepting_is_valid("all"));
    assert_true(accepting_is_valid("bob"));
    assert_true(accepting_is_valid("bob,carol"));
    assert_false(accepting_is_valid(""));
    assert_false(accepting_is_valid("bob,"));
    assert_false(accepting_is_valid(",bob"));
    assert_false(accepting_is_valid("bob, carol"));
}

static void test_who_is_accepted(void **state)
{
    assert_true(accepting_allows("all", BYTES("bob")));
    assert_true(accepting_allows("bob,Carol", BYTES("carol")));
    assert_true(accepting_allows("bob,carol", BYTES("Bob")));
    assert_false(accepting_allows("bob,carol", BYTES("bobcarol")));
    assert_false(accepting_allows("bobby", BYTES("bob")));
    assert_false(accepting_allows("bob,all", BYTES("eve")));
    assert_false(accepting_allows(NULL, BYTES("bob")));
    assert_true(accepting_allows("10M,all", BYTES("eve")));
    assert_true(accepting_allows("bob,10M", BYTES("bob")));
    assert_false(accepting_allows("10M", BYTES("bob")));
}

static void test_how_much_is_accepted(void **state)
{
    assert_int_equal(accepting_size(NULL), 0);
    assert_int_equal(accepting_size("bob,all"), 0);
    assert_int_equal(accepting_size("bob,10M"), 10 << 20);
    assert_int_equal(accepting_size("3K,bob"), 3 << 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_rules_there_are),
        cmocka_unit_test(test_who_is_accepted),
        cmocka_unit_test(test_how_much_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
