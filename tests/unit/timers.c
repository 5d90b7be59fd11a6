#include "base/timers.h"

#include "unit.h"

enum { TIMERS = 60 };

/* The least due of those set, looked up the slow way. */
static struct instant slow_deadline(const struct timer *all)
{
    struct instant least = INSTANT_NEVER;
    for (size_t i = 0; i < TIMERS; i++) {
        if (timer_is_set(&all[i]))
            least = instant_min(least, all[i].due);
    }
    return least;
}

static void assert_heap(const struct timers *t)
{
    for (size_t i = 0; i < t->count; i++) {
        assert_int_equal(t->heap[i]->place, i + 1);
        assert_true(i == 0 || t->heap[(i - 1) / 2]->due.ns <= t->heap[i]->due.ns);
    }
}

/* Sets, moves, clears and pops in an order of small random numbers, against the slow way. */
static void test_against_the_slow_way(void **state)
{
    struct timer all[TIMERS] = {0};
    struct timers t;
    uint32_t random = 1;
    timers_init(&t);
    for (int step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        struct timer *timer = &all[(random >> 8) % TIMERS];
        struct instant due = {random >> 24};
        if (random >> 16 & 3) {
            assert_int_equal(timers_set(&t, timer, due), 0);
            assert_true(timer_is_set(timer));
            assert_int_equal(timer->due.ns, due.ns);
        } else {
            timers_clear(&t, timer);
            assert_false(timer_is_set(timer));
        }
        assert_heap(&t);
        assert_int_equal(timers_deadline(&t).ns, slow_deadline(all).ns);
        struct timer *popped = timers_pop(&t, (struct instant){random >> 12 & 0x1f});
        if (popped) {
            assert_false(timer_is_set(popped));
            assert_true(popped->due.ns <= slow_deadline(all).ns);
            assert_true(popped->due.ns <= (random >> 12 & 0x1f));
        } else {
            assert_true(slow_deadline(all).ns > (random >> 12 & 0x1f));
        }
    }
    timers_fini(&t);
}

static void test_pop_in_order(void **state)
{
    struct timer all[TIMERS] = {0};
    struct timers t;
    timers_init(&t);
    assert_int_equal(timers_deadline(&t).ns, INSTANT_NEVER.ns);
    assert_null(timers_pop(&t, INSTANT_NEVER));
    for (size_t i = 0; i < TIMERS; i++)
        assert_int_equal(timers_set(&t, &all[i], (struct instant){i * 37 % TIMERS}), 0);
    for (uint64_t now = 0; now < TIMERS; now++) {
        assert_null(now > 0 ? timers_pop(&t, (struct instant){now - 1}) : NULL);
        struct timer *timer = timers_pop(&t, (struct instant){now});
        assert_non_null(timer);
        assert_int_equal(timer->due.ns, now);
    }
    assert_null(timers_pop(&t, INSTANT_NEVER));
    timers_fini(&t);
}

static void test_time(void **state)
{
    assert_int_equal(instant_after_ms((struct instant){5}, 3).ns, 3000005);
    assert_int_equal(instant_min(INSTANT_NEVER, (struct instant){7}).ns, 7);
    assert_int_equal(instant_min((struct instant){7}, INSTANT_NEVER).ns, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_slow_way),
        cmocka_unit_test(test_pop_in_order),
        cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
