#include "peer/candidates.h"

#include "unit.h"

static struct net_address address(const char *text)
{
    struct net_address a;
    assert_true(net_address_read(bytes_from_str(text), &a));
    return a;
}

static void test_which_may_be_dialed(void **state)
{
    struct own_address own[] = {
        {address("192.168.1.5"), 24}, {address("2001:db8::5"), 64}, {address("10.1.1.1"), 0}};
    struct candidate_rules rules = {
        .own = own, .own_count = COUNT_OF(own), .seen = address("203.0.113.9")};
    static const struct {
        const char *text;
        enum candidate_verdict verdict;
    } cases[] = {
        {"192.168.1.7:2000", CANDIDATE_GOOD},
        {"192.168.1.7:1024", CANDIDATE_GOOD},
        {"192.168.1.7:1023", CANDIDATE_LOW_PORT},
        {"192.168.1.0:2000", CANDIDATE_FOREIGN},
        {"192.168.1.255:2000", CANDIDATE_FOREIGN},
        {"192.168.2.7:2000", CANDIDATE_FOREIGN},
        {"10.1.1.2:2000", CANDIDATE_FOREIGN},
        {"203.0.113.9:2000", CANDIDATE_GOOD},
        {"203.0.113.8:2000", CANDIDATE_FOREIGN},
        {"[2001:db8::7]:2000", CANDIDATE_GOOD},
        {"[2001:db9::7]:2000", CANDIDATE_FOREIGN},
        {"[::ffff:192.168.1.7]:2000", CANDIDATE_GOOD},
        {"127.0.0.1:2000", CANDIDATE_FORBIDDEN},
        {"[::1]:2000", CANDIDATE_FORBIDDEN},
        {"0.0.0.0:2000", CANDIDATE_FORBIDDEN},
        {"[::]:2000", CANDIDATE_FORBIDDEN},
        {"224.0.0.1:2000", CANDIDATE_FORBIDDEN},
        {"255.255.255.255:2000", CANDIDATE_FORBIDDEN},
        {"[ff02::1]:2000", CANDIDATE_FORBIDDEN},
        {"[fe80::1]:2000", CANDIDATE_FORBIDDEN},
        {"bob:2000", CANDIDATE_MALFORMED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct candidates c = {0};
        if (candidates_add(&c, &rules, bytes_from_str(cases[i].text)) != cases[i].verdict)
            fail_msg("%s", cases[i].text);
        assert_int_equal(c.count, cases[i].verdict == CANDIDATE_GOOD);
    }
}

/* Loopback is dialed only where both are known to be on this machine. */
static void test_loopback(void **state)
{
    struct candidate_rules rules = {.seen = address("127.0.0.1")};
    struct candidates c = {0};
    assert_int_equal(candidates_add(&c, &rules, BYTES("127.0.0.1:2000")), CANDIDATE_FORBIDDEN);
    rules.hub_is_local = true;
    assert_int_equal(candidates_add(&c, &rules, BYTES("127.0.0.1:2000")), CANDIDATE_GOOD);
    assert_int_equal(candidates_add(&c, &rules, BYTES("[::1]:2000")), CANDIDATE_GOOD);
    rules.seen = address("192.168.1.7");
    assert_int_equal(candidates_add(&c, &rules, BYTES("127.0.0.1:2001")), CANDIDATE_FORBIDDEN);
}

static void test_order_and_number(void **state)
{
    struct own_address own[] = {{address("192.168.1.5"), 24}, {address("2001:db8::5"), 64}};
    struct candidate_rules rules = {
        .own = own, .own_count = COUNT_OF(own), .seen = address("203.0.113.9")};
    struct candidates c = {0};
    char text[ENDPOINT_TEXT_BYTES];
    assert_int_equal(candidates_add(&c, &rules, BYTES("203.0.113.9:2000")), CANDIDATE_GOOD);
    assert_int_equal(candidates_add(&c, &rules, BYTES("192.168.1.7:2000")), CANDIDATE_GOOD);
    assert_int_equal(candidates_add(&c, &rules, BYTES("[2001:db8::7]:2000")), CANDIDATE_GOOD);
    assert_int_equal(candidates_add(&c, &rules, BYTES("192.168.1.7:2000")), CANDIDATE_TWICE);
    static const char *const order[] = {"[2001:db8::7]:2000", "192.168.1.7:2000",
                                        "203.0.113.9:2000"};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        endpoint_write(text, &c.list[i].at);
        assert_string_equal(text, order[i]);
    }
    for (int i = 4; i < CANDIDATES_MAX; i++)
        assert_int_equal(candidates_add(&c, &rules, BYTES("x")), CANDIDATE_MALFORMED);
    assert_int_equal(candidates_add(&c, &rules, BYTES("192.168.1.9:2000")), CANDIDATE_TOO_MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_may_be_dialed),
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_order_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
