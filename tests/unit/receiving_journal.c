#include "peer/receiving_journal.h"

#include "support/faulty_inbox.h"

#include "unit.h"

static const struct random_id id = {{1, 2, 3}};

/* BEGIN, a chunk of 3 bytes, a late drop, CHECKED. */
static struct faulty_inbox *write_journal(void)
{
    static const uint8_t chunk[] = "\0\0\0\0\0\0\0\7\0\0\0\0\0\4\0\0"
                                   "0123456789abcdef"
                                   "xyz";
    struct faulty_inbox *f = faulty_inbox_new();
    struct receiving_journal j;
    receiving_journal_init(&j, faulty_inbox(f));
    assert_int_equal(receiving_journal_begin(&j, &id), 0);
    struct peer_frame frame = {TRANSFER_CHUNK, bytes_make(chunk, sizeof chunk - 1)};
    assert_int_equal(receiving_journal_message(&j, &frame), 0);
    assert_int_equal(receiving_journal_late(&j, 9, TRANSFER_SOURCE_GONE), 0);
    assert_int_equal(receiving_journal_checked(&j), 0);
    assert_int_equal(buffer_len(faulty_inbox_journal(f)), 0);
    assert_int_equal(receiving_journal_flush(&j), 0);
    assert_int_equal(buffer_len(faulty_inbox_journal(f)), j.len);
    receiving_journal_fini(&j);
    return f;
}

static void test_what_is_written_is_read(void **state)
{
    struct faulty_inbox *f = write_journal();
    struct receiving_reader d;
    struct receiving_record rec;
    struct transfer_message m;
    uint64_t number;
    enum transfer_reason reason;
    receiving_reader_init(&d, faulty_inbox(f), 0);
    assert_int_equal(receiving_reader_next(&d, &rec), 0);
    assert_true(receiving_record_begins(&rec, &id));
    assert_false(receiving_record_begins(&rec, &(struct random_id){{1, 2, 4}}));
    assert_int_equal(receiving_reader_next(&d, &rec), 0);
    assert_int_equal(receiving_record_message(&rec, &m), 0);
    assert_int_equal(m.number, 7);
    assert_int_equal(m.offset, TRANSFER_CHUNK_BYTES);
    assert_int_equal(m.length, 3);
    assert_memory_equal(m.sum, "0123456789abcdef", sizeof m.sum);
    assert_int_equal(receiving_reader_next(&d, &rec), 0);
    assert_int_equal(receiving_record_late(&rec, &number, &reason), 0);
    assert_int_equal(number, 9);
    assert_int_equal(reason, TRANSFER_SOURCE_GONE);
    assert_int_equal(receiving_reader_next(&d, &rec), 0);
    assert_int_equal(rec.type, RECEIVING_CHECKED);
    assert_int_equal(receiving_reader_next(&d, &rec), RECEIVING_JOURNAL_END);
    receiving_reader_fini(&d);
    faulty_inbox_free(f);
}

static int count_records(struct faulty_inbox *f)
{
    struct receiving_reader d;
    struct receiving_record rec;
    int n = 0;
    receiving_reader_init(&d, faulty_inbox(f), 0);
    while (receiving_reader_next(&d, &rec) == 0)
        n++;
    receiving_reader_fini(&d);
    return n;
}

static void test_torn_anywhere(void **state)
{
    struct faulty_inbox *f = write_journal();
    struct buffer *b = faulty_inbox_journal(f);
    int before = count_records(f);
    assert_int_equal(before, 4);
    while (buffer_len(b) > 0) {
        buffer_truncate(b, buffer_len(b) - 1);
        int now = count_records(f);
        assert_true(now == before || now == before - 1);
        before = now;
    }
    assert_int_equal(before, 0);
    faulty_inbox_free(f);
}

static void test_every_byte_is_guarded(void **state)
{
    struct faulty_inbox *f = write_journal();
    struct buffer *b = faulty_inbox_journal(f);
    for (size_t i = 0; i < buffer_len(b); i++) {
        b->data[b->start + i] ^= 1;
        assert_true(count_records(f) < 4);
        b->data[b->start + i] ^= 1;
    }
    faulty_inbox_free(f);
}

/* A record elsewhere than where it was written is none. */
static void test_offset_counts(void **state)
{
    struct faulty_inbox *f = write_journal();
    struct buffer *b = faulty_inbox_journal(f);
    struct bytes copy = unit_copy(buffer_view(b));
    assert_int_equal(buffer_append_bytes(b, copy), 0);
    assert_int_equal(count_records(f), 4);
    unit_free(copy);
    faulty_inbox_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_torn_anywhere),
        cmocka_unit_test(test_every_byte_is_guarded),
        cmocka_unit_test(test_offset_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
