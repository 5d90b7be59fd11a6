#include "client/known_hubs.h"

#include "unit.h"

static void expect_after(const char *before, const char *address, const char *fingerprint,
                         const char *want)
{
    struct buffer out;
    buffer_init(&out, 1000);
    struct bytes text = unit_copy(bytes_from_str(before));
    assert_int_equal(
        known_hubs_set(text, bytes_from_str(address), bytes_from_str(fingerprint), &out), 0);
    assert_bytes(buffer_view(&out), bytes_from_str(want));
    assert_bytes(known_hubs_find(buffer_view(&out), bytes_from_str(address)),
                 bytes_from_str(fingerprint));
    unit_free(text);
    buffer_fini(&out);
}

static void test_a_fingerprint_is_set(void **state)
{
    expect_after("", "a:1", "x", "a:1 x\n");
    expect_after("a:1 y\n", "a:1", "x", "a:1 x\n");
    expect_after("a:10 y\nb:1 z\n", "a:1", "x", "a:10 y\nb:1 z\na:1 x\n");
    expect_after("a:1 y\n# a:1 z\na:1 z\n\nhalf", "a:1", "x", "# a:1 z\n\nhalf\na:1 x\n");
}

static void test_what_is_no_entry(void **state)
{
    static const char *const texts[] = {"",      "\n",     "a:1",    "a:1 ",
                                        "a:1\n", "a:11 x", " a:1 x", "#a:1 x"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct bytes text = unit_copy(bytes_from_str(texts[i]));
        assert_int_equal(known_hubs_find(text, BYTES("a:1")).len, 0);
        unit_free(text);
    }
}

static void test_a_full_buffer(void **state)
{
    struct buffer out;
    buffer_init(&out, 5);
    assert_int_equal(known_hubs_set(BYTES(""), BYTES("a:1"), BYTES("xyz"), &out), BUFFER_FULL);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fingerprint_is_set),
        cmocka_unit_test(test_what_is_no_entry),
        cmocka_unit_test(test_a_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
