/* Damaged folders: whatever was good once and is not any more is refused, told by name and
 * offset, and left as it is. */

#include "history.h"

#include "base/hash.h"
#include "base/number.h"
#include "store/embedded.h"
#include "store/segment.h"
#include "support/faulty_disk.h"
#include "unit/unit.h"

#include <stdio.h>

struct log {
    struct faulty_disk *disk;
    struct embedded *e;
    struct history history;
    uint64_t acked;
    char last_file[DISK_NAME_BYTES]; /* of the last record */
    uint64_t last_batch;             /* its offset there */
    uint64_t last_end;
};

static const struct embedded_config config = {.secret = 77,
                                              .segment_first_bytes = 512,
                                              .segment_bytes_max = 1024,
                                              .buffered_bytes_max = 65536};

static int open_disk(struct faulty_disk *disk, struct embedded **ret,
                     struct recovery_report *ret_report)
{
    return embedded_open(ret, &config, faulty_disk(disk), (struct walltime){1}, ret_report);
}

static int put_slot(void *ctx, struct store_slot *slots, size_t n)
{
    slots[0].verdict = STORE_PUT;
    return 0;
}

static void pump(struct log *l)
{
    struct instant deadline;
    do
        embedded_segment_step(l->e, (struct instant){1}, &deadline);
    while (embedded_log_step(l->e, (struct instant){1}, &deadline) == 0);
}

static uint64_t put_value(struct log *l, size_t key, struct bytes value)
{
    struct store_slot slot = {.key = history_key(key), .value = value};
    uint64_t lsn = 0;
    int r;
    while ((r = store_update(embedded_store(l->e), history_space(key), &slot, 1,
                             (struct walltime){1}, put_slot, NULL, &lsn)) == STORE_BUSY)
        pump(l);
    assert_int_equal(r, 0);
    return lsn;
}

static void put_version(struct log *l, uint64_t version)
{
    uint8_t room[HISTORY_VALUE_BYTES];
    struct history_mutation m = {.count = 1, .ops = {{version % HISTORY_KEYS, version}}};
    m.lsn = put_value(l, m.ops[0].key, history_value(version, room));
    history_add(&l->history, &m);
}

static struct segment_header header_of(struct faulty_disk *disk, const char *name)
{
    uint64_t bytes;
    struct segment_header h;
    uint8_t *data = faulty_disk_file(disk, name, &bytes);
    assert_int_equal(segment_header_read(bytes_make(data, bytes), &h), 0);
    return h;
}

static int find_last(void *ctx, const char *name)
{
    struct log *l = ctx;
    uint64_t id, bytes, at = SEGMENT_HEADER_BYTES, batch = 0;
    if (!segment_name_parse(name, &id) || strcmp(name, l->last_file) < 0)
        return 0;
    struct segment_header s = header_of(l->disk, name);
    const uint8_t *data = faulty_disk_file(l->disk, name, &bytes);
    struct record_header h;
    struct bytes payload;
    while (record_read(bytes_make(data + at, bytes - at), id, s.salt, &h, &payload) == 0) {
        snprintf(l->last_file, sizeof l->last_file, "%s", name);
        if (h.batch != batch)
            l->last_batch = at;
        batch = h.batch;
        at += record_bytes(h.payload_bytes);
        l->last_end = at;
    }
    return 0;
}

/* A log of n mutations in several segments, batches of one to three. */
static struct log make_log(size_t n, bool close)
{
    struct log l = {.disk = faulty_disk_new()};
    struct recovery_report report;
    assert_int_equal(open_disk(l.disk, &l.e, &report), 0);
    for (uint64_t version = 1; version <= n; version++) {
        put_version(&l, version);
        if (version % 3)
            pump(&l);
    }
    pump(&l);
    if (close) {
        embedded_close(l.e, (struct walltime){1});
        pump(&l);
        assert_int_equal(wal_state(embedded_wal(l.e)), WAL_CLOSED);
    }
    l.acked = store_durable(embedded_store(l.e));
    embedded_free(l.e);
    l.e = NULL;
    disk_list(faulty_disk(l.disk), find_last, &l);
    return l;
}

static void log_fini(struct log *l)
{
    embedded_free(l->e);
    history_fini(&l->history);
    faulty_disk_free(l->disk);
}

/* ---- single bytes */

enum place { BEFORE_LAST_BATCH, LAST_BATCH, BEHIND };

static enum place place_of(const struct log *l, const char *name, uint64_t at)
{
    int order = strcmp(name, l->last_file);
    if (order < 0 || (order == 0 && at < l->last_batch))
        return BEFORE_LAST_BATCH;
    if (order == 0 && at < l->last_end)
        return LAST_BATCH;
    return order > 0 && at < SEGMENT_HEADER_BYTES ? BEFORE_LAST_BATCH : BEHIND;
}

static void assert_refused(const struct log *l, struct faulty_disk *damaged, int r,
                           const struct recovery_report *report, const char *name, uint64_t at)
{
    assert_int_equal(r, RECOVERY_CORRUPT);
    assert_string_equal(report->file, name);
    assert_true(report->offset <= at);
    assert_non_null(report->problem);
    struct faulty_disk *same = faulty_disk_copy(l->disk);
    uint64_t bytes;
    faulty_disk_file(same, name, &bytes)[at] = faulty_disk_file(damaged, name, &bytes)[at];
    assert_true(faulty_disk_equal(same, damaged));
    faulty_disk_free(same);
}

static void assert_whole(const struct log *l, struct embedded *e, uint64_t at_least)
{
    uint64_t last = wal_last_lsn(embedded_wal(e)) - 1;
    assert_true(last >= at_least);
    assert_null(history_compare(&l->history, last, embedded_store(e)));
}

static void try_byte(const struct log *l, bool closed, const char *name, uint64_t at,
                     uint8_t flip)
{
    struct faulty_disk *damaged = faulty_disk_copy(l->disk);
    uint64_t bytes;
    faulty_disk_file(damaged, name, &bytes)[at] ^= flip;
    struct embedded *e = NULL;
    struct recovery_report report;
    int r = open_disk(damaged, &e, &report);
    enum place place = place_of(l, name, at);
    if (r != 0 || place == BEFORE_LAST_BATCH)
        assert_refused(l, damaged, r, &report, name, at);
    else if (place == BEHIND)
        assert_whole(l, e, l->acked);
    else if (closed)
        assert_whole(l, e, l->acked - 1); /* the close record is all there is to lose */
    else
        assert_whole(l, e, 1);
    embedded_free(e);
    faulty_disk_free(damaged);
}

struct flips {
    const struct log *log;
    bool closed;
    uint64_t step;
    size_t tried;
};

static int flip_file(void *ctx, const char *name)
{
    struct flips *f = ctx;
    uint64_t bytes, seed = 5;
    faulty_disk_file(f->log->disk, name, &bytes);
    for (uint64_t at = faulty_random(&seed) % f->step; at < bytes; at += f->step) {
        try_byte(f->log, f->closed, name, at, (uint8_t)(1u << faulty_random(&seed) % 8));
        f->tried++;
    }
    return 0;
}

static void flip_bytes(size_t mutations, bool close, uint64_t step, size_t at_least)
{
    struct log l = make_log(mutations, close);
    struct flips f = {.log = &l, .closed = close, .step = step};
    disk_list(faulty_disk(l.disk), flip_file, &f);
    assert_true(f.tried > at_least);
    log_fini(&l);
}

static void test_every_byte_of_an_open_log(void **state)
{
    flip_bytes(22, false, 1, 2000);
}

static void test_every_byte_of_a_closed_log(void **state)
{
    flip_bytes(22, true, 1, 2000);
}

static void test_bytes_of_larger_logs(void **state)
{
    flip_bytes(400, false, 37, 1000);
    flip_bytes(400, true, 41, 1000);
}

/* ---- files */

static void assert_refuses(struct faulty_disk *disk, int how, const char *file)
{
    struct faulty_disk *before = faulty_disk_copy(disk);
    struct embedded *e;
    struct recovery_report report;
    assert_int_equal(open_disk(disk, &e, &report), how);
    if (file)
        assert_string_equal(report.file, file);
    assert_non_null(report.problem);
    assert_true(faulty_disk_equal(before, disk));
    faulty_disk_free(before);
}

/* A segment too small for the record that was next holds nothing that could be missed. */
static bool is_passed_over(struct faulty_disk *disk, const char *name)
{
    uint64_t bytes;
    const uint8_t *data = faulty_disk_file(disk, name, &bytes);
    return number_get_u64(data + SEGMENT_HEADER_BYTES) == 0;
}

static void test_a_missing_segment(void **state)
{
    struct log l = make_log(60, false);
    uint64_t last;
    assert_true(segment_name_parse(l.last_file, &last));
    assert_true(last > 3);
    for (uint64_t id = 1; id < last; id++) {
        char name[DISK_NAME_BYTES];
        segment_name(name, id);
        if (is_passed_over(l.disk, name))
            continue;
        struct faulty_disk *copy = faulty_disk_copy(l.disk);
        assert_int_equal(disk_remove(faulty_disk(copy), name), 0);
        assert_refuses(copy, RECOVERY_CORRUPT, NULL);
        faulty_disk_free(copy);
    }
    log_fini(&l);
}

static void test_a_segment_under_another_name(void **state)
{
    struct log l = make_log(60, false);
    uint64_t bytes;
    uint8_t *data = faulty_disk_file(l.disk, "log-0000000000000002", &bytes);
    faulty_disk_put(l.disk, "log-00000000000000ff", data, bytes);
    assert_refuses(l.disk, RECOVERY_CORRUPT, "log-00000000000000ff");
    log_fini(&l);
}

static void test_a_file_that_is_no_segment(void **state)
{
    struct log l = make_log(20, false);
    faulty_disk_put(l.disk, "log-00000000000000ff", "hello", 5);
    assert_refuses(l.disk, RECOVERY_CORRUPT, "log-00000000000000ff");
    log_fini(&l);
}

static void test_other_files_do_not_matter(void **state)
{
    struct log l = make_log(20, false);
    faulty_disk_put(l.disk, "log-old", "hello", 5);
    faulty_disk_put(l.disk, "lock", "", 0);
    faulty_disk_put(l.disk, "LOG-00000000000000FF", "hello", 5);
    struct recovery_report report;
    assert_int_equal(open_disk(l.disk, &l.e, &report), 0);
    assert_whole(&l, l.e, l.acked);
    uint64_t bytes;
    assert_non_null(faulty_disk_file(l.disk, "log-old", &bytes));
    log_fini(&l);
}

static void test_a_shortened_file(void **state)
{
    struct log l = make_log(20, true);
    uint64_t bytes;
    uint8_t *data = faulty_disk_file(l.disk, l.last_file, &bytes);
    struct bytes copy = unit_copy(bytes_make(data, bytes - 8));
    faulty_disk_put(l.disk, l.last_file, copy.data, copy.len);
    unit_free(copy);
    assert_refuses(l.disk, RECOVERY_CORRUPT, l.last_file);
    log_fini(&l);
}

static void test_a_newer_version(void **state)
{
    struct log l = make_log(20, true);
    uint64_t bytes;
    uint8_t *data = faulty_disk_file(l.disk, l.last_file, &bytes);
    number_put_u32(data + 8, SEGMENT_VERSION + 1);
    assert_refuses(l.disk, RECOVERY_CORRUPT, l.last_file); /* the checksum is the old one */
    number_put_u64(data + 56, hash_bytes(bytes_make(data, 56), 0));
    assert_refuses(l.disk, RECOVERY_NEWER, l.last_file);
    log_fini(&l);
}

/* A crash between naming the new segment and removing the old one leaves both. */
static void test_a_replaced_segment_left_behind(void **state)
{
    struct log l = make_log(20, false);
    uint64_t bytes;
    struct bytes old = unit_copy(bytes_make(faulty_disk_file(l.disk, l.last_file, &bytes),
                                            header_of(l.disk, l.last_file).bytes));
    struct recovery_report report;
    for (int again = 0; again < 3; again++) {
        assert_int_equal(open_disk(l.disk, &l.e, &report), 0);
        assert_whole(&l, l.e, l.acked);
        embedded_free(l.e);
        l.e = NULL;
        assert_null(faulty_disk_file(l.disk, l.last_file, &bytes));
        faulty_disk_put(l.disk, l.last_file, old.data, old.len);
    }
    unit_free(old);
    log_fini(&l);
}

/* ---- values that look like records */

/* A value full of records of a later batch, as whoever knew this salt would make them, at
 * multiples of 8 where it stands behind a key of one byte. */
static void forge(uint8_t *room, size_t n, uint64_t segment, uint64_t salt)
{
    enum { BEFORE = RECORD_HEADER_BYTES + 1 + 1 + 2 + 1 }; /* head, lengths, key */
    size_t at = (8 - BEFORE % 8) % 8, each = record_bytes(RECORD_MARK_BYTES);
    memset(room, 0, n);
    while (at + each <= n) {
        struct record_op op = {.kind = RECORD_OPEN};
        struct record_header h = {
            .payload_bytes = RECORD_MARK_BYTES, .lsn = 1000, .batch = 1000, .segment = segment};
        record_op_write(room + at + RECORD_HEADER_BYTES, &op);
        record_seal(room + at, &h, salt);
        at += each;
    }
}

/* Recovers a log whose last record, with a forged value, is torn at its first byte. */
static int recover_forged(bool knows_salt)
{
    struct log l = make_log(5, false);
    struct recovery_report report;
    assert_int_equal(open_disk(l.disk, &l.e, &report), 0);
    embedded_free(l.e);
    l.last_file[0] = 0;
    disk_list(faulty_disk(l.disk), find_last, &l);
    struct segment_header s = header_of(l.disk, l.last_file);
    uint64_t bytes;
    uint8_t *data = faulty_disk_file(l.disk, l.last_file, &bytes);
    uint8_t value[256], key = 'k';
    forge(value, sizeof value, s.id, knows_salt ? s.salt : s.salt + 1);
    struct record_op op = {.kind = RECORD_PUT,
                           .key = bytes_make(&key, 1),
                           .value = bytes_make(value, sizeof value)};
    struct record_header h = {.payload_bytes = (uint32_t)record_op_bytes(&op),
                              .lsn = l.acked + 2,
                              .batch = l.acked + 2,
                              .segment = s.id};
    assert_true(l.last_end + record_bytes(h.payload_bytes) <= bytes);
    record_op_write(data + l.last_end + RECORD_HEADER_BYTES, &op);
    record_op_begin(data + l.last_end + RECORD_HEADER_BYTES);
    record_seal(data + l.last_end, &h, s.salt);
    data[l.last_end + RECORD_HEADER_BYTES + 3] ^= 1;
    int r = open_disk(l.disk, &l.e, &report);
    if (r == 0) {
        assert_true(report.cut);
        assert_string_equal(report.file, l.last_file);
        assert_int_equal(report.offset, l.last_end);
        assert_null(history_compare(&l.history, UINT64_MAX, embedded_store(l.e)));
    } else {
        l.e = NULL;
    }
    log_fini(&l);
    return r;
}

static void test_values_that_look_like_records(void **state)
{
    assert_int_equal(recover_forged(false), 0);
    /* That the search would have found them: with the salt it does. */
    assert_int_equal(recover_forged(true), RECOVERY_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_of_an_open_log),
        cmocka_unit_test(test_every_byte_of_a_closed_log),
        cmocka_unit_test(test_bytes_of_larger_logs),
        cmocka_unit_test(test_a_missing_segment),
        cmocka_unit_test(test_a_segment_under_another_name),
        cmocka_unit_test(test_a_file_that_is_no_segment),
        cmocka_unit_test(test_other_files_do_not_matter),
        cmocka_unit_test(test_a_shortened_file),
        cmocka_unit_test(test_a_newer_version),
        cmocka_unit_test(test_a_replaced_segment_left_behind),
        cmocka_unit_test(test_values_that_look_like_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
