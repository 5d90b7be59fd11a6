#include "base/chance.h"

#include "unit.h"

#include <string.h>

static const uint8_t seed[CHANCE_SEED_BYTES] = {1, 2, 3};

static void test_a_seed_says_all(void **state)
{
    struct chance a, b;
    uint8_t x[40], y[40];
    chance_init(&a, seed, 7);
    chance_init(&b, seed, 7);
    for (int i = 0; i < 3; i++) {
        chance_draw(&a, x, sizeof x);
        chance_draw(&b, y, sizeof y);
        assert_memory_equal(x, y, sizeof x);
    }
}

static void test_numbers_and_draws_are_told_apart(void **state)
{
    struct chance a, b;
    uint8_t x[32], y[32], z[32];
    chance_init(&a, seed, 1);
    chance_init(&b, seed, 2);
    chance_draw(&a, x, sizeof x);
    chance_draw(&b, y, sizeof y);
    chance_draw(&a, z, sizeof z);
    assert_memory_not_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
}

/* What is left does not tell what was drawn: the key is another one, and not among it. */
static void test_the_key_is_replaced(void **state)
{
    struct chance c;
    uint8_t before[CHANCE_SEED_BYTES], drawn[CHANCE_DRAW_BYTES];
    chance_init(&c, seed, 1);
    memcpy(before, c.key, sizeof before);
    chance_draw(&c, drawn, sizeof drawn);
    assert_memory_not_equal(c.key, before, sizeof before);
    assert_null(memmem(drawn, sizeof drawn, c.key, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_seed_says_all),
        cmocka_unit_test(test_numbers_and_draws_are_told_apart),
        cmocka_unit_test(test_the_key_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
