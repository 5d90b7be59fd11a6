#include "client/known_hubs.h"

#include "unit.h"

#define X "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA"
#define Y "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyA"

static void expect_found(struct bytes text, const char *address, const char *want)
{
    struct bytes found = BYTES("?");
    size_t line = 0;
    assert_int_equal(known_hubs_find(text, bytes_from_str(address), &found, &line), 0);
    assert_bytes(found, bytes_from_str(want));
}

static void expect_after(const char *before, const char *address, const char *fingerprint,
                         const char *want)
{
    struct buffer out;
    buffer_init(&out, 1000);
    struct bytes text = unit_copy(bytes_from_str(before));
    assert_int_equal(
        known_hubs_set(text, bytes_from_str(address), bytes_from_str(fingerprint), &out), 0);
    assert_bytes(buffer_view(&out), bytes_from_str(want));
    expect_found(buffer_view(&out), address, fingerprint);
    unit_free(text);
    buffer_fini(&out);
}

static void test_a_fingerprint_is_set(void **state)
{
    expect_after("", "a:1", X, "a:1 " X "\n");
    expect_after("a:1 " Y "\n", "a:1", X, "a:1 " X "\n");
    expect_after("a:10 " Y "\nb:1 " Y "\n", "a:1", X, "a:10 " Y "\nb:1 " Y "\na:1 " X "\n");
    expect_after("a:1 " Y "\n# a:1 " Y "\n\n#half", "a:1", X,
                 "# a:1 " Y "\n\n#half\na:1 " X "\n");
}

static void test_what_means_nothing(void **state)
{
    static const char *const texts[] = {"", "\n", "#a:1 " X, "a:11 " X, "\n\n# a\nb:1 " Y "\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct bytes text = unit_copy(bytes_from_str(texts[i]));
        expect_found(text, "a:1", "");
        unit_free(text);
    }
}

/* Wherever it is, and about whatever address: no hub is believed. */
static void test_what_is_damaged(void **state)
{
    static const struct {
        const char *text;
        size_t line;
    } cases[] = {{"nonsense", 1},
                 {"b:1 " X "\na:1\n", 2},
                 {"a:1 \n", 1},
                 {" a:1 " X, 1},
                 {"a:1  " X, 1},
                 {"a:1 " X " ", 1},
                 {"a:1 xyz\n", 1},
                 {"a:1 " X "\r\n", 1},
                 {"a:1 " X "\n\n# b\nb:1 abc\n", 4},
                 {"a:1 " X "\nb:1 " X "\na:1 " Y "\n", 3}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes text = unit_copy(bytes_from_str(cases[i].text)), found = BYTES("?");
        size_t line = 0;
        assert_int_equal(known_hubs_find(text, BYTES("a:1"), &found, &line),
                         KNOWN_HUBS_DAMAGED);
        assert_int_equal(line, cases[i].line);
        assert_bytes(found, BYTES("?"));
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
        cmocka_unit_test(test_what_means_nothing),
        cmocka_unit_test(test_what_is_damaged),
        cmocka_unit_test(test_a_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
