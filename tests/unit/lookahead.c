#include "store/lookahead.h"

#include "unit.h"

#include <stdio.h>

/* What was expected: how many at each time, and the first and last key of each. */
struct expected {
    size_t times, counts[4];
    char keys[4][2][8];
};

static void note_key(char to[8], const struct record_op *op)
{
    snprintf(to, 8, "%.*s", (int)op->key.len, (const char *)op->key.data);
}

static void expect(void *ctx, const struct record_op *ops, size_t n)
{
    struct expected *e = ctx;
    assert_true(e->times < COUNT_OF(e->counts));
    e->counts[e->times] = n;
    note_key(e->keys[e->times][0], &ops[0]);
    note_key(e->keys[e->times][1], &ops[n - 1]);
    e->times++;
}

/* Puts of the keys 0, 1 and so on; how many bytes they take. */
static size_t write_puts(uint8_t *to, size_t n)
{
    uint8_t *at = to;
    for (size_t i = 0; i < n; i++) {
        char key[8];
        snprintf(key, sizeof key, "%zu", i);
        at = record_op_write(at, &(struct record_op){.kind = RECORD_PUT,
                                                     .key = bytes_from_str(key),
                                                     .value = bytes_from_str("v")});
    }
    return (size_t)(at - to);
}

/* How many come, in order, and what is said behind them. */
static size_t read_puts(struct lookahead *l, int *ret_end)
{
    const struct record_op *op;
    size_t n = 0;
    for (; (*ret_end = lookahead_next(l, &op)) == 0; n++) {
        char want[8], got[8];
        snprintf(want, sizeof want, "%zu", n);
        note_key(got, op);
        assert_string_equal(got, want);
    }
    return n;
}

static void test_all_come_and_are_expected_before(void **state)
{
    enum { N = LOOKAHEAD_OPS + 2 };
    uint8_t payload[N * 16];
    struct expected e = {0};
    struct lookahead l;
    int end;
    lookahead_begin(&l, bytes_make(payload, write_puts(payload, N)), expect, &e);
    assert_int_equal(read_puts(&l, &end), N);
    assert_int_equal(end, RECORD_END);
    assert_int_equal(e.times, 2);
    assert_int_equal(e.counts[0], LOOKAHEAD_OPS);
    assert_string_equal(e.keys[0][0], "0");
    assert_string_equal(e.keys[0][1], "31");
    assert_int_equal(e.counts[1], 2);
    assert_string_equal(e.keys[1][0], "32");
    assert_string_equal(e.keys[1][1], "33");
    assert_int_equal(lookahead_next(&l, &(const struct record_op *){0}), RECORD_END);
}

static void test_one_alone_is_not_expected(void **state)
{
    uint8_t payload[16];
    struct expected e = {0};
    struct lookahead l;
    int end;
    lookahead_begin(&l, bytes_make(payload, write_puts(payload, 1)), expect, &e);
    assert_int_equal(read_puts(&l, &end), 1);
    assert_int_equal(e.times, 0);
    lookahead_begin(&l, bytes_make(payload, write_puts(payload, 1)), NULL, NULL);
    assert_int_equal(read_puts(&l, &end), 1);
}

static void test_what_is_bad_comes_in_its_place(void **state)
{
    uint8_t payload[3 * 16];
    struct expected e = {0};
    struct lookahead l;
    int end;
    size_t len = write_puts(payload, 3);
    lookahead_begin(&l, bytes_make(payload, len - 1), expect, &e);
    assert_int_equal(read_puts(&l, &end), 2);
    assert_int_equal(end, RECORD_BAD);
    assert_int_equal(e.counts[0], 2);
}

static void test_the_end_is_behind_the_last(void **state)
{
    uint8_t payload[3 * 16];
    const struct record_op *op;
    struct lookahead l;
    size_t len = write_puts(payload, 2);
    lookahead_begin(&l, bytes_make(payload, len), NULL, NULL);
    assert_int_equal(lookahead_next(&l, &op), 0);
    assert_false(lookahead_is_at_end(&l));
    assert_int_equal(lookahead_next(&l, &op), 0);
    assert_true(lookahead_is_at_end(&l));
    payload[len] = 0; /* not an operation */
    lookahead_begin(&l, bytes_make(payload, len + 1), NULL, NULL);
    assert_int_equal(lookahead_next(&l, &op), 0);
    assert_int_equal(lookahead_next(&l, &op), 0);
    assert_false(lookahead_is_at_end(&l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_come_and_are_expected_before),
        cmocka_unit_test(test_one_alone_is_not_expected),
        cmocka_unit_test(test_what_is_bad_comes_in_its_place),
        cmocka_unit_test(test_the_end_is_behind_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
