#include "base/sha256.h"

#include "unit.h"

/* FIPS 180-2, appendix B.1. */
static const struct bytes abc = {
    (const uint8_t *)"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
                     "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad",
    SHA256_BYTES};

static void test_in_pieces_and_anew(void **state)
{
    struct sha256 h = {0};
    uint8_t hash[SHA256_BYTES];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sha256_begin(&h), 0);
        assert_int_equal(sha256_take(&h, BYTES("lost")), 0);
        assert_int_equal(sha256_begin(&h), 0);
        assert_int_equal(sha256_take(&h, BYTES("a")), 0);
        assert_int_equal(sha256_take(&h, bytes_make(NULL, 0)), 0);
        assert_int_equal(sha256_take(&h, BYTES("bc")), 0);
        assert_int_equal(sha256_end(&h, hash), 0);
        assert_bytes(bytes_make(hash, sizeof hash), abc);
    }
    sha256_fini(&h);
    sha256_fini(&h);
}

static void test_zeros(void **state)
{
    static const uint8_t zeros[10000];
    const size_t counts[] = {0, 1, 4095, 4096, 4097, 8192, 10000};
    struct sha256 h = {0};
    uint8_t one[SHA256_BYTES], other[SHA256_BYTES];
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        assert_int_equal(sha256_begin(&h), 0);
        assert_int_equal(sha256_take(&h, bytes_make(zeros, counts[i])), 0);
        assert_int_equal(sha256_end(&h, one), 0);
        assert_int_equal(sha256_begin(&h), 0);
        assert_int_equal(sha256_take_zeros(&h, counts[i]), 0);
        assert_int_equal(sha256_end(&h, other), 0);
        assert_memory_equal(one, other, SHA256_BYTES);
    }
    sha256_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_pieces_and_anew),
        cmocka_unit_test(test_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
