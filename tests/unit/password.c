#include "people/password.h"

#include "base/limits.h"

#include "unit.h"

#include <stdlib.h>

static struct password make(const char *text)
{
    struct password p = {.cost = password_cost_least, .salt = {1, 2, 3}};
    assert_int_equal(password_make(&p, bytes_from_str(text)), 0);
    return p;
}

static bool is_right(const struct password *p, const char *text)
{
    bool right = false;
    assert_int_equal(password_check(p, bytes_from_str(text), &right), 0);
    return right;
}

static void test_only_the_right_one_is_right(void **state)
{
    struct password p = make("correct horse");
    assert_true(is_right(&p, "correct horse"));
    assert_false(is_right(&p, "correct horsf"));
    assert_false(is_right(&p, "correct hors"));
    assert_false(is_right(&p, ""));
}

static void test_salt_and_cost_count(void **state)
{
    struct password p = make("correct horse"), q = p;
    q.salt[0]++;
    assert_false(is_right(&q, "correct horse"));
    q = p;
    q.cost.passes++;
    assert_false(is_right(&q, "correct horse"));
}

static void test_costs(void **state)
{
    assert_true(password_cost_is_valid(&password_cost_default));
    assert_true(password_cost_is_valid(&password_cost_least));
    assert_true(password_cost_default.memory_kib >= 64 * 1024);
    const struct password_cost wrong[] = {
        {0, 8},
        {1, 7},
        {LIMIT_PASSWORD_PASSES + 1, 8},
        {1, LIMIT_PASSWORD_MEMORY_KIB + 1},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(password_cost_is_valid(&wrong[i]));
}

static void test_lengths(void **state)
{
    static const uint8_t text[LIMIT_PASSWORD_BYTES + 1];
    assert_false(password_is_acceptable(bytes_make(text, LIMIT_PASSWORD_BYTES_MIN - 1)));
    assert_true(password_is_acceptable(bytes_make(text, LIMIT_PASSWORD_BYTES_MIN)));
    assert_true(password_is_acceptable(bytes_make(text, LIMIT_PASSWORD_BYTES)));
    assert_false(password_is_acceptable(bytes_make(text, LIMIT_PASSWORD_BYTES + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_right_one_is_right),
        cmocka_unit_test(test_salt_and_cost_count),
        cmocka_unit_test(test_costs),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
