#include "client/verbs.h"

#include "unit.h"

static const struct {
    struct bytes line;
    enum verb_kind kind;
    struct bytes argument;
} meant[] = {
    {BYTES(""), VERB_NONE, BYTES("")},
    {BYTES(" \t"), VERB_NONE, BYTES("")},
    {BYTES("#HELP"), VERB_HELP, BYTES("")},
    {BYTES("/help"), VERB_HELP, BYTES("")},
    {BYTES("/HELP "), VERB_HELP, BYTES("")},
    {BYTES("GET_CLIENT_LIST"), VERB_LIST, BYTES("")},
    {BYTES("GET_CLIENT_LIST<>"), VERB_LIST, BYTES("")},
    {BYTES("/who"), VERB_WHO, BYTES("")},
    {BYTES("GET_CLIENT_INFO bob"), VERB_TALK, BYTES("bob")},
    {BYTES("GET_CLIENT_INFO<bob>"), VERB_TALK, BYTES("bob")},
    {BYTES(" GET_CLIENT_INFO< bob > "), VERB_TALK, BYTES("bob")},
    {BYTES("/talk  bob "), VERB_TALK, BYTES("bob")},
    {BYTES("/talk<bob>"), VERB_TALK, BYTES("bob")},
    {BYTES("SEND_FILE /a b/c d"), VERB_SEND, BYTES("/a b/c d")},
    {BYTES("SEND_FILE</a b/c d>"), VERB_SEND, BYTES("/a b/c d")},
    {BYTES("SEND_FILE a>"), VERB_SEND, BYTES("a>")},
    {BYTES("SEND_FILE <a>"), VERB_SEND, BYTES("<a>")},
    {BYTES("/send x<y>"), VERB_SEND, BYTES("x<y>")},
    {BYTES("/transfers"), VERB_TRANSFERS, BYTES("")},
    {BYTES("/cancel x9"), VERB_CANCEL, BYTES("x9")},
    {BYTES("CLOSE_SESSION"), VERB_CLOSE, BYTES("")},
    {BYTES("/close"), VERB_CLOSE, BYTES("")},
    {BYTES("DISCONNECT_CLIENT"), VERB_LEAVE, BYTES("")},
    {BYTES("/quit"), VERB_LEAVE, BYTES("")},
    {BYTES("QUIT"), VERB_STOP, BYTES("")},
    {BYTES("/path"), VERB_PATH, BYTES("")},
    {BYTES("VERIFY bob"), VERB_VERIFY, BYTES("bob")},
    {BYTES("VERIFY<bob>"), VERB_VERIFY, BYTES("bob")},
    {BYTES("/verify"), VERB_VERIFY, BYTES("")},
    {BYTES("/Verify bob"), VERB_VERIFY, BYTES("bob")},
    {BYTES("/accept"), VERB_ACCEPT, BYTES("")},
    {BYTES("/accept carol"), VERB_ACCEPT, BYTES("carol")},
    {BYTES("/decline carol"), VERB_DECLINE, BYTES("carol")},
    /* what is no verb */
    {BYTES("hello"), VERB_SAY, BYTES("hello")},
    {BYTES(" two  blanks "), VERB_SAY, BYTES(" two  blanks ")},
    {BYTES("quit"), VERB_SAY, BYTES("quit")},
    {BYTES("get_client_list"), VERB_SAY, BYTES("get_client_list")},
    {BYTES("GET_CLIENT_LIST please"), VERB_SAY, BYTES("GET_CLIENT_LIST please")},
    {BYTES("GET_CLIENT_INFO bob and eve"), VERB_SAY, BYTES("GET_CLIENT_INFO bob and eve")},
    {BYTES("QUIT smoking"), VERB_SAY, BYTES("QUIT smoking")},
    {BYTES("STORE a = b"), VERB_SAY, BYTES("STORE a = b")},
    {BYTES("GET a"), VERB_SAY, BYTES("GET a")},
    {BYTES("VERIFY all of it"), VERB_SAY, BYTES("VERIFY all of it")},
    {BYTES("<3"), VERB_SAY, BYTES("<3")},
    {BYTES("//who"), VERB_SAY, BYTES("/who")},
    {BYTES("//"), VERB_SAY, BYTES("/")},
    {BYTES("///"), VERB_SAY, BYTES("//")},
    {BYTES("/frob it"), VERB_UNKNOWN, BYTES("/frob")},
    {BYTES("/"), VERB_UNKNOWN, BYTES("/")},
};

static void test_what_is_meant(void **state)
{
    for (size_t i = 0; i < COUNT_OF(meant); i++) {
        struct bytes line = unit_copy(meant[i].line);
        struct verb verb = verb_parse(line);
        if (verb.kind != meant[i].kind)
            print_error("line \"%.*s\"\n", (int)line.len, (const char *)line.data);
        assert_int_equal(verb.kind, meant[i].kind);
        assert_bytes(verb.argument, meant[i].argument);
        unit_free(line);
    }
}

static void test_what_is_missing_is_said(void **state)
{
    static const char *const lines[] = {"/talk",       "GET_CLIENT_INFO", "GET_CLIENT_INFO<>",
                                        "/who me",     "/accept a b",     "VERIFY",
                                        "/verify a b", "/letter",         "LETTER",
                                        "LETTER<>",    "/history a b"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct verb verb = verb_parse(bytes_from_str(lines[i]));
        assert_int_equal(verb.kind, VERB_WRONG);
        assert_non_null(verb.problem);
    }
}

static void test_every_word_is_a_verb(void **state)
{
    enum verb_takes takes;
    const char *word;
    size_t n = 0;
    for (; (word = verb_word(n, &takes)); n++) {
        enum verb_kind kind = verb_parse(bytes_from_str(word)).kind;
        assert_true(kind > VERB_UNKNOWN);
    }
    assert_int_equal(n, 23);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_meant),
        cmocka_unit_test(test_what_is_missing_is_said),
        cmocka_unit_test(test_every_word_is_a_verb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
