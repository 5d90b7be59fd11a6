#include "people/throttle.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

enum { FREE = 3 };

static struct throttle *begin(void)
{
    struct throttle *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->seed = 42;
    return t;
}

static uint64_t attempt(struct throttle *t, const char *subject, uint64_t at_ms)
{
    return throttle_begin(t, bytes_from_str(subject), FREE,
                          instant_after_ms((struct instant){1}, at_ms));
}

static void test_some_are_free_and_then_one_waits_longer_and_longer(void **state)
{
    struct throttle *t = begin();
    uint64_t now = 1000;
    for (int i = 0; i < FREE; i++)
        assert_int_equal(attempt(t, "alice", now), 0);
    for (uint64_t wait = 1000; wait <= 32000; wait *= 2) {
        assert_int_equal(attempt(t, "alice", now), wait);
        assert_int_equal(attempt(t, "alice", now + wait - 1), 1);
        now += wait;
        assert_int_equal(attempt(t, "alice", now), 0);
    }
    assert_int_equal(attempt(t, "alice", now), LIMIT_THROTTLE_WAIT_MS);
    free(t);
}

static void test_others_need_not_wait(void **state)
{
    struct throttle *t = begin();
    for (int i = 0; i < FREE; i++)
        attempt(t, "alice", 0);
    assert_true(attempt(t, "alice", 0) > 0);
    assert_int_equal(attempt(t, "bob", 0), 0);
    free(t);
}

static void test_right_ones_do_not_count(void **state)
{
    struct throttle *t = begin();
    for (int i = 0; i < 100; i++) {
        assert_int_equal(attempt(t, "alice", 0), 0);
        throttle_forgive(t, bytes_from_str("alice"));
    }
    throttle_forgive(t, bytes_from_str("alice"));
    throttle_forgive(t, bytes_from_str("nobody"));
    for (int i = 0; i < FREE; i++)
        assert_int_equal(attempt(t, "alice", 0), 0);
    assert_true(attempt(t, "alice", 0) > 0);
    free(t);
}

static void test_it_forgets(void **state)
{
    struct throttle *t = begin();
    for (int i = 0; i < FREE; i++)
        attempt(t, "alice", 0);
    assert_int_equal(attempt(t, "alice", LIMIT_THROTTLE_FORGET_MS), 0);
    for (int i = 1; i < FREE; i++)
        assert_int_equal(attempt(t, "alice", LIMIT_THROTTLE_FORGET_MS), 0);
    assert_true(attempt(t, "alice", LIMIT_THROTTLE_FORGET_MS) > 0);
    free(t);
}

/* More subjects than places: somebody is forgotten, but not the one who tries all the while. */
static void test_many_others_do_not_make_one_forgotten(void **state)
{
    struct throttle *t = begin();
    char name[32];
    uint64_t refused = 0;
    for (uint64_t i = 0; i < 4 * LIMIT_THROTTLE_PLACES; i++) {
        snprintf(name, sizeof name, "somebody-%llu", (unsigned long long)i);
        attempt(t, name, i / 1000);
        if (i % 16 == 0)
            refused += attempt(t, "alice", i / 1000) > 0;
    }
    assert_true(refused > 4 * LIMIT_THROTTLE_PLACES / 16 - 20);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_some_are_free_and_then_one_waits_longer_and_longer),
        cmocka_unit_test(test_others_need_not_wait),
        cmocka_unit_test(test_right_ones_do_not_count),
        cmocka_unit_test(test_it_forgets),
        cmocka_unit_test(test_many_others_do_not_make_one_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
