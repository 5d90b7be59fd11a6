#include "client/where.h"

#include "unit.h"

static const struct {
    const char *text, *host;
    uint16_t port;
    const char *path, *shown;
} good[] = {
    {"example.org", "example.org", 12345, "", "example.org:12345"},
    {"example.org:80", "example.org", 80, "", "example.org:80"},
    {":9090", "127.0.0.1", 9090, "", "127.0.0.1:9090"},
    {"10.0.0.1:65535", "10.0.0.1", 65535, "", "10.0.0.1:65535"},
    {"::1", "::1", 12345, "", "[::1]:12345"},
    {"[::1]", "::1", 12345, "", "[::1]:12345"},
    {"[fe80::1%eth0]:7", "fe80::1%eth0", 7, "", "[fe80::1%eth0]:7"},
    {"/run/kith.sock", "", 12345, "/run/kith.sock", "/run/kith.sock"},
    {"./a:80", "", 12345, "./a:80", "./a:80"},
    {"unix:kith sock", "", 12345, "kith sock", "kith sock"},
};

#define PRINT "0123456789abcdefghijklmnopqrstuvwxyzABC-_EF"

static const struct {
    const char *text, *host;
    uint16_t port;
    const char *fingerprint;
} secure[] = {
    {"kith://example.org", "example.org", 12345, ""},
    {"kith://example.org/", "example.org", 12345, ""},
    {("kith://:80#" PRINT), "127.0.0.1", 80, PRINT},
    {("kith://[::1]:80/#" PRINT), "::1", 80, PRINT},
    {("kith://::1#" PRINT), "::1", 12345, PRINT},
};

static const char *const bad[] = {
    "kith://",
    "kith:///run/sock",
    "kith://a/b",
    "kith://a#",
    ("kith://a#" PRINT "x"),
    "kith://a#!123456789abcdefghijklmnopqrstuvwxyzABC-_EF",
    ("kith://#" PRINT),
    "kith://12345",
    "kith://a b",
    "",
    "12345",
    "host:",
    "host:0",
    "host:65536",
    "host:+1",
    "host:080",
    "host:x",
    "[::1",
    "[::1]80",
    "[::1]:",
    "[host]:80",
    "[]:80",
    "two words",
    "unix:",
    "es\033cape",
    "\xff.org",
};

static void test_good(void **state)
{
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct bytes text = unit_copy(bytes_from_str(good[i].text));
        struct where w;
        assert_null(where_parse(text, &w));
        assert_string_equal(w.host, good[i].host);
        assert_int_equal(w.port, good[i].port);
        assert_string_equal(w.path, good[i].path);
        char shown[WHERE_TEXT_BYTES];
        where_format(&w, shown);
        assert_string_equal(shown, good[i].shown);
        unit_free(text);
    }
}

static void test_over_tls(void **state)
{
    for (size_t i = 0; i < COUNT_OF(secure); i++) {
        struct where w;
        assert_null(where_parse(bytes_from_str(secure[i].text), &w));
        assert_true(w.secure);
        assert_string_equal(w.host, secure[i].host);
        assert_int_equal(w.port, secure[i].port);
        assert_string_equal(w.fingerprint, secure[i].fingerprint);
        assert_string_equal(w.path, "");
    }
    struct where w;
    assert_null(where_parse(BYTES("example.org"), &w));
    assert_false(w.secure);
}

static void test_bad_leaves_the_result_alone(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct where w = {.port = 7};
        if (!where_parse(bytes_from_str(bad[i]), &w))
            fail_msg("taken: \"%s\"", bad[i]);
        assert_int_equal(w.port, 7);
    }
}

/* The longest that fits, and one byte more. */
static void test_lengths(void **state)
{
    char text[400];
    struct where w;
    memset(text, 'a', sizeof text);
    assert_null(where_parse(bytes_make(text, WHERE_HOST_BYTES - 1), &w));
    assert_int_equal(strlen(w.host), WHERE_HOST_BYTES - 1);
    assert_non_null(where_parse(bytes_make(text, WHERE_HOST_BYTES), &w));
    text[0] = '/';
    assert_null(where_parse(bytes_make(text, WHERE_PATH_BYTES - 1), &w));
    assert_int_equal(strlen(w.path), WHERE_PATH_BYTES - 1);
    assert_non_null(where_parse(bytes_make(text, WHERE_PATH_BYTES), &w));
    assert_non_null(where_parse(BYTES("/a\0b"), &w));
}

static void test_what_is_chosen(void **state)
{
    static const struct {
        const char *given, *environment, *host;
        uint16_t port;
    } choices[] = {
        {NULL, NULL, "127.0.0.1", 12345},
        {NULL, "", "127.0.0.1", 12345},
        {NULL, "a:1", "a", 1},
        {"b:2", "a:1", "b", 2},
        {"b:2", NULL, "b", 2},
        {"b:2", "not a place", "b", 2},
    };
    struct where w;
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        assert_null(where_choose(choices[i].given, choices[i].environment, &w));
        assert_string_equal(w.host, choices[i].host);
        assert_int_equal(w.port, choices[i].port);
    }
    assert_string_equal(where_choose("", "a:1", &w), "it is empty");
    assert_non_null(where_choose(NULL, "not a place", &w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_over_tls),
        cmocka_unit_test(test_bad_leaves_the_result_alone),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_what_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
