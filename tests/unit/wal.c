#include "store/wal.h"

#include "base/limits.h"
#include "store/record.h"
#include "store/segment.h"

#include "unit.h"

#include <errno.h>

enum { SEGMENT_BYTES = 1024, PAYLOAD = 80, RECORD = 128, CLOSE = 56 };

static const struct instant at_start = {1};

static struct wal *make(uint64_t sync_every_ms)
{
    struct wal_config config = {.secret = 1,
                                .sync_every_ms = sync_every_ms,
                                .segment_first_bytes = SEGMENT_BYTES,
                                .segment_bytes_max = 4 * SEGMENT_BYTES,
                                .buffered_bytes_max = 4096};
    struct wal_position at = {.next_lsn = 10,
                              .segment = 3,
                              .salt = 4,
                              .offset = SEGMENT_HEADER_BYTES,
                              .bytes = SEGMENT_BYTES,
                              .time = {500}};
    struct wal *w;
    assert_int_equal(wal_new(&w, &config, &at), 0);
    return w;
}

static int append(struct wal *w, size_t payload_bytes, bool urgent)
{
    uint8_t *to;
    uint64_t lsn;
    int r = wal_begin(w, payload_bytes, (struct walltime){1000}, urgent, &to, &lsn);
    if (r != 0)
        return r;
    memset(to, 0xab, payload_bytes);
    wal_end(w);
    assert_int_equal(lsn, wal_last_lsn(w));
    return 0;
}

static struct wal_chunk take(struct wal *w, struct instant now)
{
    struct wal_chunk chunk;
    struct instant deadline;
    assert_int_equal(wal_take(w, now, &chunk, &deadline), 0);
    return chunk;
}

static void assert_idle(struct wal *w, struct instant now, uint64_t deadline_ns)
{
    struct wal_chunk chunk;
    struct instant deadline;
    assert_int_equal(wal_take(w, now, &chunk, &deadline), WAL_IDLE);
    assert_int_equal(deadline.ns, deadline_ns);
}

static void prepare(struct wal *w, int error, struct instant now, uint64_t bytes)
{
    struct wal_segment s;
    assert_true(wal_wants_segment(w, now, &s));
    assert_int_equal(s.bytes, bytes);
    wal_prepared(w, &s, error, now);
}

static void assert_record(struct bytes data, uint64_t segment, uint64_t salt, uint64_t lsn,
                          uint64_t batch)
{
    struct record_header h;
    struct bytes payload;
    assert_int_equal(record_read(data, segment, salt, &h, &payload), 0);
    assert_int_equal(h.lsn, lsn);
    assert_int_equal(h.batch, batch);
    assert_int_equal(h.time.ms, 1000);
}

static void test_a_batch_gathers_while_another_is_written(void **state)
{
    struct wal *w = make(0);
    assert_false(wal_wants_writer(w));
    append(w, PAYLOAD, false);
    assert_true(wal_wants_writer(w));
    struct wal_chunk first = take(w, at_start);
    assert_int_equal(first.segment, 3);
    assert_int_equal(first.offset, SEGMENT_HEADER_BYTES);
    assert_int_equal(first.data.len, RECORD);
    assert_true(first.sync);
    assert_record(first.data, 3, 4, 10, 10);
    append(w, PAYLOAD, false);
    append(w, PAYLOAD, false);
    assert_false(wal_wants_writer(w));
    assert_record(first.data, 3, 4, 10, 10);
    assert_int_equal(wal_durable(w), 9);
    wal_done(w, &first, 0, at_start);
    assert_int_equal(wal_durable(w), 10);
    assert_true(wal_wants_writer(w));
    struct wal_chunk second = take(w, at_start);
    assert_int_equal(second.offset, SEGMENT_HEADER_BYTES + RECORD);
    assert_int_equal(second.data.len, RECORD + PAYLOAD); /* both are one record */
    assert_record(second.data, 3, 4, 11, 11);
    wal_done(w, &second, 0, at_start);
    assert_int_equal(wal_durable(w), 12);
    assert_idle(w, at_start, INSTANT_NEVER.ns);
    wal_free(w);
    wal_free(NULL);
}

static void test_time_never_goes_back(void **state)
{
    struct wal *w = make(0);
    uint8_t *to;
    uint64_t lsn;
    assert_int_equal(wal_time(w).ms, 500);
    append(w, PAYLOAD, false);
    assert_int_equal(wal_begin(w, PAYLOAD, (struct walltime){1}, false, &to, &lsn), 0);
    wal_end(w);
    assert_int_equal(wal_time(w).ms, 1000);
    struct wal_chunk chunk = take(w, at_start);
    assert_record(chunk.data, 3, 4, 10, 10);
    wal_done(w, &chunk, 0, at_start);
    wal_free(w);
}

static void test_a_second_gathers_writes_and_syncs(void **state)
{
    struct wal *w = make(1000);
    append(w, PAYLOAD, false);
    assert_true(wal_wants_writer(w)); /* so that the sync is timed */
    assert_idle(w, at_start, at_start.ns + 1000000000);
    assert_false(wal_wants_writer(w));
    for (int i = 0; i < 8; i++)
        assert_int_equal(append(w, PAYLOAD + 32, false) == 0, i < 6); /* then it is full */
    assert_false(wal_wants_writer(w));
    struct wal_chunk chunk = take(w, instant_after_ms(at_start, 1000));
    assert_true(chunk.sync);
    wal_done(w, &chunk, 0, at_start);
    assert_int_equal(wal_durable(w), 16);
    wal_free(w);
}

/* Chunks between two syncs are one batch; the second sync has nothing more to write. */
static void test_unsynced_chunks_share_a_batch(void **state)
{
    struct wal_config config = {.secret = 1,
                                .sync_every_ms = 1000,
                                .segment_first_bytes = 8192,
                                .segment_bytes_max = 8192,
                                .buffered_bytes_max = 512};
    struct wal_position at = {
        .next_lsn = 1, .segment = 1, .salt = 4, .offset = 64, .bytes = 8192};
    struct wal *w;
    assert_int_equal(wal_new(&w, &config, &at), 0);
    for (uint64_t lsn = 1; lsn <= 2; lsn++) {
        append(w, PAYLOAD, false);
        assert_true(wal_wants_writer(w));
        struct wal_chunk chunk = take(w, at_start);
        assert_false(chunk.sync);
        assert_record(chunk.data, 1, 4, lsn, 1);
        wal_done(w, &chunk, 0, at_start);
        assert_int_equal(wal_durable(w), 0);
    }
    struct wal_chunk chunk = take(w, instant_after_ms(at_start, 1000));
    assert_true(chunk.sync);
    assert_int_equal(chunk.data.len, 0);
    assert_int_equal(chunk.segment, 1);
    wal_done(w, &chunk, 0, at_start);
    assert_int_equal(wal_durable(w), 2);
    append(w, PAYLOAD, true);
    assert_true(wal_wants_writer(w));
    chunk = take(w, at_start);
    assert_true(chunk.sync);
    assert_record(chunk.data, 1, 4, 3, 3);
    wal_done(w, &chunk, 0, at_start);
    assert_int_equal(wal_durable(w), 3);
    wal_free(w);
}

static void test_who_waits_for_room_waits_for_no_sync(void **state)
{
    struct wal *w = make(1000);
    prepare(w, 0, at_start, 2 * SEGMENT_BYTES);
    append(w, 8, false);
    assert_idle(w, at_start, at_start.ns + 1000000000);
    assert_false(wal_wants_writer(w));
    assert_int_equal(append(w, 4096, false), WAL_BUSY);
    assert_true(wal_wants_writer(w));
    struct wal_chunk chunk = take(w, at_start);
    assert_false(chunk.sync);
    assert_false(wal_wants_writer(w));
    wal_done(w, &chunk, 0, at_start);
    assert_int_equal(wal_buffered(w), 0);
    append(w, 8, false);
    assert_idle(w, at_start, at_start.ns + 1000000000);
    wal_free(w);
}

static int fill(struct wal *w)
{
    int r;
    while ((r = append(w, PAYLOAD, false)) == 0)
        ;
    return r;
}

static void drain(struct wal *w)
{
    struct wal_chunk chunk;
    struct instant deadline;
    while (wal_take(w, at_start, &chunk, &deadline) == 0)
        wal_done(w, &chunk, 0, at_start);
}

static void test_segments_follow_one_another_and_double(void **state)
{
    struct wal *w = make(0);
    assert_int_equal(fill(w), WAL_BUSY);
    assert_int_equal(wal_last_lsn(w),
                     9 + (SEGMENT_BYTES - SEGMENT_HEADER_BYTES - CLOSE - RECORD_HEADER_BYTES) /
                             PAYLOAD);
    prepare(w, 0, at_start, 2 * SEGMENT_BYTES);
    assert_int_equal(append(w, PAYLOAD, false), 0);
    struct wal_segment s;
    assert_true(wal_wants_segment(w, at_start, &s));
    assert_false(wal_wants_segment(w, at_start, &s)); /* once for each */
    assert_int_equal(s.bytes, 4 * SEGMENT_BYTES);
    assert_int_equal(s.id, 5);
    struct wal_chunk old = take(w, at_start);
    assert_int_equal(old.segment, 3);
    wal_done(w, &old, 0, at_start);
    struct wal_chunk new = take(w, at_start);
    assert_int_equal(new.segment, 4);
    assert_int_equal(new.offset, SEGMENT_HEADER_BYTES);
    wal_done(w, &new, 0, at_start);
    wal_prepared(w, &s, 0, at_start);
    drain(w);
    wal_free(w);
}

static void test_a_full_disk_is_read_only_until_there_is_room(void **state)
{
    struct wal *w = make(0);
    struct wal_segment s;
    assert_int_equal(wal_trouble(w).error, 0);
    prepare(w, -ENOSPC, at_start, 2 * SEGMENT_BYTES);
    assert_false(wal_is_read_only(w)); /* there is room in this one yet */
    assert_int_equal(wal_trouble(w).error, -ENOSPC);
    assert_int_equal(wal_trouble(w).bytes, 2 * SEGMENT_BYTES);
    assert_int_equal(fill(w), WAL_READ_ONLY);
    assert_true(wal_is_read_only(w));
    assert_false(wal_wants_segment(w, at_start, &s));
    struct instant retry = instant_after_ms(at_start, LIMIT_SEGMENT_RETRY_MS);
    assert_int_equal(wal_segment_deadline(w).ns, retry.ns);
    prepare(w, -ENOSPC, retry, SEGMENT_BYTES);
    assert_int_equal(fill(w), WAL_READ_ONLY);
    prepare(w, 0, instant_after_ms(retry, LIMIT_SEGMENT_RETRY_MS), SEGMENT_BYTES);
    assert_false(wal_is_read_only(w));
    assert_int_equal(wal_trouble(w).error, 0);
    assert_int_equal(append(w, PAYLOAD, false), 0);
    wal_free(w);
}

/* Another reason than want of room is told apart from it, and no smaller segment is tried. */
static void test_what_is_no_full_disk_is_not_told_as_one(void **state)
{
    static const int errors[] = {-EIO, -EACCES, -EMFILE, -EROFS};
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        struct wal *w = make(0);
        prepare(w, errors[i], at_start, 2 * SEGMENT_BYTES);
        assert_int_equal(fill(w), WAL_STUCK);
        assert_false(wal_is_read_only(w));
        struct instant later = instant_after_ms(at_start, LIMIT_SEGMENT_RETRY_MS);
        prepare(w, -EDQUOT, later, 2 * SEGMENT_BYTES); /* want of room, too */
        assert_int_equal(fill(w), WAL_READ_ONLY);
        assert_true(wal_is_read_only(w));
        later = instant_after_ms(later, LIMIT_SEGMENT_RETRY_MS);
        prepare(w, errors[i], later, SEGMENT_BYTES);
        assert_int_equal(fill(w), WAL_STUCK);
        assert_false(wal_is_read_only(w));
        prepare(w, 0, instant_after_ms(later, LIMIT_SEGMENT_RETRY_MS), SEGMENT_BYTES);
        assert_int_equal(append(w, PAYLOAD, false), 0);
        wal_free(w);
    }
}

static void test_a_close_has_its_room_in_a_full_segment(void **state)
{
    struct wal *w = make(0);
    prepare(w, -ENOSPC, at_start, 2 * SEGMENT_BYTES);
    assert_int_equal(fill(w), WAL_READ_ONLY);
    wal_close(w, (struct walltime){1000});
    assert_int_equal(append(w, PAYLOAD, false), -EIO);
    struct wal_chunk records = take(w, at_start);
    wal_done(w, &records, 0, at_start);
    assert_int_equal(wal_state(w), WAL_CLOSING);
    struct wal_chunk mark = take(w, at_start);
    assert_int_equal(mark.data.len, CLOSE);
    assert_true(mark.sync);
    assert_true(mark.offset + mark.data.len <= SEGMENT_BYTES);
    assert_record(mark.data, 3, 4, records.last_lsn + 1, records.last_lsn + 1);
    wal_done(w, &mark, 0, at_start);
    assert_int_equal(wal_state(w), WAL_CLOSED);
    assert_false(wal_wants_writer(w));
    assert_idle(w, at_start, INSTANT_NEVER.ns);
    wal_free(w);
}

static void test_a_large_record_gets_a_segment_that_fits(void **state)
{
    struct wal *w = make(0);
    prepare(w, 0, at_start, 2 * SEGMENT_BYTES);
    assert_int_equal(append(w, 20000, false), WAL_BUSY);
    struct wal_segment s;
    assert_true(wal_wants_segment(w, at_start, &s));
    assert_true(s.bytes >= 20000 + RECORD_HEADER_BYTES + SEGMENT_HEADER_BYTES + CLOSE);
    /* Others go on meanwhile, in what there was. */
    assert_int_equal(append(w, PAYLOAD, false), 0);
    drain(w);
    wal_prepared(w, &s, 0, at_start);
    assert_int_equal(append(w, 20000, false), 0); /* past the ceiling, but alone */
    assert_int_equal(append(w, PAYLOAD, false), WAL_BUSY);
    struct wal_chunk chunk;
    do {
        chunk = take(w, at_start);
        wal_done(w, &chunk, 0, at_start);
    } while (chunk.segment != s.id);
    assert_int_equal(append(w, PAYLOAD, false), 0);
    wal_free(w);
}

/* There is a next segment; what the disk has no room for is one that fits a large record. */
static void test_no_room_for_a_large_record_is_soon_forgotten(void **state)
{
    struct wal *w = make(0);
    struct wal_segment s;
    prepare(w, 0, at_start, 2 * SEGMENT_BYTES);
    assert_int_equal(append(w, 20000, false), WAL_BUSY);
    assert_true(wal_wants_segment(w, at_start, &s));
    wal_prepared(w, &s, -ENOSPC, at_start);
    assert_int_equal(append(w, 20000, false), WAL_READ_ONLY);
    assert_int_equal(append(w, PAYLOAD, false), 0);
    drain(w);
    assert_false(wal_wants_segment(w, at_start, &s));
    /* Tried once more for who asked meanwhile, then no more until somebody asks. */
    struct instant later = instant_after_ms(at_start, LIMIT_SEGMENT_RETRY_MS);
    assert_int_equal(wal_segment_deadline(w).ns, later.ns);
    assert_true(wal_wants_segment(w, later, &s));
    wal_prepared(w, &s, -ENOSPC, later);
    later = instant_after_ms(later, LIMIT_SEGMENT_RETRY_MS);
    assert_int_equal(wal_segment_deadline(w).ns, later.ns);
    assert_false(wal_wants_segment(w, later, &s));
    assert_int_equal(wal_segment_deadline(w).ns, INSTANT_NEVER.ns);
    assert_int_equal(append(w, 20000, false), WAL_BUSY);
    assert_true(wal_wants_segment(w, later, &s));
    wal_prepared(w, &s, 0, later);
    assert_int_equal(append(w, 20000, false), 0);
    wal_free(w);
}

/* What failed is a segment for a large record alone: others have theirs, at once. */
static void test_no_room_for_a_large_record_is_room_for_others(void **state)
{
    for (int with_next = 0; with_next < 2; with_next++) {
        struct wal *w = make(0);
        struct wal_segment s;
        if (with_next)
            prepare(w, 0, at_start, 2 * SEGMENT_BYTES);
        assert_int_equal(append(w, 20000, false), WAL_BUSY);
        assert_true(wal_wants_segment(w, at_start, &s));
        assert_true(s.bytes > 20000);
        wal_prepared(w, &s, -ENOSPC, at_start);
        assert_int_equal(append(w, 20000, false), WAL_READ_ONLY);
        assert_int_equal(fill(w), WAL_BUSY);
        assert_int_equal(wal_segment_deadline(w).ns, 0);
        prepare(w, 0, at_start, (with_next ? 4 : 2) * SEGMENT_BYTES);
        assert_int_equal(append(w, PAYLOAD, false), 0);
        /* And who is large is tried again when it is time, for there may be room now. */
        struct instant later = instant_after_ms(at_start, LIMIT_SEGMENT_RETRY_MS);
        while (wal_wants_segment(w, later, &s))
            wal_prepared(w, &s, 0, later);
        drain(w);
        assert_int_equal(append(w, 20000, false), 0);
        wal_free(w);
    }
}

static void test_limits(void **state)
{
    struct wal *w = make(0);
    assert_int_equal(append(w, LIMIT_RECORD_BYTES + 1, false), WAL_TOO_LARGE);
    assert_int_equal(wal_last_lsn(w), 9);
    wal_free(w);
}

static void test_a_failure_is_final(void **state)
{
    struct wal *w = make(0);
    append(w, PAYLOAD, false);
    struct wal_chunk chunk = take(w, at_start);
    append(w, PAYLOAD, false);
    wal_done(w, &chunk, -EIO, at_start);
    assert_int_equal(wal_state(w), WAL_FAILED);
    assert_int_equal(wal_error(w), -EIO);
    assert_int_equal(wal_durable(w), 9);
    assert_int_equal(append(w, PAYLOAD, false), -EIO);
    assert_false(wal_wants_writer(w));
    assert_idle(w, at_start, INSTANT_NEVER.ns);
    wal_close(w, (struct walltime){1});
    assert_int_equal(wal_state(w), WAL_FAILED);
    wal_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_batch_gathers_while_another_is_written),
        cmocka_unit_test(test_time_never_goes_back),
        cmocka_unit_test(test_a_second_gathers_writes_and_syncs),
        cmocka_unit_test(test_unsynced_chunks_share_a_batch),
        cmocka_unit_test(test_who_waits_for_room_waits_for_no_sync),
        cmocka_unit_test(test_segments_follow_one_another_and_double),
        cmocka_unit_test(test_a_full_disk_is_read_only_until_there_is_room),
        cmocka_unit_test(test_what_is_no_full_disk_is_not_told_as_one),
        cmocka_unit_test(test_a_close_has_its_room_in_a_full_segment),
        cmocka_unit_test(test_a_large_record_gets_a_segment_that_fits),
        cmocka_unit_test(test_no_room_for_a_large_record_is_soon_forgotten),
        cmocka_unit_test(test_no_room_for_a_large_record_is_room_for_others),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_a_failure_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
