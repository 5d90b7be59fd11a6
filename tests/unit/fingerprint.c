#include "base/fingerprint.h"

#include "unit.h"

static struct fingerprint make(void)
{
    struct fingerprint f;
    for (size_t i = 0; i < sizeof f.bytes; i++)
        f.bytes[i] = (uint8_t)(i * 37);
    return f;
}

static void test_text_and_back(void **state)
{
    struct fingerprint f = make(), g;
    char text[FINGERPRINT_TEXT_LEN + 1];
    fingerprint_write(text, &f);
    assert_int_equal(strlen(text), FINGERPRINT_TEXT_LEN);
    assert_true(fingerprint_read(bytes_from_str(text), &g));
    assert_true(fingerprint_equal(&f, &g));
    g.bytes[31] ^= 1;
    assert_false(fingerprint_equal(&f, &g));
}

static void test_what_is_no_fingerprint(void **state)
{
    struct fingerprint f = make(), g = {0};
    static const struct fingerprint zero;
    char text[FINGERPRINT_TEXT_LEN + 1];
    fingerprint_write(text, &f);
    text[40] = '!';
    assert_false(fingerprint_read(bytes_from_str(text), &g));
    fingerprint_write(text, &f);
    text[FINGERPRINT_TEXT_LEN - 1]++; /* bits that stand for nothing */
    assert_false(fingerprint_read(bytes_from_str(text), &g));
    assert_false(fingerprint_read(BYTES(""), &g));
    assert_false(fingerprint_read(BYTES("AAAA"), &g));
    assert_true(fingerprint_equal(&g, &zero)); /* untouched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_back),
        cmocka_unit_test(test_what_is_no_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
