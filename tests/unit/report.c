#include "client/report.h"

#include "unit.h"

static const struct {
    struct bytes line;
    struct report r;
} cases[] = {
    {BYTES("ready"), {REPORT_READY, {0}, {0}, BYTES("")}},
    {BYTES("begun 18446744073709551615"), {REPORT_BEGUN, {0}, {UINT64_MAX}, BYTES("")}},
    {BYTES("answered 1 22 Saved it"), {REPORT_ANSWERED, {1}, {22}, BYTES("Saved it")}},
    {BYTES("answered 1 22"), {REPORT_ANSWERED, {1}, {22}, BYTES("")}},
    {BYTES("answered 1 22   \xff "), {REPORT_ANSWERED, {1}, {22}, BYTES("  \xff ")}},
    {BYTES("failed no such host"), {REPORT_FAILED, {0}, {0}, BYTES("no such host")}},
};

static const struct bytes bad[] = {
    BYTES(""),         BYTES("readyx"),     BYTES("begun"),          BYTES("begun x"),
    BYTES("begun -1"), BYTES("answered 1"), BYTES("answered x 1 y"),
};

static void test_both_ways(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes line = unit_copy(cases[i].line);
        struct report r;
        assert_true(report_parse(line, &r));
        assert_int_equal(r.verb, cases[i].r.verb);
        assert_int_equal(r.sent.ns, cases[i].r.sent.ns);
        assert_int_equal(r.at.ns, cases[i].r.at.ns);
        assert_bytes(r.text, cases[i].r.text);
        struct buffer out;
        buffer_init(&out, 100);
        assert_int_equal(report_write(&out, &r), 0);
        assert_bytes(bytes_first(buffer_view(&out), buffer_len(&out) - 1), cases[i].line);
        assert_int_equal(buffer_view(&out).data[buffer_len(&out) - 1], '\n');
        buffer_fini(&out);
        unit_free(line);
    }
}

static void test_what_is_no_report(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct report r;
        assert_false(report_parse(bad[i], &r));
    }
}

static void test_one_that_does_not_fit_leaves_nothing(void **state)
{
    struct buffer out;
    buffer_init(&out, 12);
    struct report r = {.verb = REPORT_FAILED, .text = BYTES("longer than that")};
    assert_int_equal(report_write(&out, &r), BUFFER_FULL);
    assert_int_equal(buffer_len(&out), 0);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_what_is_no_report),
        cmocka_unit_test(test_one_that_does_not_fit_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
