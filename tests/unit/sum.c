#include "base/sum.h"

#include "unit.h"

/* Sums lie on disk: they must never change. */
static void test_values_are_for_ever(void **state)
{
    uint8_t sum[SUM_BYTES];
    sum_bytes(bytes_make(NULL, 0), 0, sum);
    assert_bytes(bytes_make(sum, sizeof sum),
                 BYTES("\x99\xaa\x06\xd3\x01\x47\x98\xd8\x60\x01\xc3\x24\x46\x8d\x49\x7f"));
    sum_bytes(BYTES("kith"), 1, sum);
    assert_bytes(bytes_make(sum, sizeof sum),
                 BYTES("\xfc\xc0\x18\x91\x50\xc9\x2e\x5c\x43\x2f\xe7\xfe\x6c\x27\x48\x2c"));
}

static void test_all_of_it_and_the_seed_count(void **state)
{
    uint8_t data[300] = {0}, plain[SUM_BYTES], other[SUM_BYTES];
    sum_bytes(bytes_make(data, sizeof data), 1, plain);
    sum_bytes(bytes_make(data, sizeof data), 2, other);
    assert_memory_not_equal(plain, other, SUM_BYTES);
    sum_bytes(bytes_make(data, sizeof data - 1), 1, other);
    assert_memory_not_equal(plain, other, SUM_BYTES);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = 1;
        sum_bytes(bytes_make(data, sizeof data), 1, other);
        assert_memory_not_equal(plain, other, SUM_BYTES);
        data[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_for_ever),
        cmocka_unit_test(test_all_of_it_and_the_seed_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
