#include "client/agreed.h"

#include "unit.h"

static const char one[] = "AAAAAAAAAAAAAAAAAAAAAA", two[] = "AAAAAAAAAAAAAAAAAAAAAQ";

static bool take(struct agreed *a, const char *id, const char *name)
{
    struct notice n = {
        .kind = NOTICE_INTRODUCED, .id = bytes_from_str(id), .name = bytes_from_str(name)};
    return agreed_take(a, &n);
}

static void add(struct agreed *a, const char *id, const char *name)
{
    agreed_add(a, bytes_from_str(id), bytes_from_str(name));
}

static void test_once(void **state)
{
    struct agreed a = {.next = 0};
    assert_false(take(&a, one, "bob"));
    add(&a, one, "bob");
    assert_true(take(&a, one, "Bob"));
    assert_false(take(&a, one, "bob"));
}

static void test_him_alone(void **state)
{
    struct agreed a = {.next = 0};
    add(&a, one, "bob");
    add(&a, two, "eve");
    assert_false(take(&a, one, "eve"));
    assert_false(take(&a, two, "bob"));
    assert_true(take(&a, one, "bob"));
    assert_true(take(&a, two, "eve"));
}

static void test_what_is_none(void **state)
{
    struct agreed a = {.next = 0};
    struct notice invited = {
        .kind = NOTICE_INVITED, .id = bytes_from_str(one), .name = bytes_from_str("bob")};
    add(&a, "short", "bob");
    add(&a, one, "");
    add(&a, one, "../bob");
    assert_int_equal(a.next, 0);
    assert_false(take(&a, one, ""));
    add(&a, one, "bob");
    assert_false(agreed_take(&a, &invited));
    assert_true(take(&a, one, "bob"));
}

static void test_the_last_count(void **state)
{
    struct agreed a = {.next = 0};
    add(&a, one, "bob");
    for (size_t i = 0; i < LIMIT_AGREED - 1; i++)
        add(&a, two, "eve");
    assert_true(take(&a, one, "bob"));
    add(&a, one, "bob");
    for (size_t i = 0; i < LIMIT_AGREED; i++)
        add(&a, two, "eve");
    assert_false(take(&a, one, "bob"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_him_alone),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_the_last_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
