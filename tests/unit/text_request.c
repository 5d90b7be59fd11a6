#include "wire/text_request.h"

#include "base/limits.h"
#include "unit.h"

#define NO_EQUALS "there is no '=' between key and value"
#define NO_KEY "there is no key"
#define WORDS "the key is more than one word"
#define EMPTY "the value is empty"
#define BREAK "the value holds a line break or a NUL"

static const struct {
    struct bytes message;
    enum text_verb verb;
    struct bytes key, value;
    const char *problem;
} cases[] = {
    {BYTES("STORE k = v"), TEXT_STORE, BYTES("k"), BYTES("v"), NULL},
    {BYTES("STORE k=v"), TEXT_STORE, BYTES("k"), BYTES("v"), NULL},
    {BYTES(" \tSTORE\tk\t=\tv w  x \t"), TEXT_STORE, BYTES("k"), BYTES("v w  x"), NULL},
    {BYTES("STORE k==v=w"), TEXT_STORE, BYTES("k"), BYTES("=v=w"), NULL},
    {BYTES("STORE k = QUIT"), TEXT_STORE, BYTES("k"), BYTES("QUIT"), NULL},
    {BYTES("STORE k= HTTP/1.1"), TEXT_STORE, BYTES("k"), BYTES("HTTP/1.1"), NULL},
    {BYTES("STORE \xff\0 = \xfe"), TEXT_STORE, BYTES("\xff\0"), BYTES("\xfe"), NULL},
    {BYTES("STORE"), TEXT_STORE, BYTES(""), BYTES(""), NO_EQUALS},
    {BYTES("STORE k v"), TEXT_STORE, BYTES("k v"), BYTES(""), NO_EQUALS},
    {BYTES("STORE = v"), TEXT_STORE, BYTES(""), BYTES("v"), NO_KEY},
    {BYTES("STORE a b = v"), TEXT_STORE, BYTES("a b"), BYTES("v"), WORDS},
    {BYTES("STORE k = "), TEXT_STORE, BYTES("k"), BYTES(""), EMPTY},
    {BYTES("STORE k = a\0b"), TEXT_STORE, BYTES("k"), BYTES("a\0b"), BREAK},
    {BYTES("STORE k = a\rb"), TEXT_STORE, BYTES("k"), BYTES("a\rb"), BREAK},
    {BYTES("GET k"), TEXT_GET, BYTES("k"), BYTES(""), NULL},
    {BYTES("  GET \t k\t "), TEXT_GET, BYTES("k"), BYTES(""), NULL},
    {BYTES("GET a=b"), TEXT_GET, BYTES("a=b"), BYTES(""), NULL},
    {BYTES("GET"), TEXT_GET, BYTES(""), BYTES(""), NO_KEY},
    {BYTES("GET  "), TEXT_GET, BYTES(""), BYTES(""), NO_KEY},
    {BYTES("GET a b"), TEXT_GET, BYTES("a b"), BYTES(""), WORDS},
    {BYTES("QUIT"), TEXT_QUIT, BYTES(""), BYTES(""), NULL},
    {BYTES(" QUIT now"), TEXT_QUIT, BYTES(""), BYTES(""), NULL},
    {BYTES("NAME=X"), TEXT_NAME, BYTES(""), BYTES("X"), NULL},
    {BYTES("NAME=my hub=1"), TEXT_NAME, BYTES(""), BYTES("my hub=1"), NULL},
    {BYTES("NAME=\xc3\xa9"), TEXT_NAME, BYTES(""), BYTES("\xc3\xa9"), NULL},
    {BYTES("REPLIES terse"), TEXT_REPLIES, BYTES(""), BYTES(""), NULL},
    {BYTES("#HELP"), TEXT_HELP, BYTES(""), BYTES(""), NULL},
    {BYTES("GET / HTTP/1.1"), TEXT_HTTP, BYTES(""), BYTES(""), NULL},
    {BYTES("host: x"), TEXT_HTTP, BYTES(""), BYTES(""), NULL},
};

static void test_parse(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes message = unit_copy(cases[i].message);
        struct text_request got = text_request_parse(message);
        assert_int_equal(got.verb, cases[i].verb);
        assert_bytes(got.key, cases[i].key);
        assert_bytes(got.value, cases[i].value);
        if (got.problem && cases[i].problem)
            assert_string_equal(got.problem, cases[i].problem);
        else
            assert_ptr_equal(got.problem, cases[i].problem);
        assert_false(got.full);
        unit_free(message);
    }
    assert_int_equal(text_request_parse(BYTES("REPLIES full")).verb, TEXT_REPLIES);
    assert_true(text_request_parse(BYTES("REPLIES full")).full);
}

static void test_echo(void **state)
{
    static const struct bytes echoes[] = {
        BYTES(""),
        BYTES(" "),
        BYTES("  hello \t"),
        BYTES("store k = v"),
        BYTES("Get k"),
        BYTES("quit"),
        BYTES("STOREk = v"),
        BYTES("STORE=k"),
        BYTES("GETk"),
        BYTES("GET=k"),
        BYTES("QUIT\r"),
        BYTES("QUITS"),
        BYTES("say QUIT"),
        BYTES("NAME="),
        BYTES("NAME= x"),
        BYTES("NAME=x "),
        BYTES(" NAME=x"),
        BYTES("NAME = x"),
        BYTES("NAME=\x1b"),
        BYTES("NAME=\xff"),
        BYTES("name=x"),
        BYTES("REPLIES"),
        BYTES("REPLIES Full"),
        BYTES("REPLIES full "),
        BYTES("#HELP "),
        BYTES("#help"),
        BYTES("#HELPME"),
        BYTES("a HTTP/1.1"),
        BYTES("NAME=\xe2\x80\xae"),
    };
    for (size_t i = 0; i < COUNT_OF(echoes); i++) {
        struct text_request got = text_request_parse(echoes[i]);
        assert_int_equal(got.verb, TEXT_ECHO);
        assert_bytes(got.value, echoes[i]);
        assert_ptr_equal(got.value.data, echoes[i].data);
    }
}

static void test_limits(void **state)
{
    static char message[LIMIT_KEY_BYTES + 100] = "GET ";
    memset(message + 4, 'k', LIMIT_KEY_BYTES + 1);
    struct bytes whole = bytes_make(message, 4 + LIMIT_KEY_BYTES + 1);
    assert_null(text_request_parse(bytes_first(whole, whole.len - 1)).problem);
    assert_string_equal(text_request_parse(whole).problem, "the key is longer than 64 KiB");

    memcpy(message, "NAME=", 5);
    assert_int_equal(text_request_parse(bytes_make(message, 5 + LIMIT_NAME_BYTES)).verb,
                     TEXT_NAME);
    assert_int_equal(text_request_parse(bytes_make(message, 6 + LIMIT_NAME_BYTES)).verb,
                     TEXT_ECHO);
}

static void test_http(void **state)
{
    static const struct {
        struct bytes message;
        bool http;
    } lines[] = {
        {BYTES("GET / HTTP/1.1"), true},
        {BYTES("POST /x\tHTTP/2 more"), true},
        {BYTES("  PUT x HTTP/"), true},
        {BYTES("HTTP/1.1 200 OK"), true},
        {BYTES("HTTP/"), true},
        {BYTES("Host: example.org"), true},
        {BYTES("HOST:"), true},
        {BYTES("Hos"), false},
        {BYTES("Host"), false},
        {BYTES("Ghost: x"), false},
        {BYTES("HTTP"), false},
        {BYTES("http/1.1"), false},
        {BYTES("Get / HTTP/1.1"), false},
        {BYTES("M-SEARCH / HTTP/1.1"), true},
        {BYTES("Host : a"), true},
        {BYTES(" host\t: a"), true},
        {BYTES("My Host: a"), false},
        {BYTES("GET HTTP/1.1"), false},
        {BYTES("GET a b HTTP/1.1"), false},
        {BYTES("GET / HTTPS/1"), false},
        {BYTES("STORE k= HTTP/1.1"), false},
        {BYTES(""), false},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct bytes message = unit_copy(lines[i].message);
        assert_int_equal(text_is_http(message), lines[i].http);
        unit_free(message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
