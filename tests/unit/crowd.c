#include "lib/crowd.h"

#include "base/limits.h"
#include "unit.h"

#include <stdio.h>

static void add(struct crowd *c, const char *name)
{
    assert_null(crowd_find(c, bytes_from_str(name)));
    assert_int_equal(crowd_add(c, bytes_from_str(name)), 0);
    assert_string_equal(crowd_find(c, bytes_from_str(name))->name, name);
}

static void test_who_is_in_it(void **state)
{
    static const char *const names[] = {"mia", "Bob", "zoe", "alice", "carol", "al", "n0"};
    struct crowd c = {.count = 0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add(&c, names[i]);
    assert_string_equal(crowd_find(&c, BYTES("bOB"))->name, "Bob");
    assert_null(crowd_find(&c, BYTES("bobby")));
    crowd_remove(&c, crowd_find(&c, BYTES("al")));
    crowd_remove(&c, crowd_find(&c, BYTES("ZOE")));
    assert_null(crowd_find(&c, BYTES("al")));
    assert_null(crowd_find(&c, BYTES("zoe")));
    for (size_t i = 1; i < c.count; i++)
        assert_true(strcmp(c.people[i - 1].key, c.people[i].key) < 0);
    assert_int_equal(c.count, 5);
    crowd_fini(&c);
}

static void test_who_was_not_counted(void **state)
{
    struct crowd c = {.count = 0};
    add(&c, "alice");
    add(&c, "bob");
    assert_null(crowd_uncounted(&c));
    crowd_count_anew(&c);
    crowd_find(&c, BYTES("bob"))->counted = true;
    add(&c, "carol");
    assert_string_equal(crowd_uncounted(&c)->name, "alice");
    crowd_remove(&c, crowd_uncounted(&c));
    assert_null(crowd_uncounted(&c));
    crowd_fini(&c);
}

static void test_no_more_than_the_limit(void **state)
{
    struct crowd c = {.count = 0};
    char name[16];
    for (size_t i = 0; i < LIMIT_CROWD; i++) {
        snprintf(name, sizeof name, "n%07zu", i);
        assert_int_equal(crowd_add(&c, bytes_from_str(name)), 0);
    }
    assert_int_equal(crowd_add(&c, BYTES("one")), CROWD_FULL);
    crowd_remove(&c, crowd_find(&c, BYTES("n0000007")));
    assert_int_equal(crowd_add(&c, BYTES("one")), 0);
    crowd_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_in_it),
        cmocka_unit_test(test_who_was_not_counted),
        cmocka_unit_test(test_no_more_than_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
