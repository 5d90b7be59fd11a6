#include "peer/preamble.h"

#include "unit.h"

static const struct preamble some = {
    .id = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
    .token = "sixteen letters",
};

static void test_its_shape(void **state)
{
    uint8_t out[PREAMBLE_BYTES];
    preamble_write(out, &some);
    assert_bytes(bytes_make(out, sizeof out),
                 BYTES("KITHDATA\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17sixteen letters\0"));
    struct preamble p = preamble_read(bytes_make(out, sizeof out));
    assert_true(preamble_equal(&p, &some));
}

static void test_what_may_begin_one(void **state)
{
    uint8_t out[PREAMBLE_BYTES];
    preamble_write(out, &some);
    for (size_t n = 1; n <= sizeof out; n++) {
        struct bytes in = unit_copy(bytes_make(out, n));
        assert_true(preamble_may_begin(in));
        unit_free(in);
    }
    static const char *const others[] = {"\x16",     "k",         "KITE",
                                         "KITHDATE", "KITHDAT\n", "GET / HTTP"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(preamble_may_begin(bytes_from_str(others[i])));
}

static void test_every_byte_counts(void **state)
{
    for (size_t i = 0; i < sizeof some.id.bytes; i++) {
        struct preamble p = some;
        p.id.bytes[i] ^= 1;
        assert_false(preamble_equal(&p, &some));
    }
    for (size_t i = 0; i < sizeof some.token; i++) {
        struct preamble p = some;
        p.token[i] ^= 0x80;
        assert_false(preamble_equal(&p, &some));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_its_shape),
        cmocka_unit_test(test_what_may_begin_one),
        cmocka_unit_test(test_every_byte_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
