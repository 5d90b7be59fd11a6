#include "client/json.h"

#include "unit.h"

static const struct {
    struct bytes value, line;
} values[] = {
    {BYTES(""), BYTES("{\"v\":\"\"}\n")},
    {BYTES("plain"), BYTES("{\"v\":\"plain\"}\n")},
    {BYTES("q\"b\\s/"), BYTES("{\"v\":\"q\\\"b\\\\s/\"}\n")},
    {BYTES("\n\r\t"), BYTES("{\"v\":\"\\n\\r\\t\"}\n")},
    {BYTES("\0\x1b\x7f"), BYTES("{\"v\":\"\\u0000\\u001b\\u007f\"}\n")},
    {BYTES("\xc3\xa4\xe2\x82\xac"), BYTES("{\"v\":\"\xc3\xa4\xe2\x82\xac\"}\n")},
    {BYTES("\xc2\x9b"), BYTES("{\"v\":\"\\u009b\"}\n")},                /* a C1 control */
    {BYTES("\xe2\x80\xae"), BYTES("{\"v\":\"\\u202e\"}\n")},            /* turns text around */
    {BYTES("\xf3\xa0\x80\x81"), BYTES("{\"v\":\"\\udb40\\udc01\"}\n")}, /* a pair */
    {BYTES("\xff"), BYTES("{\"v_base64\":\"/w==\"}\n")},
    {BYTES("\xff\xfe"), BYTES("{\"v_base64\":\"//4=\"}\n")},
    {BYTES("\xff\xfe\xfd"), BYTES("{\"v_base64\":\"//79\"}\n")},
    {BYTES("a\0\xff\n"), BYTES("{\"v_base64\":\"YQD/Cg==\"}\n")},
};

static void test_values(void **state)
{
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct bytes value = unit_copy(values[i].value);
        struct buffer out;
        buffer_init(&out, 1000);
        struct json j = json_begin(&out);
        json_bytes(&j, "v", value);
        assert_int_equal(json_end(&j), 0);
        assert_bytes(buffer_view(&out), values[i].line);
        buffer_fini(&out);
        unit_free(value);
    }
}

static void test_fields(void **state)
{
    struct buffer out;
    buffer_init(&out, 1000);
    struct json j = json_begin(&out);
    json_number(&j, "n", -5);
    json_open(&j, "in");
    json_pair(&j, BYTES("k\""), BYTES("v"));
    json_pair(&j, BYTES("\xff"), BYTES("left out"));
    json_bool(&j, "t", true);
    json_close(&j);
    json_bool(&j, "f", false);
    json_str(&j, "s", "x");
    assert_int_equal(json_end(&j), 0);
    assert_bytes(buffer_view(&out), BYTES("{\"n\":-5,\"in\":{\"k\\\"\":\"v\",\"t\":true},"
                                          "\"f\":false,\"s\":\"x\"}\n"));
    buffer_fini(&out);
}

static void test_empty(void **state)
{
    struct buffer out;
    buffer_init(&out, 3);
    struct json j = json_begin(&out);
    assert_int_equal(json_end(&j), 0);
    assert_bytes(buffer_view(&out), BYTES("{}\n"));
    buffer_fini(&out);
}

static void test_the_first_failure_is_kept(void **state)
{
    struct buffer out;
    buffer_init(&out, 4);
    struct json j = json_begin(&out);
    json_str(&j, "name", "longer than that");
    assert_int_equal(json_end(&j), BUFFER_FULL);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_the_first_failure_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
