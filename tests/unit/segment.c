#include "store/segment.h"

#include "support/faulty_disk.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

static const struct segment_header header = {.id = 5, .salt = 6, .replaces = 3, .bytes = 4096};

static void test_header_there_and_back(void **state)
{
    uint8_t data[SEGMENT_HEADER_BYTES];
    struct segment_header h;
    segment_header_write(data, &header);
    assert_int_equal(segment_header_read(bytes_make(data, sizeof data), &h), 0);
    assert_memory_equal(&h, &header, sizeof h);
}

static void test_header_at_every_truncation_and_bit(void **state)
{
    uint8_t data[SEGMENT_HEADER_BYTES];
    struct segment_header h;
    segment_header_write(data, &header);
    for (size_t n = 0; n < sizeof data; n++) {
        struct bytes cut = unit_copy(bytes_make(data, n));
        assert_int_equal(segment_header_read(cut, &h), SEGMENT_BAD);
        unit_free(cut);
    }
    for (size_t bit = 0; bit < 8 * sizeof data; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(segment_header_read(bytes_make(data, sizeof data), &h), SEGMENT_BAD);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_headers_without_meaning(void **state)
{
    static const struct segment_header cases[] = {
        {.id = 0, .bytes = 4096},
        {.id = 5, .replaces = 5, .bytes = 4096},
        {.id = 5, .bytes = 56},
        {.id = 5, .bytes = 4097},
        {.id = UINT64_MAX, .bytes = 4096},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t data[SEGMENT_HEADER_BYTES];
        struct segment_header h;
        segment_header_write(data, &cases[i]);
        assert_int_equal(segment_header_read(bytes_make(data, sizeof data), &h), SEGMENT_BAD);
    }
}

static void test_names(void **state)
{
    static const char *const wrong[] = {"",
                                        "log-",
                                        "log-000000000000000",
                                        "log-00000000000000000",
                                        "log-000000000000000G",
                                        "log-000000000000000A",
                                        "lag-0000000000000001",
                                        "segment.tmp"};
    char name[DISK_NAME_BYTES];
    uint64_t id;
    segment_name(name, 0x0123456789abcdef);
    assert_string_equal(name, "log-0123456789abcdef");
    assert_true(segment_name_parse(name, &id));
    assert_int_equal(id, 0x0123456789abcdef);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(segment_name_parse(wrong[i], &id));
}

static enum faulty_fate lose(void *ctx, size_t item, size_t items)
{
    return FAULTY_LOST;
}

static void test_a_made_segment_is_durable(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    faulty_disk_put(f, SEGMENT_TMP_NAME, "left over", 9);
    assert_int_equal(segment_make(faulty_disk(f), &header, BYTES("records ")), 0);
    struct faulty_disk *cut = faulty_disk_cut(f, lose, NULL, 1);
    uint64_t bytes;
    const uint8_t *data = faulty_disk_file(cut, "log-0000000000000005", &bytes);
    assert_non_null(data);
    assert_int_equal(bytes, header.bytes);
    struct segment_header h;
    assert_int_equal(segment_header_read(bytes_make(data, bytes), &h), 0);
    assert_memory_equal(data + SEGMENT_HEADER_BYTES, "records \0", 9);
    assert_null(faulty_disk_file(cut, SEGMENT_TMP_NAME, &bytes));
    faulty_disk_free(cut);
    faulty_disk_free(f);
}

/* Whatever fails, nothing of it stays, and it can be made afterwards. */
static void test_every_failure_is_cleaned_up(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    assert_int_equal(segment_make(faulty_disk(f), &header, BYTES("records ")), 0);
    uint64_t changes = faulty_disk_changes(f);
    faulty_disk_free(f);
    assert_true(changes > 5);
    for (uint64_t nth = 0; nth < changes; nth++) {
        f = faulty_disk_new();
        faulty_disk_fail(f, nth, EIO);
        assert_int_equal(segment_make(faulty_disk(f), &header, BYTES("records ")), -EIO);
        assert_int_equal(faulty_disk_bytes(f), 0);
        assert_int_equal(segment_make(faulty_disk(f), &header, BYTES("records ")), 0);
        faulty_disk_free(f);
    }
}

static void test_a_full_disk(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    faulty_disk_limit(f, header.bytes - 1);
    assert_int_equal(segment_make(faulty_disk(f), &header, BYTES("")), -ENOSPC);
    assert_int_equal(faulty_disk_bytes(f), 0);
    faulty_disk_limit(f, header.bytes);
    assert_int_equal(segment_make(faulty_disk(f), &header, BYTES("")), 0);
    faulty_disk_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_there_and_back),
        cmocka_unit_test(test_header_at_every_truncation_and_bit),
        cmocka_unit_test(test_headers_without_meaning),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_a_made_segment_is_durable),
        cmocka_unit_test(test_every_failure_is_cleaned_up),
        cmocka_unit_test(test_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
