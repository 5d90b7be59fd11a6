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
    record_op_begin(record + RECORD_HEADER_BYTES);
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
    assert_true(op.begins);
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

/* What each kind holds, and how it lies in memory. */
static const struct {
    struct record_op op;
    struct bytes bytes;
} operations[] = {
    {{.kind = RECORD_PUT, .key = {(const uint8_t *)"k", 1}, .value = {(const uint8_t *)"v", 1}},
     BYTES("\x01\x01\x01kv")},
    {{.kind = RECORD_PUT, .space = STORE_SYSTEM, .key = {(const uint8_t *)"k", 1}},
     BYTES("\x11\x01\x00k")},
    {{.kind = RECORD_PUT, .key = {(const uint8_t *)"k", 1}, .expires = {258}},
     BYTES("\x21\x01\x00\x02\x01\0\0\0\0\0\0k")},
    {{.kind = RECORD_REMOVE, .key = {(const uint8_t *)"key", 3}}, BYTES("\x02\x03\x00key")},
    {{.kind = RECORD_OPEN}, BYTES("\x03\x00\x00")},
    {{.kind = RECORD_CLOSE}, BYTES("\x04\x00\x00")},
    {{.kind = RECORD_FLUSH, .space = STORE_SYSTEM}, BYTES("\x15\x00\x00")},
    {{.kind = RECORD_PART, .value = {(const uint8_t *)"v", 1}, .expires = {1}},
     BYTES("\x26\x00\x01\x01\0\0\0\0\0\0\0v")},
    {{.kind = RECORD_DROP, .expires = {1}}, BYTES("\x28\x00\x00\x01\0\0\0\0\0\0\0")},
};

static void test_how_operations_lie(void **state)
{
    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        uint8_t room[64];
        size_t n = record_op_bytes(&operations[i].op);
        assert_int_equal(n, operations[i].bytes.len);
        assert_ptr_equal(record_op_write(room, &operations[i].op), room + n);
        assert_bytes(bytes_make(room, n), operations[i].bytes);
        struct bytes rest = bytes_make(room, n);
        struct record_op op;
        assert_int_equal(record_op_read(&rest, &op), 0);
        assert_int_equal(rest.len, 0);
        assert_false(op.begins);
        assert_int_equal(op.kind, operations[i].op.kind);
        assert_int_equal(op.space, operations[i].op.space);
        assert_bytes(op.key, operations[i].op.key);
        assert_bytes(op.value, operations[i].op.value);
        assert_int_equal(op.expires.ms, operations[i].op.expires.ms);
    }
}

static void test_lengths(void **state)
{
    static const size_t lengths[] = {0,     1,     126,   127,    128,
                                     16383, 16384, 65536, 100000, (1 << 21) + 1};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        uint8_t *value = calloc(1, lengths[i] + 1);
        struct record_op op = {
            .kind = RECORD_PUT, .key = BYTES("k"), .value = {value, lengths[i]}};
        size_t n = record_op_bytes(&op);
        uint8_t *room = malloc(n);
        assert_true(value && room);
        assert_ptr_equal(record_op_write(room, &op), room + n);
        struct bytes rest = bytes_make(room, n);
        assert_int_equal(record_op_read(&rest, &op), 0);
        assert_int_equal(op.value.len, lengths[i]);
        free(value);
        free(room);
    }
}

static const struct bytes malformed[] = {
    BYTES("\x00\x01\x01kv"), /* a kind there is not */
    BYTES("\x09\x01\x01kv"),
    BYTES("\x0f\x01\x01kv"),
    BYTES("\x41\x01\x01kv"),     /* a reserved bit */
    BYTES("\x01\x00\x01v"),      /* a put without a key */
    BYTES("\x01\x81\x00\x01kv"), /* a byte too many for a length */
    BYTES("\x01\x01\x81\x00kv"),
    BYTES("\x01\x80\x80\x80\x80\x01\x01kv"), /* five of them */
    BYTES("\x01\x81\x80\x04\x01kv"),         /* a key of more than 64 KiB */
    BYTES("\x01\x01\x81\x80\x80\x20kv"),     /* a value of more than 64 MiB */
    BYTES("\x01\x01\x02kv"),                 /* less than it says */
    BYTES("\x21\x01\x01\0\0\0\0\0\0\0\0kv"), /* a number that need not be there */
    BYTES("\x21\x01\x01\x01\0\0"),           /* half of one */
    BYTES("\x02\x00\x00"),                   /* a removal of no key, with a value ... */
    BYTES("\x02\x01\x01kv"),
    BYTES("\x22\x01\x00\x01\0\0\0\0\0\0\0k"),
    BYTES("\x03\x01\x00k"), /* marks with anything */
    BYTES("\x03\x00\x01v"),
    BYTES("\x13\x00\x00"),
    BYTES("\x24\x00\x00\x01\0\0\0\0\0\0\0"),
    BYTES("\x05\x01\x00k"),
    BYTES("\x06\x00\x01v"), /* a part of no upload, of nothing */
    BYTES("\x26\x00\x00\x01\0\0\0\0\0\0\0"),
    BYTES("\x26\x00\x01\xff\xff\xff\xff\xff\xff\xff\xffv"),
    BYTES("\x07\x01\x02kvv"), /* a put of parts that names none */
    BYTES("\x08\x00\x00"),
};

static void test_malformed_operations(void **state)
{
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        struct bytes copy = unit_copy(malformed[i]), rest = copy;
        struct record_op op;
        if (record_op_read(&rest, &op) != RECORD_BAD)
            fail_msg("number %zu is taken", i);
        assert_ptr_equal(rest.data, copy.data);
        unit_free(copy);
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
        cmocka_unit_test(test_how_operations_lie),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_malformed_operations),
        cmocka_unit_test(test_later_records_are_found_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
