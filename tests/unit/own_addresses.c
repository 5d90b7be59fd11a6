#include "io/own_addresses.h"

#include "unit.h"

static const char *choose(const char *const *texts, size_t count, bool is_v6)
{
    static char out[NET_ADDRESS_TEXT_BYTES];
    struct own_address own[8] = {0};
    struct net_address found;
    for (size_t i = 0; i < count; i++)
        assert_true(net_address_read(bytes_from_str(texts[i]), &own[i].address));
    if (!own_addresses_for_others(own, count, is_v6, &found))
        return "none";
    net_address_write(out, &found);
    return out;
}

static void test_the_first_that_others_can_use(void **state)
{
    const char *own[] = {"127.0.0.1",   "::1",     "169.254.7.7", "fe80::1",
                         "192.168.1.7", "fd00::7", "10.0.0.7",    "2001:db8::7"};
    assert_string_equal(choose(own, 8, false), "192.168.1.7");
    assert_string_equal(choose(own, 8, true), "fd00::7");
}

static void test_none_of_that_family(void **state)
{
    const char *own[] = {"127.0.0.1", "::1", "169.254.7.7", "fe80::1", "192.168.1.7"};
    assert_string_equal(choose(own, 5, true), "none");
    assert_string_equal(choose(own, 4, false), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_that_others_can_use),
        cmocka_unit_test(test_none_of_that_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
