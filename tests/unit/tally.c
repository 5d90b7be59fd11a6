#include "hub/tally.h"

#include "unit.h"

static struct instant at_ms(uint64_t ms)
{
    return (struct instant){ms * 1000 * 1000};
}

static double rate(struct tally *all, size_t n, uint64_t ms)
{
    return tally_rate(all, n, TALLY_COMMANDS, at_ms(ms));
}

static void test_what_workers_count_is_added_up(void **state)
{
    struct tally all[3] = {0};
    tally_add(&all[0], TALLY_HITS, 5);
    tally_add(&all[2], TALLY_HITS, 7);
    tally_add(&all[2], TALLY_MISSES, 1);
    assert_int_equal(tally_sum(all, 3, TALLY_HITS), 12);
    assert_int_equal(tally_sum(all, 2, TALLY_HITS), 5);
    assert_int_equal(tally_sum(all, 3, TALLY_MISSES), 1);
}

static void test_a_rate_is_that_of_the_last_whole_second(void **state)
{
    struct tally t = {0};
    tally_tick(&t, at_ms(5000));
    assert_float_equal(rate(&t, 1, 5000), 0, 0);
    tally_add(&t, TALLY_COMMANDS, 300);
    tally_tick(&t, at_ms(5900)); /* not a second yet */
    assert_float_equal(rate(&t, 1, 5900), 0, 0);
    tally_tick(&t, at_ms(6500));
    tally_add(&t, TALLY_COMMANDS, 1000);
    assert_float_equal(rate(&t, 1, 6600), 200, 0.01);
    tally_tick(&t, at_ms(7500));
    assert_float_equal(rate(&t, 1, 7500), 1000, 0.01);
}

static void test_a_worker_that_sleeps_is_no_longer_busy(void **state)
{
    struct tally all[2] = {0};
    tally_tick(&all[0], at_ms(1000));
    tally_tick(&all[1], at_ms(1000));
    tally_add(&all[0], TALLY_COMMANDS, 500);
    tally_add(&all[1], TALLY_COMMANDS, 100);
    tally_tick(&all[1], at_ms(2000));
    assert_float_equal(rate(all, 2, 2000), 600, 0.01);
    assert_float_equal(rate(all, 1, 11000), 50, 0.01);
    assert_float_equal(rate(all, 1, 500), 0, 0); /* a worker whose clock was read earlier */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_workers_count_is_added_up),
        cmocka_unit_test(test_a_rate_is_that_of_the_last_whole_second),
        cmocka_unit_test(test_a_worker_that_sleeps_is_no_longer_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
