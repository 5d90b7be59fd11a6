#include "store/recovery.h"

#include "store/segment.h"

#include "support/faulty_disk.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

static const struct wal_config config = {
    .secret = 9, .segment_first_bytes = 1024, .segment_bytes_max = 4096};

/* What was applied: "a=1 a= " and so on. */
struct applied {
    char text[512];
    size_t len;
    int result; /* of the next application */
};

static int apply(void *ctx, const struct record_op *op, uint64_t lsn)
{
    struct applied *a = ctx;
    a->len += (size_t)snprintf(a->text + a->len, sizeof a->text - a->len, "%.*s=%.*s ",
                               (int)op->key.len, (const char *)op->key.data, (int)op->value.len,
                               op->value.len ? (const char *)op->value.data : "");
    return a->result;
}

struct result {
    int r;
    struct applied applied;
    struct wal_position at;
    struct recovery_report report;
};

static struct result recover(struct faulty_disk *f, int64_t now)
{
    struct result got = {0};
    const struct recovery_sink sink = {.apply = apply, .ctx = &got.applied};
    got.r = recovery_run(faulty_disk(f), &config, (struct walltime){now}, &sink, &got.at,
                         &got.report);
    extents_fini(&got.at.extents);
    return got;
}

/* A segment made of records, written as a table. */
struct draft {
    uint64_t lsn, batch;
    enum record_kind kind;
    const char *key, *value;
    int damage; /* 1: a bit of its payload is wrong */
};

static void put_segment(struct faulty_disk *f, uint64_t id, uint64_t replaces,
                        const struct draft *drafts, size_t n)
{
    uint8_t data[1024] = {0};
    struct segment_header h = {.id = id, .salt = id * 7, .replaces = replaces, .bytes = 1024};
    segment_header_write(data, &h);
    uint8_t *at = data + SEGMENT_HEADER_BYTES;
    for (size_t i = 0; i < n; i++) {
        const struct draft *d = &drafts[i];
        struct record_op op = {.kind = d->kind,
                               .key = bytes_from_str(d->key ? d->key : ""),
                               .value = bytes_from_str(d->value ? d->value : "")};
        struct record_header r = {(uint32_t)record_op_bytes(&op), d->lsn, d->batch, id, {100}};
        record_op_write(at + RECORD_HEADER_BYTES, &op);
        record_op_begin(at + RECORD_HEADER_BYTES);
        record_seal(at, &r, h.salt);
        at[RECORD_HEADER_BYTES] ^= (uint8_t)d->damage;
        at += record_bytes(r.payload_bytes);
    }
    char name[DISK_NAME_BYTES];
    segment_name(name, id);
    faulty_disk_put(f, name, data, sizeof data);
}

#define DRAFT(lsn, batch, kind, key, value, damage)   \
    {                                                 \
        lsn, batch, RECORD_##kind, key, value, damage \
    }
#define OPEN(lsn, batch) DRAFT(lsn, batch, OPEN, NULL, NULL, 0)
#define TORN_OPEN(lsn, batch) DRAFT(lsn, batch, OPEN, NULL, NULL, 1)
#define CLOSE(lsn, batch) DRAFT(lsn, batch, CLOSE, NULL, NULL, 0)
#define PUT(lsn, batch, key, value) DRAFT(lsn, batch, PUT, key, value, 0)
#define TORN_PUT(lsn, batch, key, value) DRAFT(lsn, batch, PUT, key, value, 1)
#define REMOVE(lsn, batch, key) DRAFT(lsn, batch, REMOVE, key, NULL, 0)

#define SEGMENT(f, id, replaces, ...)                                 \
    put_segment(f, id, replaces, (const struct draft[]){__VA_ARGS__}, \
                COUNT_OF(((const struct draft[]){__VA_ARGS__})))

static void test_an_empty_folder_is_a_new_log(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    struct result got = recover(f, 50);
    assert_int_equal(got.r, 0);
    assert_int_equal(got.at.next_lsn, 2);
    assert_int_equal(got.at.segment, 1);
    assert_int_equal(got.at.time.ms, 50);
    assert_int_equal(got.report.changes, 0);
    assert_null(got.report.problem);
    assert_false(got.report.cut || got.report.closed);
    got = recover(f, 40); /* the clock went back, the log's time does not */
    assert_int_equal(got.at.next_lsn, 3);
    assert_int_equal(got.at.segment, 2);
    assert_int_equal(got.at.time.ms, 50);
    assert_int_equal(got.report.changes, 0); /* marks are none */
    faulty_disk_free(f);
}

static void test_the_end_of_the_log(void **state)
{
    enum { CUT = 1, CLOSED = 2 };
    static const struct {
        struct draft drafts[5];
        size_t n;
        int want, flags;
        const char *applied;
        uint64_t next_lsn;
    } cases[] = {
        {{OPEN(1, 1), PUT(2, 2, "a", "1")}, 2, 0, 0, "a=1 ", 4},
        /* torn in its last batch: after the first bad one all is dropped */
        {{OPEN(1, 1), TORN_PUT(2, 2, "a", "1")}, 2, 0, CUT, "", 3},
        {{OPEN(1, 1), TORN_PUT(2, 2, "a", "1"), PUT(3, 2, "b", "2")}, 3, 0, CUT, "", 3},
        {{OPEN(1, 1), PUT(2, 2, "a", "1"), TORN_PUT(3, 2, "b", "2")}, 3, 0, CUT, "a=1 ", 4},
        /* a later batch proves that this one was synced */
        {{OPEN(1, 1), TORN_PUT(2, 2, "a", "1"), PUT(3, 3, "b", "2")},
         3,
         RECOVERY_CORRUPT,
         0,
         "",
         0},
        {{OPEN(1, 1), TORN_PUT(2, 1, "a", "1"), PUT(3, 1, "b", "2"), REMOVE(4, 4, "b")},
         4,
         RECOVERY_CORRUPT,
         0,
         "",
         0},
        /* gaps, batches out of nowhere, marks in the wrong place */
        {{OPEN(1, 1), PUT(3, 3, "a", "1")}, 2, RECOVERY_CORRUPT, 0, "", 0},
        {{OPEN(1, 1), OPEN(2, 2), PUT(3, 1, "a", "1")}, 3, RECOVERY_CORRUPT, 0, "", 0},
        {{OPEN(2, 2)}, 1, RECOVERY_CORRUPT, 0, "", 0},
        {{TORN_OPEN(1, 1)}, 1, RECOVERY_CORRUPT, 0, "", 0},
        /* closes */
        {{OPEN(1, 1), CLOSE(2, 2)}, 2, 0, CLOSED, "", 4},
        {{OPEN(1, 1), CLOSE(2, 2), OPEN(3, 3)}, 3, 0, 0, "", 5},
        {{OPEN(1, 1), CLOSE(2, 2), PUT(3, 3, "a", "1")}, 3, RECOVERY_CORRUPT, 0, "", 0},
        {{OPEN(1, 1), CLOSE(2, 2), TORN_PUT(3, 3, "a", "1")}, 3, RECOVERY_CORRUPT, 0, "", 0},
        {{OPEN(1, 1), TORN_PUT(2, 2, "a", "1"), CLOSE(3, 3)}, 3, RECOVERY_CORRUPT, 0, "", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct faulty_disk *f = faulty_disk_new();
        put_segment(f, 1, 0, cases[i].drafts, cases[i].n);
        struct faulty_disk *before = faulty_disk_copy(f);
        struct result got = recover(f, 1);
        assert_int_equal(got.r, cases[i].want);
        if (got.r == 0) {
            assert_string_equal(got.applied.text, cases[i].applied);
            assert_int_equal(got.at.next_lsn, cases[i].next_lsn);
            assert_int_equal(got.report.cut, (cases[i].flags & CUT) != 0);
            assert_int_equal(got.report.closed, (cases[i].flags & CLOSED) != 0);
        } else {
            assert_string_equal(got.report.file, "log-0000000000000001");
            assert_non_null(got.report.problem);
            assert_true(faulty_disk_equal(before, f));
        }
        faulty_disk_free(before);
        faulty_disk_free(f);
    }
}

static void test_a_first_record_that_is_damaged_is_not_missing(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    SEGMENT(f, 1, 0, TORN_OPEN(1, 1), PUT(2, 2, "a", "1"));
    struct result got = recover(f, 1);
    assert_int_equal(got.r, RECOVERY_CORRUPT);
    assert_string_equal(got.report.problem, "the log's first record is damaged");
    assert_int_equal(got.report.offset, SEGMENT_HEADER_BYTES);
    faulty_disk_free(f);
    f = faulty_disk_new();
    put_segment(f, 1, 0, NULL, 0);
    got = recover(f, 1);
    assert_int_equal(got.r, RECOVERY_CORRUPT);
    assert_string_equal(got.report.problem, "the log's first record is missing");
    faulty_disk_free(f);
}

static void test_segments_that_others_replace(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    uint64_t bytes;
    SEGMENT(f, 1, 0, OPEN(1, 1), PUT(2, 2, "a", "1"));
    SEGMENT(f, 2, 0, PUT(3, 3, "a", "2"), TORN_PUT(4, 4, "a", "3"));
    SEGMENT(f, 3, 0, TORN_PUT(4, 4, "gone", "1")); /* torn, nothing whole */
    SEGMENT(f, 4, 2, PUT(3, 3, "a", "2"), OPEN(4, 4));
    SEGMENT(f, 6, 4, PUT(3, 3, "a", "2"), OPEN(4, 3), OPEN(5, 5));
    struct result got = recover(f, 1);
    assert_int_equal(got.r, 0);
    assert_string_equal(got.applied.text, "a=1 a=2 ");
    assert_int_equal(got.at.next_lsn, 7);
    assert_int_equal(got.at.segment, 7);
    assert_false(got.report.cut);
    for (uint64_t id = 2; id <= 6; id++) {
        char name[DISK_NAME_BYTES];
        segment_name(name, id);
        assert_null(faulty_disk_file(f, name, &bytes));
    }
    assert_non_null(faulty_disk_file(f, "log-0000000000000001", &bytes));
    faulty_disk_free(f);
}

static void test_empty_segments_are_passed_over(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    uint64_t bytes;
    SEGMENT(f, 1, 0, OPEN(1, 1), PUT(2, 2, "a", "1"));
    put_segment(f, 2, 0, NULL, 0);
    SEGMENT(f, 3, 0, PUT(3, 3, "b", "2"));
    put_segment(f, 4, 0, NULL, 0);
    faulty_disk_put(f, SEGMENT_TMP_NAME, "half", 4);
    struct result got = recover(f, 1);
    assert_int_equal(got.r, 0);
    assert_string_equal(got.applied.text, "a=1 b=2 ");
    assert_false(got.report.cut);
    assert_null(faulty_disk_file(f, "log-0000000000000004", &bytes));
    assert_null(faulty_disk_file(f, SEGMENT_TMP_NAME, &bytes));
    faulty_disk_free(f);
}

/* Of a prepared segment, the very last byte counts. */
static void test_a_prepared_segment_is_read_to_its_end(void **state)
{
    enum { BYTES = 300 * 1024 + 8 };
    uint8_t *data = calloc(1, BYTES);
    assert_non_null(data);
    segment_header_write(data, &(struct segment_header){.id = 2, .salt = 14, .bytes = BYTES});
    data[BYTES - 1] = 1;
    struct faulty_disk *f = faulty_disk_new();
    SEGMENT(f, 1, 0, OPEN(1, 1), PUT(2, 2, "a", "1"));
    faulty_disk_put(f, "log-0000000000000002", data, BYTES);
    struct result got = recover(f, 1);
    assert_int_equal(got.r, 0);
    assert_true(got.report.cut);
    assert_string_equal(got.report.file, "log-0000000000000002");
    assert_int_equal(got.report.offset, SEGMENT_HEADER_BYTES);
    faulty_disk_free(f);
    free(data);
}

/* It was on disk with these before it had its name: no unfinished write took them. */
static void test_what_a_replacing_segment_was_made_with_is_there(void **state)
{
    static const struct {
        struct draft drafts[4];
        size_t n;
        int want;
    } cases[] = {
        {{PUT(3, 3, "b", "2"), PUT(4, 3, "c", "3"), OPEN(5, 5)}, 3, 0},
        {{PUT(3, 3, "b", "2"), OPEN(4, 4), PUT(5, 5, "c", "3"), PUT(6, 5, "d", "4")}, 4, 0},
        {{PUT(3, 3, "b", "2"), OPEN(4, 4), TORN_PUT(5, 5, "c", "3")}, 3, 0},
        {{OPEN(3, 3)}, 1, 0},
        {{OPEN(3, 3), TORN_PUT(4, 4, "b", "2")}, 2, 0},
        {{PUT(0, 0, "", "")}, 0, RECOVERY_CORRUPT},
        {{PUT(3, 3, "b", "2")}, 1, RECOVERY_CORRUPT},
        {{TORN_PUT(3, 3, "b", "2"), OPEN(4, 4)}, 2, RECOVERY_CORRUPT},
        {{PUT(3, 3, "b", "2"), TORN_OPEN(4, 4)}, 2, RECOVERY_CORRUPT},
        {{PUT(3, 3, "b", "2"), PUT(4, 3, "c", "3"), TORN_OPEN(5, 5)}, 3, RECOVERY_CORRUPT},
        {{OPEN(3, 3), PUT(4, 3, "b", "2")}, 2, RECOVERY_CORRUPT},
        {{PUT(3, 3, "b", "2"), OPEN(4, 3)}, 2, RECOVERY_CORRUPT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct faulty_disk *f = faulty_disk_new();
        SEGMENT(f, 1, 0, OPEN(1, 1), PUT(2, 2, "a", "1"));
        put_segment(f, 4, 2, cases[i].drafts, cases[i].n);
        struct result got = recover(f, 100);
        assert_int_equal(got.r, cases[i].want);
        if (cases[i].want)
            assert_string_equal(got.report.file, "log-0000000000000004");
        faulty_disk_free(f);
    }
}

/* A batch never spans segments, so whatever lies in a later one proves those before. */
static void test_a_later_segment_proves_the_one_before(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    SEGMENT(f, 1, 0, OPEN(1, 1), PUT(2, 2, "a", "1"), TORN_PUT(3, 3, "x", ""));
    SEGMENT(f, 2, 0, PUT(3, 3, "b", "2"));
    struct result got = recover(f, 1);
    assert_int_equal(got.r, RECOVERY_CORRUPT);
    assert_string_equal(got.report.file, "log-0000000000000001");
    faulty_disk_free(f);
}

static void test_a_first_segment_without_its_first_record(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    put_segment(f, 2, 0, NULL, 0);
    assert_int_equal(recover(f, 1).r, RECOVERY_CORRUPT);
    faulty_disk_free(f);
}

static void test_a_log_whose_checkpoint_is_gone(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    SEGMENT(f, 3, 0, PUT(7, 7, "b", "2"));
    struct result got = recover(f, 1);
    assert_int_equal(got.r, RECOVERY_CORRUPT);
    assert_string_equal(got.report.problem,
                        "what was before it is missing, and so is the checkpoint");
    faulty_disk_free(f);
}

static void test_many_openings_fit(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    uint64_t space = 0;
    for (uint64_t i = 0; i < 200; i++) {
        struct result got = recover(f, 1);
        assert_int_equal(got.r, 0);
        assert_int_equal(got.at.next_lsn, i + 2);
        space = got.at.bytes - got.at.offset;
        assert_true(space >= config.segment_first_bytes);
        assert_int_equal(faulty_disk_bytes(f), got.at.bytes);
    }
    faulty_disk_free(f);
}

/* A full disk: the new segment has room for its records and a close, no more. */
static void test_a_full_disk_gets_a_small_segment(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    SEGMENT(f, 1, 0, OPEN(1, 1), PUT(2, 2, "a", "1"));
    faulty_disk_limit(f, 1024 + 400);
    struct result got = recover(f, 1);
    assert_int_equal(got.r, 0);
    assert_string_equal(got.applied.text, "a=1 ");
    assert_int_equal(got.at.bytes - got.at.offset, record_bytes(RECORD_MARK_BYTES));
    faulty_disk_limit(f, faulty_disk_bytes(f) + 8);
    assert_int_equal(recover(f, 1).r, -ENOSPC);
    faulty_disk_limit(f, UINT64_MAX);
    assert_int_equal(recover(f, 1).r, 0);
    faulty_disk_free(f);
}

/* Fuller yet: the last segment stays where it is, less what was cut, and one of an open record
 * alone comes behind it. */
static void test_a_fuller_disk_keeps_the_last_segment(void **state)
{
    enum { ALONE = 200 };
    struct faulty_disk *f = faulty_disk_new();
    SEGMENT(f, 1, 0, OPEN(1, 1), PUT(2, 2, "a", "1"), PUT(3, 3, "b", "2"), CLOSE(4, 4));
    SEGMENT(f, 2, 0, OPEN(5, 5), PUT(6, 6, "a", "3"), PUT(7, 7, "c", "4"),
            TORN_PUT(8, 8, "d", "5"), PUT(9, 8, "e", "6"));
    faulty_disk_limit(f, faulty_disk_bytes(f) + ALONE);
    struct result got = recover(f, 1);
    assert_int_equal(got.r, 0);
    assert_true(got.report.cut);
    assert_int_equal(got.at.segment, 3);
    assert_int_equal(got.at.next_lsn, 9);
    assert_int_equal(got.at.bytes - got.at.offset, record_bytes(RECORD_MARK_BYTES));
    /* It is as good as any log. */
    faulty_disk_limit(f, UINT64_MAX);
    got = recover(f, 1);
    assert_int_equal(got.r, 0);
    assert_false(got.report.cut);
    assert_string_equal(got.applied.text, "a=1 b=2 a=3 c=4 ");
    assert_int_equal(got.at.segment, 4);
    assert_int_equal(got.at.next_lsn, 10);
    /* Damage to what was kept is seen: something later is behind it. */
    uint64_t bytes;
    faulty_disk_file(f, "log-0000000000000002", &bytes)[SEGMENT_HEADER_BYTES + 60] ^= 1;
    assert_int_equal(recover(f, 1).r, RECOVERY_CORRUPT);
    faulty_disk_free(f);
}

/* A record of these operations, as one of the given LSN behind an opened log. */
static struct result recover_payload(uint64_t lsn, struct bytes payload)
{
    struct faulty_disk *f = faulty_disk_new();
    uint64_t bytes;
    SEGMENT(f, 1, 0, OPEN(1, 1));
    uint8_t *at = faulty_disk_file(f, "log-0000000000000001", &bytes);
    at += SEGMENT_HEADER_BYTES + record_bytes(RECORD_MARK_BYTES);
    struct record_header r = {(uint32_t)payload.len, lsn, lsn, 1, {100}};
    memcpy(at + RECORD_HEADER_BYTES, payload.data, payload.len);
    record_seal(at, &r, 7);
    struct result got = recover(f, 1);
    faulty_disk_free(f);
    return got;
}

static size_t count_of(char c, const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

static void test_a_record_of_many_mutations(void **state)
{
    static const struct {
        struct bytes payload;
        int want;
        const char *applied;
        uint64_t next_lsn; /* with the open record that recovery adds */
    } cases[] = {
        {BYTES("\x81\x01\x01"
               "a1"),
         0, "a=1 ", 4},
        {BYTES("\x81\x01\x01"
               "a1\x01\x01\x01"
               "b2\x81\x01\x01"
               "a3\x82\x01\x00"
               "b"),
         0, "a=1 b=2 a=3 b= ", 6},
        {BYTES("\x01\x01\x01"
               "a1"),
         RECOVERY_CORRUPT, "", 0}, /* begins in the midst of a mutation */
        {BYTES("\x83\x00\x00\x81\x01\x01"
               "a1"),
         RECOVERY_CORRUPT, "", 0}, /* a mark that does not stand alone */
        {BYTES("\x81\x01\x01"
               "a1\x84\x00\x00"),
         RECOVERY_CORRUPT, "", 0},
        {BYTES("\x81\x01\x01"
               "a1\x00"),
         RECOVERY_CORRUPT, "", 0},
        {BYTES(""), RECOVERY_CORRUPT, "", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct result got = recover_payload(2, cases[i].payload);
        assert_int_equal(got.r, cases[i].want);
        if (got.r != 0)
            continue;
        assert_string_equal(got.applied.text, cases[i].applied);
        assert_int_equal(got.at.next_lsn, cases[i].next_lsn);
        assert_int_equal(got.report.changes, count_of('=', cases[i].applied));
    }
}

static void test_failures_are_passed_on_and_can_be_tried_again(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    SEGMENT(f, 1, 0, OPEN(1, 1), PUT(2, 2, "a", "1"));
    put_segment(f, 2, 0, NULL, 0);
    for (uint64_t nth = 0; nth < 9; nth++) {
        struct faulty_disk *copy = faulty_disk_copy(f);
        faulty_disk_fail(copy, nth, EIO);
        assert_int_equal(recover(copy, 1).r, -EIO);
        struct result got = recover(copy, 1);
        assert_int_equal(got.r, 0);
        assert_string_equal(got.applied.text, "a=1 ");
        faulty_disk_free(copy);
    }
    faulty_disk_free(f);
}

static void test_what_apply_says_stops_it(void **state)
{
    struct faulty_disk *f = faulty_disk_new();
    SEGMENT(f, 1, 0, OPEN(1, 1), PUT(2, 2, "a", "1"), PUT(3, 2, "b", "1"));
    struct faulty_disk *before = faulty_disk_copy(f);
    struct applied applied = {.result = -ENOMEM};
    struct wal_position at;
    struct recovery_report report;
    const struct recovery_sink sink = {.apply = apply, .ctx = &applied};
    assert_int_equal(
        recovery_run(faulty_disk(f), &config, (struct walltime){1}, &sink, &at, &report),
        -ENOMEM);
    assert_string_equal(applied.text, "a=1 ");
    assert_true(faulty_disk_equal(before, f));
    faulty_disk_free(before);
    faulty_disk_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_folder_is_a_new_log),
        cmocka_unit_test(test_the_end_of_the_log),
        cmocka_unit_test(test_a_first_record_that_is_damaged_is_not_missing),
        cmocka_unit_test(test_segments_that_others_replace),
        cmocka_unit_test(test_empty_segments_are_passed_over),
        cmocka_unit_test(test_a_prepared_segment_is_read_to_its_end),
        cmocka_unit_test(test_what_a_replacing_segment_was_made_with_is_there),
        cmocka_unit_test(test_a_later_segment_proves_the_one_before),
        cmocka_unit_test(test_a_first_segment_without_its_first_record),
        cmocka_unit_test(test_a_log_whose_checkpoint_is_gone),
        cmocka_unit_test(test_many_openings_fit),
        cmocka_unit_test(test_a_full_disk_gets_a_small_segment),
        cmocka_unit_test(test_a_fuller_disk_keeps_the_last_segment),
        cmocka_unit_test(test_a_record_of_many_mutations),
        cmocka_unit_test(test_failures_are_passed_on_and_can_be_tried_again),
        cmocka_unit_test(test_what_apply_says_stops_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
