#include "hub/handshakes.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

struct scene {
    struct handshakes x;
    struct handshake all[LIMIT_HANDSHAKES + 8];
    size_t count;
};

static struct scene *begin(void)
{
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    return s;
}

static struct net_address address(const char *text)
{
    struct net_address a;
    assert_true(net_address_read(bytes_from_str(text), &a));
    return a;
}

/* Another one begins from there; which one makes room for it, or NULL. */
static struct handshake *shake(struct scene *s, const char *from)
{
    struct handshake *h = &s->all[s->count++];
    struct net_address a = address(from);
    size_t worker = 0;
    *h = (struct handshake){.worker = s->count % 2, .owner = h};
    if (!handshakes_begin(&s->x, h, &a, &worker))
        return NULL;
    assert_null(handshakes_take_ousted(&s->x, !worker));
    struct handshake *ousted = handshakes_take_ousted(&s->x, worker);
    assert_non_null(ousted);
    assert_null(handshakes_take_ousted(&s->x, worker));
    return ousted;
}

static void shake_many(struct scene *s, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_null(shake(s, from));
}

static void test_an_address_has_so_many(void **state)
{
    struct scene *s = begin();
    shake_many(s, "192.168.1.7", 1);
    shake_many(s, "192.168.1.8", LIMIT_HANDSHAKES_OF_ADDRESS);
    assert_ptr_equal(shake(s, "192.168.1.8"), &s->all[1]);
    assert_ptr_equal(shake(s, "192.168.1.8"), &s->all[2]);
    shake_many(s, "192.168.1.7", 1);
    assert_int_equal(handshakes_count(&s->x), LIMIT_HANDSHAKES_OF_ADDRESS + 2);
    free(s);
}

static void test_a_network_of_ipv6_is_one_address(void **state)
{
    static const char *const networks[][2] = {{"2001:db8::1", "2001:db8::ffff:2"},
                                              {"fe80::1", "fe80::2"}};
    for (size_t i = 0; i < 2; i++) {
        struct scene *s = begin();
        shake_many(s, networks[i][0], LIMIT_HANDSHAKES_OF_ADDRESS);
        assert_ptr_equal(shake(s, networks[i][1]), &s->all[0]);
        shake_many(s, "2001:db8:0:1::1", 1);
        free(s);
    }
}

static void test_this_machine_is_one(void **state)
{
    struct scene *s = begin();
    size_t worker, n = LIMIT_HANDSHAKES_OF_ADDRESS;
    for (size_t i = 0; i < n; i++)
        assert_false(handshakes_begin(&s->x, &s->all[i], NULL, &worker));
    assert_true(handshakes_begin(&s->x, &s->all[n], NULL, &worker));
    free(s);
}

static void test_all_together_have_so_many(void **state)
{
    struct scene *s = begin();
    char from[32];
    for (int i = 0; i < (int)LIMIT_HANDSHAKES; i++) {
        snprintf(from, sizeof from, "10.0.%d.%d", i / 200, i % 200);
        assert_null(shake(s, from));
    }
    assert_ptr_equal(shake(s, "192.168.1.7"), &s->all[0]);
    handshakes_end(&s->x, &s->all[9]);
    shake_many(s, "192.168.1.8", 1);
    assert_ptr_equal(shake(s, "192.168.1.9"), &s->all[1]);
    free(s);
}

static void test_they_are_logged_together(void **state)
{
    struct scene *s = begin();
    const struct instant now = {1}, soon = instant_after_ms(now, LIMIT_HANDSHAKES_LOG_MS - 1),
                         later = instant_after_ms(now, LIMIT_HANDSHAKES_LOG_MS);
    shake_many(s, "192.168.1.7", LIMIT_HANDSHAKES_OF_ADDRESS);
    assert_int_equal(handshakes_take_unlogged(&s->x, now), 0);
    assert_non_null(shake(s, "192.168.1.7"));
    assert_int_equal(handshakes_take_unlogged(&s->x, now), 1);
    assert_non_null(shake(s, "192.168.1.7"));
    assert_non_null(shake(s, "192.168.1.7"));
    assert_int_equal(handshakes_take_unlogged(&s->x, soon), 0);
    assert_int_equal(handshakes_take_unlogged(&s->x, later), 2);
    assert_int_equal(handshakes_take_unlogged(&s->x, instant_after_ms(later, 5000)), 0);
    assert_int_equal(handshakes_closed(&s->x), 3);
    free(s);
}

static void test_who_is_done_in_time_is_not_closed(void **state)
{
    struct scene *s = begin();
    struct net_address a = address("192.168.1.7");
    size_t worker;
    shake_many(s, "192.168.1.7", LIMIT_HANDSHAKES_OF_ADDRESS);
    s->all[s->count].owner = &s->all[s->count];
    assert_true(handshakes_begin(&s->x, &s->all[s->count], &a, &worker));
    handshakes_end(&s->x, &s->all[0]);
    handshakes_end(&s->x, &s->all[0]); /* its connection ends, too */
    assert_null(handshakes_take_ousted(&s->x, worker));
    assert_int_equal(handshakes_count(&s->x), LIMIT_HANDSHAKES_OF_ADDRESS);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_address_has_so_many),
        cmocka_unit_test(test_a_network_of_ipv6_is_one_address),
        cmocka_unit_test(test_this_machine_is_one),
        cmocka_unit_test(test_all_together_have_so_many),
        cmocka_unit_test(test_they_are_logged_together),
        cmocka_unit_test(test_who_is_done_in_time_is_not_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
