#include "base/base64url.h"
#include "base/random_id.h"

#include "unit.h"

/* Sixteen bytes are 128 bits; the last character has 4 of its 6 that stand for nothing. */
static void test_text_and_back(void **state)
{
    struct random_id in = {.bytes = {0xff, 0xfe, 1}}, out;
    char text[RANDOM_ID_TEXT_LEN + 1];
    random_id_write(text, &in);
    assert_string_equal(text, "__4BAAAAAAAAAAAAAAAAAA");
    assert_true(random_id_read(bytes_from_str(text), &out));
    assert_true(random_id_equal(&in, &out));
    out.bytes[15] ^= 1;
    assert_false(random_id_equal(&in, &out));
}

static void test_what_is_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "short",
        "__4BAAAAAAAAAAAAAAAAA",
        "__4BAAAAAAAAAAAAAAAAAAA",
        "__4BAAAAAAAAAAAAAAAA==",
        "++4BAAAAAAAAAAAAAAAAAA",
        "__4BAAAAAAAAAAAAAAAAAB",
        "__4BAAAAAAAAAAAAAAAAA ",
        "__4BAAAAAAAAAAAAAAAAA*",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct random_id id = {{7}}, untouched = id;
        struct bytes text = unit_copy(bytes_from_str(wrong[i]));
        assert_false(random_id_read(text, &id));
        assert_true(random_id_equal(&id, &untouched));
        unit_free(text);
    }
}

static void test_lengths(void **state)
{
    uint8_t bytes[BASE64URL_BYTES_MAX], back[BASE64URL_BYTES_MAX];
    char text[BASE64URL_LEN(BASE64URL_BYTES_MAX) + 1];
    memset(bytes, 0xa5, sizeof bytes);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        base64url_write(text, bytes, n);
        assert_int_equal(strlen(text), BASE64URL_LEN(n));
        assert_true(base64url_read(bytes_from_str(text), back, n));
        assert_memory_equal(back, bytes, n);
        assert_false(base64url_read(bytes_from_str(text), back, n > 0 ? n - 1 : 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_back),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
