#include "base/hash.h"

#include "unit.h"

/* Sums lie on disk: they must never change. */
static void test_values_are_for_ever(void **state)
{
    static const uint8_t zeros[300];
    assert_int_equal(hash_bytes(bytes_make(NULL, 0), 0), 0x2d06800538d394c2);
    assert_int_equal(hash_bytes(BYTES("kith"), 0), 0x54baee8b4bf64d2b);
    assert_int_equal(hash_bytes(BYTES("kith"), 1), 0x868abc410699d829);
    assert_int_equal(hash_bytes(bytes_make(zeros, sizeof zeros), 1), 0x629af657b1c7a1ec);
}

static void test_all_of_it_counts(void **state)
{
    uint8_t data[300] = {0};
    uint64_t plain = hash_bytes(bytes_make(data, sizeof data), 1);
    assert_int_not_equal(plain, hash_bytes(bytes_make(data, sizeof data), 2));
    assert_int_not_equal(plain, hash_bytes(bytes_make(data, sizeof data - 1), 1));
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = 1;
        assert_int_not_equal(plain, hash_bytes(bytes_make(data, sizeof data), 1));
        data[i] = 0;
    }
}

static void test_short_is_the_same_hash(void **state)
{
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    for (size_t len = 0; len <= sizeof data; len++) {
        struct bytes b = bytes_make(data, len);
        assert_int_equal(hash_short(b, len), hash_bytes(b, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_for_ever),
        cmocka_unit_test(test_all_of_it_counts),
        cmocka_unit_test(test_short_is_the_same_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
