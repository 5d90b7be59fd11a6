#include "base/steady_time.h"

#include "unit.h"

enum { NOON = 1700000000 }; /* in seconds */

/* Both clocks, in milliseconds; the wall clock from noon on. */
static int64_t go(struct steady_time *s, uint64_t now_ms, int64_t wall_ms)
{
    struct walltime t = steady_time_go(s, (struct instant){now_ms * 1000000},
                                       (struct walltime){(int64_t)NOON * 1000 + wall_ms});
    return t.ms - (int64_t)NOON * 1000;
}

static void test_it_is_the_clock(void **state)
{
    struct steady_time s = {0};
    for (uint64_t ms = 0; ms < 10000; ms += 7)
        assert_int_equal(go(&s, 5000 + ms, (int64_t)ms), ms);
    assert_int_equal(go(&s, 20000, 1000000), 1000000); /* set forward */
    assert_int_equal(go(&s, 20001, 1000001), 1000001);
}

static void test_a_clock_set_back_is_waited_for(void **state)
{
    struct steady_time s = {0};
    assert_int_equal(go(&s, 0, 0), 0);
    assert_int_equal(go(&s, 0, -3600000), 0);
    assert_int_equal(go(&s, 16, -3600000 + 16), 15);
    assert_int_equal(go(&s, 16000, -3600000 + 16000), 15000);
    assert_int_equal(go(&s, 32000, -3600000 + 32000), 30000);
    /* An hour is caught up with in 16. */
    assert_int_equal(go(&s, 16 * 3600000 - 16000, 15 * 3600000 - 16000), 15 * 3600000 - 15000);
    assert_int_equal(go(&s, 16 * 3600000, 15 * 3600000), 15 * 3600000);
    assert_int_equal(go(&s, 16 * 3600000 + 16000, 15 * 3600000 + 16000), 15 * 3600000 + 16000);
}

static void test_it_never_goes_back(void **state)
{
    struct steady_time s = {0};
    uint32_t random = 1;
    int64_t wall = 0, last = 0;
    for (uint64_t ms = 0; ms < 100000; ms += random >> 8 & 3) {
        random = random * 1664525 + 1013904223;
        wall = random >> 16 & 15 ? (int64_t)ms : wall + (random >> 24) % 100 - 50;
        int64_t t = go(&s, ms, wall);
        assert_true(t >= last);
        last = t;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_the_clock),
        cmocka_unit_test(test_a_clock_set_back_is_waited_for),
        cmocka_unit_test(test_it_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
