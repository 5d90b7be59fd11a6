#include "store/record.h"

#include "base/number.h"

#include "unit.h"

enum { SEGMENT = 7, SALT = 99 };

static const struct record_op put = {.kind = RECORD_PUT,
                                     .space = STORE_SYSTEM,
                                     .key = {(const uint8_t *)"key", 3},
                                     .value = {(const uint8_t *)"va\0ue", 5},
                                     .expires = {123456789}};

/* A sealed record of that put; the caller frees it. */
static struct bytes make(uint64_t lsn, uint64_t batch)
{
    size_t n = record_op_bytes(&put);
    uint8_t *record = malloc(record_bytes(n));
    assert_non_null(record);
    assert_ptr_equal(record_op_write(record + RECORD_HEADER_BYTES, &put),
                     record + RECORD_HEADER_BYTES + n);
    struct record_header h = {(uint32_t)n, lsn, batch, SEGMENT, {5}};
    record_seal(record, &h, SALT);
    return bytes_make(record, record_bytes(n));
}

static int read(struct bytes in)
{
    struct record_header h;
    struct bytes payload;
    return record_read(in, SEGMENT, SALT, &h, &payload);
}

static void test_there_and_back(void **state)
{
    struct bytes record = make(12, 10), payload;
    struct record_header h;
    assert_int_equal(record.len % RECORD_ALIGN, 0);
    assert_int_equal(record_read(record, SEGMENT, SALT, &h, &payload), 0);
    assert_int_equal(h.lsn, 12);
    assert_int_equal(h.batch, 10);
    assert_int_equal(h.segment, SEGMENT);
    assert_int_equal(h.time.ms, 5);
    assert_int_equal(h.payload_bytes, payload.len);
    struct record_op op;
    assert_int_equal(record_op_read(&payload, &op), 0);
    assert_int_equal(op.kind, RECORD_PUT);
    assert_int_equal(op.space, STORE_SYSTEM);
    assert_bytes(op.key, put.key);
    assert_bytes(op.value, put.value);
    assert_int_equal(op.expires.ms, put.expires.ms);
    assert_int_equal(record_op_read(&payload, &op), RECORD_END);
    unit_free(record);
}

static void test_another_segment_or_salt_is_bad(void **state)
{
    struct bytes record = make(12, 10), payload;
    struct record_header h;
    assert_int_equal(record_read(record, SEGMENT + 1, SALT, &h, &payload), RECORD_BAD);
    assert_int_equal(record_read(record, SEGMENT, SALT + 1, &h, &payload), RECORD_BAD);
    unit_free(record);
}

static void test_every_truncation(void **state)
{
    struct bytes record = make(12, 10);
    for (size_t n = 0; n < record.len; n++) {
        struct bytes cut = unit_copy(bytes_first(record, n));
        assert_int_equal(read(cut), n < RECORD_HEADER_BYTES ? RECORD_END : RECORD_BAD);
        unit_free(cut);
    }
    unit_free(record);
}

/* Padding included. */
static void test_every_bit_counts(void **state)
{
    struct bytes record = make(12, 10);
    uint8_t *data = (uint8_t *)(uintptr_t)record.data;
    for (size_t bit = 0; bit < record.len * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(read(record), RECORD_BAD);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(read(record), 0);
    unit_free(record);
}

static void test_zeros_are_the_end(void **state)
{
    uint8_t zeros[RECORD_HEADER_BYTES + 8] = {0};
    assert_int_equal(read(bytes_make(zeros, sizeof zeros)), RECORD_END);
    zeros[RECORD_HEADER_BYTES - 1] = 1;
    assert_int_equal(read(bytes_make(zeros, sizeof zeros)), RECORD_BAD);
}

static void test_batches_begin_before_their_records(void **state)
{
    static const struct {
        uint64_t lsn, batch;
        int want;
    } cases[] = {{1, 1, 0}, {2, 1, 0}, {1, 2, RECORD_BAD}, {1, 0, RECORD_BAD}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes record = make(cases[i].lsn, cases[i].batch);
        assert_int_equal(read(record), cases[i].want);
        unit_free(record);
    }
}

static void test_operations_at_every_truncation(void **state)
{
    struct bytes record = make(1, 1);
    struct bytes whole = bytes_make(record.data + RECORD_HEADER_BYTES, record_op_bytes(&put));
    for (size_t n = 1; n < whole.len; n++) {
        struct bytes cut = unit_copy(bytes_first(whole, n)), rest = cut;
        struct record_op op;
        assert_int_equal(record_op_read(&rest, &op), RECORD_BAD);
        assert_ptr_equal(rest.data, cut.data);
        unit_free(cut);
    }
    unit_free(record);
}

static void test_malformed_operations(void **state)
{
    /* offset and value of the byte that makes an operation of 20 + 1 + 1 bytes malformed */
    static const struct {
        size_t at;
        uint8_t byte;
    } cases[] = {
        {0, 0}, {0, 5}, {0, 2}, {0, 3}, {0, 4}, {1, 2},    {2, 1},
        {3, 1}, {4, 0}, {4, 2}, {6, 2}, {8, 2}, {11, 255},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t data[RECORD_OP_BYTES + 2];
        struct record_op op = {.kind = RECORD_PUT, .key = BYTES("k"), .value = BYTES("v")};
        record_op_write(data, &op);
        data[cases[i].at] = cases[i].byte;
        struct bytes rest = bytes_make(data, sizeof data);
        int r = record_op_read(&rest, &op);
        assert_int_equal(r, RECORD_BAD);
    }
}

static void test_later_records_are_found_anywhere(void **state)
{
    struct bytes record = make(12, 10);
    for (size_t at = 0; at < 64; at++) {
        uint8_t room[256] = {0xff, 0xff};
        memcpy(room + at, record.data, record.len);
        struct bytes in = bytes_make(room, at + record.len);
        assert_int_equal(record_find_later(in, SEGMENT, SALT, 9), at % RECORD_ALIGN == 0);
        assert_false(record_find_later(in, SEGMENT, SALT, 10));
        assert_false(record_find_later(in, SEGMENT, SALT + 1, 9));
        assert_false(record_find_later(bytes_first(in, in.len - 8), SEGMENT, SALT, 9));
    }
    unit_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_another_segment_or_salt_is_bad),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_zeros_are_the_end),
        cmocka_unit_test(test_batches_begin_before_their_records),
        cmocka_unit_test(test_operations_at_every_truncation),
        cmocka_unit_test(test_malformed_operations),
        cmocka_unit_test(test_later_records_are_found_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
