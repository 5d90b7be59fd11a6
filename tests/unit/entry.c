#include "client/entry.h"

#include "unit.h"

static void check_round(struct entry_reader *r, struct entry e, struct bytes line)
{
    struct buffer out;
    struct entry got;
    buffer_init(&out, 1000);
    assert_int_equal(entry_write(&out, &e), 0);
    assert_bytes(buffer_view(&out), line);
    struct bytes copy = unit_copy(line);
    assert_null(entry_read(r, copy, &got));
    assert_bytes(got.key, e.key);
    assert_bytes(got.value, e.value);
    assert_int_equal(got.expires.ms, e.expires.ms);
    unit_free(copy);
    buffer_fini(&out);
}

static void test_what_is_written_is_read(void **state)
{
    struct entry_reader *r;
    assert_int_equal(entry_reader_new(&r), 0);
    check_round(r, (struct entry){BYTES("foo"), BYTES("bar"), {0}},
                BYTES("{\"key\":\"foo\",\"value\":\"bar\"}\n"));
    check_round(r, (struct entry){BYTES("a\0b"), BYTES(""), {1790000000000}},
                BYTES("{\"key\":\"a\\u0000b\",\"value\":\"\",\"expires_ms\":1790000000000}\n"));
    check_round(
        r, (struct entry){BYTES("\xff"), BYTES("\x00\xfe"), {1}},
        BYTES("{\"key_base64\":\"/w==\",\"value_base64\":\"AP4=\",\"expires_ms\":1}\n"));
    check_round(r, (struct entry){BYTES("\"\\\n"), BYTES("\xe2\x80\xae"), {0}},
                BYTES("{\"key\":\"\\\"\\\\\\n\",\"value\":\"\\u202e\"}\n"));
    entry_reader_free(r);
    entry_reader_free(NULL);
}

static const struct {
    const char *line, *problem;
} wrong[] = {
    {"", "not JSON"},
    {"foo=bar", "not JSON"},
    {"{\"key\":\"a\",\"value\":\"b\"", "not JSON"},
    {"{\"key\":\"a\",\"value\":\"b\"} x", "not JSON"},
    {"{\"key\":\"a\",\"key\":\"b\",\"value\":\"c\"}", "not JSON: duplicate"},
    {"{\"key\":\"\xff\",\"value\":\"b\"}", "not JSON"},
    {"[\"key\",\"value\"]", "not a JSON object"},
    {"{\"value\":\"b\"}", "it has no \"key\""},
    {"{\"key\":\"a\"}", "it has no \"value\""},
    {"{\"key\":\"\",\"value\":\"b\"}", "a key is 1 byte to 64 KiB"},
    {"{\"key\":1,\"value\":\"b\"}", "\"key\" is not a string"},
    {"{\"key\":\"a\",\"value\":null}", "\"value\" is not a string"},
    {"{\"key\":\"a\",\"key_base64\":\"YQ==\",\"value\":\"b\"}", "is there twice"},
    {"{\"key_base64\":\"YQ\",\"value\":\"b\"}", "\"key_base64\" is not base64"},
    {"{\"key\":\"a\",\"value_base64\":\"Y Q==\"}", "\"value_base64\" is not base64"},
    {"{\"key\":\"a\",\"value\":\"b\",\"ttl\":3}", "\"ttl\" is no field"},
    {"{\"key\":\"a\",\"value\":\"b\",\"expires_ms\":\"1\"}", "\"expires_ms\" is not a time"},
    {"{\"key\":\"a\",\"value\":\"b\",\"expires_ms\":0}", "\"expires_ms\" is not a time"},
    {"{\"key\":\"a\",\"value\":\"b\",\"expires_ms\":1.5}", "\"expires_ms\" is not a time"},
    {"{\"key\":\"a\",\"value\":\"b\",\"expires_ms\":99999999999999999999}", "not JSON"},
};

static void test_what_is_no_entry(void **state)
{
    struct entry_reader *r;
    assert_int_equal(entry_reader_new(&r), 0);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct bytes line = unit_copy(bytes_from_str(wrong[i].line));
        struct entry e;
        const char *problem = entry_read(r, line, &e);
        if (!problem || !strstr(problem, wrong[i].problem))
            fail_msg("%s: %s", wrong[i].line, problem ? problem : "is taken");
        unit_free(line);
    }
    entry_reader_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_what_is_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
