#include "client/attendance.h"

#include "unit.h"

static const struct resp_value bob[ATTENDANCE_VALUES] = {
    {.kind = RESP_ARRAY, .number = 3},
    {.kind = RESP_BULK, .text = {(const uint8_t *)"bob", 3}},
    {.kind = RESP_INTEGER, .number = 1000},
    {.kind = RESP_INTEGER, .number = 2},
};

static void test_one_is_read(void **state)
{
    struct attendance a;
    assert_true(attendance_read(bob, ATTENDANCE_VALUES, &a));
    assert_true(bytes_equal_str(a.name, "bob"));
    assert_int_equal(a.since, 1000);
    assert_int_equal(a.devices, 2);
}

static void refuse(size_t i, struct resp_value other)
{
    struct resp_value row[ATTENDANCE_VALUES];
    struct attendance a;
    memcpy(row, bob, sizeof row);
    row[i] = other;
    assert_false(attendance_read(row, ATTENDANCE_VALUES, &a));
}

static void test_what_is_none(void **state)
{
    struct attendance a;
    assert_false(attendance_read(bob, ATTENDANCE_VALUES - 1, &a));
    refuse(0, (struct resp_value){.kind = RESP_INTEGER, .number = 3});
    refuse(0, (struct resp_value){.kind = RESP_ARRAY, .number = 2});
    refuse(1, (struct resp_value){.kind = RESP_NULL});
    refuse(1, (struct resp_value){.kind = RESP_BULK, .text = BYTES("bob\x1b[2J")});
    refuse(2, (struct resp_value){.kind = RESP_ARRAY, .number = 1});
    refuse(2, (struct resp_value){.kind = RESP_INTEGER, .number = INT64_MIN / 1000 - 1});
    refuse(2, (struct resp_value){.kind = RESP_INTEGER, .number = INT64_MAX / 1000 + 1});
    refuse(3, (struct resp_value){.kind = RESP_NULL});
}

static void expect(const char *text, int64_t seconds, int64_t devices, bool verified)
{
    const struct attendance a = {.name = BYTES("bob"), .since = 1000, .devices = devices};
    char out[ATTENDANCE_TEXT_BYTES];
    attendance_write(out, &a, (struct walltime){(1000 + seconds) * 1000}, verified);
    assert_string_equal(out, text);
}

static void test_for_how_long(void **state)
{
    expect("bob          just now", -5, 1, false); /* its clock, and ours */
    expect("bob          just now", 59, 1, false);
    expect("bob          1 min, verified", 60, 1, true);
    expect("bob          59 min, 2 devices", 3599, 2, false);
    expect("bob          47 h, 3 devices, verified", 48 * 3600 - 1, 3, true);
    expect("bob          2 days", 48 * 3600, 1, false);
}

static void test_the_longest_fits(void **state)
{
    char name[ACCOUNT_NAME_BYTES], out[ATTENDANCE_TEXT_BYTES];
    memset(name, 'n', sizeof name);
    const struct attendance a = {bytes_make(name, sizeof name), 0, INT64_MAX};
    attendance_write(out, &a, (struct walltime){INT64_MAX}, true);
    assert_non_null(strstr(out, " days, 9223372036854775807 devices, verified"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_is_read),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_for_how_long),
        cmocka_unit_test(test_the_longest_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
