#include "peer/dialing.h"
#include "base/limits.h"

#include "unit.h"

static struct instant at_ms(uint64_t ms)
{
    return instant_after_ms((struct instant){1000000000}, ms);
}

static void begin(struct dialing *d, size_t count, bool may_relay)
{
    struct candidates c = {.count = count};
    dialing_init(d, &c, may_relay, 1, at_ms(0));
}

static void expect(struct dialing *d, uint64_t ms, enum dialing_event_type type,
                   size_t candidate)
{
    struct dialing_event e;
    dialing_tick(d, at_ms(ms));
    assert_true(dialing_next_event(d, &e));
    assert_int_equal(e.type, type);
    assert_int_equal(e.candidate, candidate);
}

static void expect_nothing(struct dialing *d, uint64_t ms)
{
    struct dialing_event e;
    dialing_tick(d, at_ms(ms));
    assert_false(dialing_next_event(d, &e));
}

static void test_staggered_and_three_at_once(void **state)
{
    struct dialing d;
    begin(&d, 5, false);
    expect(&d, 0, DIALING_DIAL, 0);
    expect_nothing(&d, 249);
    expect(&d, 250, DIALING_DIAL, 1);
    expect(&d, 500, DIALING_DIAL, 2);
    expect_nothing(&d, 1000);
    dialing_done(&d, 1, DIALING_REFUSED, at_ms(1100));
    expect(&d, 1100, DIALING_DIAL, 3);
    expect_nothing(&d, 1999);
    assert_int_equal(dialing_deadline(&d).ns, at_ms(2000).ns);
    expect(&d, 2000, DIALING_CANCEL, 0);
    expect(&d, 2000, DIALING_DIAL, 4);
    assert_int_equal(d.traces[0].outcome, DIALING_TIMEOUT);
    assert_int_equal(d.traces[1].outcome, DIALING_REFUSED);
}

static void test_the_relay_is_asked_once(void **state)
{
    struct dialing d;
    begin(&d, 1, true);
    expect(&d, 0, DIALING_DIAL, 0);
    dialing_done(&d, 0, DIALING_REFUSED, at_ms(1));
    expect_nothing(&d, 1 + 749);
    dialing_tick(&d, at_ms(2499));
    for (struct dialing_event e; dialing_next_event(&d, &e);)
        assert_int_equal(e.type, DIALING_DIAL);
    expect(&d, 2500, DIALING_RELAY, 0);
    dialing_relay_done(&d, DIALING_PROVEN, at_ms(2600));
    dialing_set_path(&d, DIALING_RELAY_PATH, at_ms(2600));
    unsigned before = d.traces[0].attempts;
    for (uint64_t ms = 2600; ms < 1000 * 1000; ms += 100) { /* a direct path is still tried */
        struct dialing_event e;
        dialing_tick(&d, at_ms(ms));
        while (dialing_next_event(&d, &e))
            assert_int_not_equal(e.type, DIALING_RELAY);
        dialing_done(&d, 0, DIALING_REFUSED, at_ms(ms));
    }
    assert_int_equal(d.relay.attempts, 1);
    assert_true(d.traces[0].attempts > before);
    assert_true(d.traces[0].attempts <= LIMIT_DIAL_LATE_ROUNDS + 2);
    assert_int_equal(dialing_deadline(&d).ns, INSTANT_NEVER.ns);
}

static void test_a_direct_path_rests_until_it_is_lost(void **state)
{
    struct dialing d;
    begin(&d, 2, true);
    expect(&d, 0, DIALING_DIAL, 0);
    expect(&d, 250, DIALING_DIAL, 1);
    dialing_done(&d, 1, DIALING_PROVEN, at_ms(300));
    dialing_set_path(&d, DIALING_DIRECT_PATH, at_ms(300));
    expect(&d, 300, DIALING_CANCEL, 0);
    expect_nothing(&d, 100000);
    assert_int_equal(dialing_deadline(&d).ns, INSTANT_NEVER.ns);
    dialing_set_path(&d, DIALING_NO_PATH, at_ms(100000));
    expect(&d, 100250, DIALING_DIAL, 0);
    assert_int_equal(d.traces[0].attempts, 2);
}

static void test_rounds_back_off(void **state)
{
    struct dialing d;
    uint64_t last = 0, gap = 0;
    begin(&d, 1, false);
    for (int round = 0; round < 12; round++) {
        struct dialing_event e;
        uint64_t ms = (dialing_deadline(&d).ns - at_ms(0).ns) / 1000000 + 1;
        dialing_tick(&d, at_ms(ms));
        assert_true(dialing_next_event(&d, &e));
        dialing_done(&d, 0, DIALING_REFUSED, at_ms(ms));
        gap = ms - last;
        assert_true(gap <= LIMIT_DIAL_BACKOFF_MAX_MS * 5 / 4 + 2);
        last = ms;
    }
    assert_true(gap >= LIMIT_DIAL_BACKOFF_MAX_MS * 3 / 4);
}

static void test_without_candidates_the_relay_is_asked_at_once(void **state)
{
    struct dialing d;
    begin(&d, 0, true);
    expect(&d, 0, DIALING_RELAY, 0);
    expect_nothing(&d, 100000);
    dialing_relay_done(&d, DIALING_DENIED, at_ms(100000));
    expect_nothing(&d, 100000);
    expect(&d, 102000, DIALING_RELAY, 0);
}

/* The other side has lost what is still believed in here: the relay is come to at once, but not
 * twice in a moment, and not while it is on the way. */
static void test_who_is_called_comes_to_the_relay(void **state)
{
    struct dialing d;
    begin(&d, 1, true);
    expect(&d, 0, DIALING_DIAL, 0);
    dialing_done(&d, 0, DIALING_PROVEN, at_ms(10));
    dialing_set_path(&d, DIALING_DIRECT_PATH, at_ms(10));
    expect_nothing(&d, 60000);
    dialing_called(&d, at_ms(60000));
    assert_int_equal(dialing_deadline(&d).ns, at_ms(60000).ns);
    expect(&d, 60000, DIALING_RELAY, 0);
    dialing_called(&d, at_ms(60001));
    expect_nothing(&d, 62000);
    dialing_relay_done(&d, DIALING_PROVEN, at_ms(62000));
    dialing_called(&d, at_ms(62000));
    expect(&d, 62000, DIALING_RELAY, 0);
    dialing_relay_done(&d, DIALING_DENIED, at_ms(62100));
    dialing_called(&d, at_ms(62100));
    expect_nothing(&d, 62000 + LIMIT_DIAL_CALLED_MS - 1);
    expect(&d, 62000 + LIMIT_DIAL_CALLED_MS, DIALING_RELAY, 0);
}

static void test_who_may_not_relay_is_not_called(void **state)
{
    struct dialing d;
    begin(&d, 1, false);
    expect(&d, 0, DIALING_DIAL, 0);
    dialing_called(&d, at_ms(1));
    expect_nothing(&d, 249);
}

/* One that is on its way to the relay is not sent there again, by whatever happens. */
static void test_the_relay_is_not_asked_twice_at_once(void **state)
{
    struct dialing d;
    begin(&d, 0, true);
    expect(&d, 0, DIALING_RELAY, 0);
    dialing_relay_done(&d, DIALING_PROVEN, at_ms(10));
    dialing_set_path(&d, DIALING_RELAY_PATH, at_ms(10));
    dialing_called(&d, at_ms(20000));
    expect(&d, 20000, DIALING_RELAY, 0);
    dialing_set_path(&d, DIALING_NO_PATH, at_ms(20001)); /* a new race begins */
    expect_nothing(&d, 40000);
    dialing_relay_done(&d, DIALING_UNREACHABLE, at_ms(40000));
    expect(&d, 42000, DIALING_RELAY, 0);
}

/* Everything once, to its end, whatever path there is meanwhile. */
static void test_a_survey_tries_all(void **state)
{
    struct dialing d;
    begin(&d, 4, true);
    dialing_survey(&d, 1000);
    expect_nothing(&d, 999);
    expect(&d, 1000, DIALING_RELAY, 0);
    expect(&d, 1000, DIALING_DIAL, 0);
    dialing_done(&d, 0, DIALING_PROVEN, at_ms(1003));
    dialing_set_path(&d, DIALING_DIRECT_PATH, at_ms(1003));
    assert_int_equal(d.traces[0].ended.ns - d.traces[0].began.ns, 3000000);
    expect(&d, 1250, DIALING_DIAL, 1);
    expect(&d, 1500, DIALING_DIAL, 2);
    expect(&d, 1750, DIALING_DIAL, 3);
    dialing_done(&d, 1, DIALING_REFUSED, at_ms(1751));
    dialing_done(&d, 2, DIALING_PROVEN, at_ms(1752));
    assert_false(dialing_is_through(&d));
    expect(&d, 3750, DIALING_CANCEL, 3);
    assert_false(dialing_is_through(&d));
    dialing_set_path(&d, DIALING_NO_PATH, at_ms(3800));
    expect_nothing(&d, 1000 + LIMIT_DIAL_SURVEY_RELAY_MS - 1);
    assert_false(dialing_is_through(&d));
    expect_nothing(&d, 1000 + LIMIT_DIAL_SURVEY_RELAY_MS);
    assert_true(dialing_is_through(&d));
    assert_int_equal(dialing_deadline(&d).ns, INSTANT_NEVER.ns);
    assert_int_equal(d.relay.outcome, DIALING_TIMEOUT);
    dialing_relay_done(&d, DIALING_GIVEN_UP, at_ms(7000)); /* the connection is closed */
    assert_int_equal(d.relay.outcome, DIALING_TIMEOUT);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(d.traces[i].attempts, 1);
    expect_nothing(&d, 1000000);
}

static void test_a_survey_of_nothing(void **state)
{
    struct dialing d;
    begin(&d, 0, true);
    dialing_survey(&d, 100);
    expect(&d, 100, DIALING_RELAY, 0);
    dialing_relay_done(&d, DIALING_DENIED, at_ms(110));
    assert_true(dialing_is_through(&d));
    begin(&d, 1, true); /* a race is never through */
    assert_false(dialing_is_through(&d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_staggered_and_three_at_once),
        cmocka_unit_test(test_the_relay_is_asked_once),
        cmocka_unit_test(test_a_direct_path_rests_until_it_is_lost),
        cmocka_unit_test(test_rounds_back_off),
        cmocka_unit_test(test_without_candidates_the_relay_is_asked_at_once),
        cmocka_unit_test(test_who_is_called_comes_to_the_relay),
        cmocka_unit_test(test_who_may_not_relay_is_not_called),
        cmocka_unit_test(test_the_relay_is_not_asked_twice_at_once),
        cmocka_unit_test(test_a_survey_tries_all),
        cmocka_unit_test(test_a_survey_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
