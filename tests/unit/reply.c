#include "hub/reply.h"

#include "unit.h"

enum { DIALECTS = 4 };

/* What is answered, and how it reads in each dialect; a question that ended in CR LF. */
struct rendering {
    void (*answer)(struct reply *r);
    enum reply_question question;
    const char *want[DIALECTS]; /* terse, full, RESP2, RESP3; NULL: not an answer of text */
};

static void stored(struct reply *r)
{
    reply_stored(r, BYTES("k"), false);
}

static void updated(struct reply *r)
{
    reply_stored(r, BYTES("k"), true);
}

static void value(struct reply *r)
{
    reply_value(r, BYTES("v v"));
}

static void value_no_text_carries(struct reply *r)
{
    reply_value(r, BYTES("a\nb"));
}

static void empty_value(struct reply *r)
{
    reply_value(r, BYTES(""));
}

static void missing(struct reply *r)
{
    reply_missing(r, BYTES("k"));
}

static void text(struct reply *r)
{
    reply_text(r, BYTES("hello"));
}

static void error(struct reply *r)
{
    r->key = BYTES("k");
    reply_error(r, "NOPERM", "not you");
}

static void status(struct reply *r)
{
    reply_status(r, "OK");
}

static void null(struct reply *r)
{
    reply_null(r);
}

static void map(struct reply *r)
{
    reply_map(r, 1);
    reply_integer(r, -7);
    reply_array(r, 0);
}

static const struct rendering renderings[] = {
    {stored,
     REPLY_TO_STORE,
     {"1\r\n", "Saved Successfully for key:k\r\n", "+Saved\r\n", "+Saved\r\n"}},
    {updated,
     REPLY_TO_STORE,
     {"1\r\n", "Update Successfully for key:k\r\n", "+Updated\r\n", "+Updated\r\n"}},
    {value, REPLY_TO_GET, {"v v\r\n", "v v\r\n", "$3\r\nv v\r\n", "$3\r\nv v\r\n"}},
    {value_no_text_carries,
     REPLY_TO_GET,
     {"ERROR\r\n", "ERROR\r\n", "$3\r\na\nb\r\n", "$3\r\na\nb\r\n"}},
    {empty_value, REPLY_TO_GET, {"ERROR\r\n", "ERROR\r\n", "$0\r\n\r\n", "$0\r\n\r\n"}},
    {missing, REPLY_TO_GET, {"ERROR\r\n", "Invalid Key:k\r\n", "$-1\r\n", "_\r\n"}},
    {text, REPLY_TO_ANY, {"hello\r\n", "hello\r\n", "$5\r\nhello\r\n", "$5\r\nhello\r\n"}},
    {error,
     REPLY_TO_ANY,
     {"ERROR: not you\r\n", "ERROR: not you\r\n", "-NOPERM not you\r\n",
      "-NOPERM not you\r\n"}},
    {error,
     REPLY_TO_STORE,
     {"0\r\n", "Not Saved for key:k: not you\r\n", "-NOPERM not you\r\n",
      "-NOPERM not you\r\n"}},
    {error,
     REPLY_TO_GET,
     {"ERROR\r\n", "ERROR: not you\r\n", "-NOPERM not you\r\n", "-NOPERM not you\r\n"}},
    {status, REPLY_TO_ANY, {NULL, NULL, "+OK\r\n", "+OK\r\n"}},
    {null, REPLY_TO_ANY, {NULL, NULL, "$-1\r\n", "_\r\n"}},
    {map, REPLY_TO_ANY, {NULL, NULL, "*2\r\n:-7\r\n*0\r\n", "%1\r\n:-7\r\n*0\r\n"}},
};

static void test_dialects(void **state)
{
    for (size_t i = 0; i < COUNT_OF(renderings); i++) {
        for (int dialect = 0; dialect < DIALECTS; dialect++) {
            const char *want = renderings[i].want[dialect];
            if (!want)
                continue;
            struct buffer out;
            buffer_init(&out, 1024);
            struct reply r = {.out = &out,
                              .dialect = (enum reply_dialect)dialect,
                              .question = renderings[i].question,
                              .ending = LINE_CRLF};
            renderings[i].answer(&r);
            assert_false(r.failed);
            assert_bytes(buffer_view(&out), bytes_from_str(want));
            buffer_fini(&out);
        }
    }
}

static void test_what_does_not_fit_fails_whole(void **state)
{
    struct buffer out;
    buffer_init(&out, 4);
    struct reply r = {.out = &out, .dialect = REPLY_RESP2};
    reply_text(&r, BYTES("hello"));
    assert_true(r.failed);
    buffer_fini(&out);
}

static void test_depends_on_the_newest(void **state)
{
    struct reply r = {0};
    reply_depends(&r, 7);
    reply_depends(&r, 3);
    assert_int_equal(r.lsn, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_what_does_not_fit_fails_whole),
        cmocka_unit_test(test_depends_on_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
