#include "client/answer.h"

#include "unit.h"

/* The values of the reply that text is; fini is the caller's. */
static const struct resp_value *read_reply(struct resp_reply *r, struct bytes text)
{
    size_t consumed;
    resp_reply_init(r, 1000);
    assert_int_equal(resp_reply_parse(r, text, &consumed), 0);
    assert_int_equal(consumed, text.len);
    return r->values;
}

static void test_stored(void **state)
{
    static const struct {
        struct bytes text;
        enum answer_stored answer;
    } cases[] = {
        {BYTES("+Saved\r\n"), ANSWER_SAVED},        {BYTES("+Updated\r\n"), ANSWER_UPDATED},
        {BYTES("_\r\n"), ANSWER_NOT_STORED},        {BYTES("$-1\r\n"), ANSWER_NOT_STORED},
        {BYTES("+OK\r\n"), ANSWER_STRANGE},         {BYTES("+\r\n"), ANSWER_STRANGE},
        {BYTES("$5\r\nSaved\r\n"), ANSWER_STRANGE}, {BYTES(":1\r\n"), ANSWER_STRANGE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct resp_reply r;
        assert_int_equal(answer_stored(read_reply(&r, cases[i].text)), cases[i].answer);
        resp_reply_fini(&r);
    }
}

static void test_denial(void **state)
{
    assert_true(answer_is_denial(BYTES("NOPERM only admins")));
    assert_true(answer_is_denial(BYTES("NOAUTH")));
    assert_false(answer_is_denial(BYTES("NOPERMIT")));
    assert_false(answer_is_denial(BYTES("ERR NOPERM")));
    assert_false(answer_is_denial(BYTES("")));
}

#define CHANGE ">5\r\n$6\r\nchange\r\n$1\r\na\r\n"

static void test_changes(void **state)
{
    static const struct {
        struct bytes text;
        enum answer_change_kind kind;
        struct bytes key, value;
    } cases[] = {
        {BYTES(CHANGE "$3\r\nset\r\n$2\r\nab\r\n$1\r\nv\r\n"), ANSWER_SET, BYTES("ab"),
         BYTES("v")},
        {BYTES(CHANGE "$3\r\nset\r\n$2\r\na\0\r\n$0\r\n\r\n"), ANSWER_SET, BYTES("a\0"),
         BYTES("")},
        {BYTES(CHANGE "$3\r\ndel\r\n$2\r\nab\r\n_\r\n"), ANSWER_DELETED, BYTES("ab"),
         BYTES("")},
        {BYTES(CHANGE "$7\r\nexpired\r\n$2\r\nab\r\n_\r\n"), ANSWER_EXPIRED, BYTES("ab"),
         BYTES("")},
        {BYTES(CHANGE "$5\r\nflush\r\n_\r\n_\r\n"), ANSWER_FLUSHED, BYTES(""), BYTES("")},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct resp_reply r;
        struct answer_change change;
        assert_true(answer_change(read_reply(&r, cases[i].text), &change));
        assert_int_equal(change.kind, cases[i].kind);
        assert_bytes(change.key, cases[i].key);
        assert_bytes(change.value, cases[i].value);
        resp_reply_fini(&r);
    }
    assert_string_equal(answer_change_word(ANSWER_EXPIRED), "expired");
}

static void test_what_is_no_change(void **state)
{
    static const struct bytes cases[] = {
        BYTES("*5\r\n$6\r\nchange\r\n$1\r\na\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\nv\r\n"),
        BYTES(">5\r\n$6\r\nchance\r\n$1\r\na\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\nv\r\n"),
        BYTES(">4\r\n$6\r\nchange\r\n$1\r\na\r\n$3\r\nset\r\n$1\r\na\r\n"),
        BYTES(">6\r\n$6\r\nchange\r\n$1\r\na\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\nv\r\n:1\r\n"),
        BYTES(CHANGE "$3\r\nnew\r\n$1\r\na\r\n$1\r\nv\r\n"),
        BYTES(CHANGE "$3\r\nset\r\n$1\r\na\r\n_\r\n"),
        BYTES(CHANGE "$3\r\nset\r\n_\r\n$1\r\nv\r\n"),
        BYTES(CHANGE "$3\r\ndel\r\n$1\r\na\r\n$1\r\nv\r\n"),
        BYTES(CHANGE "$3\r\ndel\r\n_\r\n_\r\n"),
        BYTES(CHANGE "$5\r\nflush\r\n$1\r\na\r\n_\r\n"),
        BYTES(CHANGE "$3\r\nset\r\n:1\r\n$1\r\nv\r\n"),
        BYTES(CHANGE "$3\r\nset\r\n*1\r\n$1\r\na\r\n$1\r\nv\r\n"),
        BYTES(">0\r\n"),
        BYTES("_\r\n"),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct resp_reply r;
        struct answer_change change = {.kind = ANSWER_EXPIRED};
        if (answer_change(read_reply(&r, cases[i]), &change))
            fail_msg("taken: \"%s\"", (const char *)cases[i].data);
        assert_int_equal(change.kind, ANSWER_EXPIRED);
        resp_reply_fini(&r);
    }
}

static void test_words(void **state)
{
    assert_bytes(answer_words(BYTES("ERR no such thing")), BYTES("no such thing"));
    assert_bytes(answer_words(BYTES("ABSENT he is not here ")), BYTES("he is not here"));
    assert_bytes(answer_words(BYTES("BUSY too many")), BYTES("too many"));
    assert_bytes(answer_words(BYTES("QUOTA no room")), BYTES("QUOTA no room"));
    assert_bytes(answer_words(BYTES("ERR")), BYTES("ERR"));
    assert_bytes(answer_words(BYTES("ERRATIC hub")), BYTES("ERRATIC hub"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_denial),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_what_is_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
