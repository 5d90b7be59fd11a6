#include "store/embedded.h"

#include "base/limits.h"
#include "base/number.h"

#include "support/faulty_disk.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A store on a disk in memory. Nothing moves but by pump: time stands still otherwise. */
struct world {
    struct faulty_disk *disk;
    struct embedded *e;
    struct store *s;
    struct walltime now;
    struct instant clock;
    uint64_t lsn; /* of the last answer */
};

static struct embedded_config small = {.durability = EMBEDDED_COMMIT,
                                       .secret = 1,
                                       .segment_first_bytes = 1024,
                                       .segment_bytes_max = 4096,
                                       .buffered_bytes_max = 8192};

static int open_with(struct world *w, const struct embedded_config *config)
{
    struct recovery_report report;
    int r = embedded_open(&w->e, config, faulty_disk(w->disk), w->now, &report);
    w->s = r == 0 ? embedded_store(w->e) : NULL;
    return r;
}

static void begin(struct world *w, const struct embedded_config *config)
{
    *w = (struct world){.disk = faulty_disk_new(), .now = {1000}, .clock = {1}};
    assert_int_equal(open_with(w, config), 0);
}

static void end(struct world *w)
{
    embedded_free(w->e);
    faulty_disk_free(w->disk);
}

/* Makes segments and writes until there is nothing to do. */
static int pump(struct world *w)
{
    struct instant deadline;
    int r;
    embedded_segment_step(w->e, w->clock, &deadline);
    while ((r = embedded_log_step(w->e, w->clock, &deadline)) == 0)
        embedded_segment_step(w->e, w->clock, &deadline);
    return r == EMBEDDED_IDLE ? 0 : r;
}

static void reopen(struct world *w, const struct embedded_config *config)
{
    embedded_free(w->e);
    assert_int_equal(open_with(w, config), 0);
}

/* ---- what the tests say */

static int do_put(void *ctx, struct store_slot *slots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        slots[i].verdict = STORE_PUT;
    return 0;
}

static int do_remove(void *ctx, struct store_slot *slots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        slots[i].verdict = STORE_REMOVE;
    return 0;
}

static int do_nothing(void *ctx, struct store_slot *slots, size_t n)
{
    return 0;
}

static int put_for(struct world *w, enum store_space space, struct bytes key,
                   struct bytes value, int64_t expires)
{
    struct store_slot slot = {.key = key, .value = value, .expires = {expires}};
    return store_update(w->s, space, &slot, 1, w->now, do_put, NULL, &w->lsn);
}

static int put(struct world *w, const char *key, const char *value)
{
    return put_for(w, STORE_USER, bytes_from_str(key), bytes_from_str(value), 0);
}

static int take_out(struct world *w, const char *key)
{
    struct store_slot slot = {.key = bytes_from_str(key)};
    return store_update(w->s, STORE_USER, &slot, 1, w->now, do_remove, NULL, &w->lsn);
}

static void see(void *ctx, const struct store_value *value)
{
    *(struct bytes *)ctx =
        value->bytes; /* holds: nothing runs beside the tests that look at it */
}

static int get(struct world *w, enum store_space space, const char *key, struct bytes *ret)
{
    return store_get(w->s, space, bytes_from_str(key), w->now, see, ret, &w->lsn);
}

#define assert_value(w, key, value)                           \
    do {                                                      \
        struct bytes seen_;                                   \
        assert_int_equal(get(w, STORE_USER, key, &seen_), 0); \
        assert_bytes(seen_, bytes_from_str(value));           \
    } while (0)

static void assert_missing(struct world *w, const char *key)
{
    struct bytes seen;
    assert_int_equal(get(w, STORE_USER, key, &seen), STORE_MISSING);
}

/* ---- tests */

static void test_put_get_remove_and_reopen(void **state)
{
    struct world w;
    begin(&w, &small);
    assert_missing(&w, "a");
    assert_int_equal(w.lsn, 0);
    assert_int_equal(put(&w, "a", "1"), 0);
    uint64_t first = w.lsn;
    assert_true(first > store_durable(w.s));
    assert_value(&w, "a", "1");
    assert_int_equal(w.lsn, first);
    assert_int_equal(put(&w, "b", ""), 0);
    assert_int_equal(take_out(&w, "a"), 0);
    uint64_t removal = w.lsn;
    assert_missing(&w, "a");
    assert_int_equal(w.lsn, removal);
    assert_int_equal(pump(&w), 0);
    assert_int_equal(store_durable(w.s), removal);
    reopen(&w, &small);
    assert_missing(&w, "a");
    assert_int_equal(w.lsn, removal);
    assert_value(&w, "b", "");
    assert_int_equal(store_count(w.s, STORE_USER, &w.lsn), 1);
    assert_int_equal(w.lsn, removal);
    end(&w);
}

static int refuse(void *ctx, struct store_slot *slots, size_t n)
{
    slots[0].verdict = STORE_PUT;
    return STORE_FN_FIRST + 7;
}

static void test_a_refusal_changes_nothing_but_is_an_answer(void **state)
{
    struct world w;
    begin(&w, &small);
    put(&w, "a", "1");
    uint64_t made = w.lsn;
    struct store_slot slot = {.key = BYTES("a"), .value = BYTES("2")};
    w.lsn = 0;
    assert_int_equal(store_update(w.s, STORE_USER, &slot, 1, w.now, refuse, NULL, &w.lsn),
                     STORE_FN_FIRST + 7);
    assert_int_equal(w.lsn, made);
    w.lsn = 0;
    assert_int_equal(store_update(w.s, STORE_USER, &slot, 1, w.now, do_nothing, NULL, &w.lsn),
                     0);
    assert_int_equal(w.lsn, made);
    assert_true(slot.present);
    assert_bytes(slot.old.bytes, BYTES("1"));
    assert_value(&w, "a", "1");
    end(&w);
}

static void test_keyspaces_are_apart(void **state)
{
    struct world w;
    struct bytes seen;
    begin(&w, &small);
    put(&w, "k", "user");
    put_for(&w, STORE_SYSTEM, BYTES("k"), BYTES("system"), 0);
    assert_value(&w, "k", "user");
    assert_int_equal(get(&w, STORE_SYSTEM, "k", &seen), 0);
    assert_bytes(seen, BYTES("system"));
    take_out(&w, "k");
    assert_int_equal(pump(&w), 0);
    reopen(&w, &small);
    assert_missing(&w, "k");
    assert_int_equal(get(&w, STORE_SYSTEM, "k", &seen), 0);
    assert_int_equal(store_count(w.s, STORE_SYSTEM, &w.lsn), 1);
    end(&w);
}

/* Verdicts by slot, a letter each: K keep, P put, R remove. */
static int do_letters(void *ctx, struct store_slot *slots, size_t n)
{
    const char *letters = ctx;
    for (size_t i = 0; i < n; i++) {
        slots[i].value = bytes_make(&"0123456789"[i], 1);
        slots[i].verdict = letters[i] == 'P'   ? STORE_PUT
                           : letters[i] == 'R' ? STORE_REMOVE
                                               : STORE_KEEP;
    }
    return 0;
}

static void test_the_last_verdict_on_a_key_wins(void **state)
{
    static const struct {
        char verdicts[8];
        const char *a, *b; /* values afterwards; NULL: missing. Both were "old" */
    } cases[] = {
        {"PPPPPP", "4", "5"},   {"PPPPKK", "2", "3"}, {"PPPPRK", NULL, "3"},
        {"RRKKKK", NULL, NULL}, {"RPPKKK", "2", "1"}, {"KKKKKK", "old", "old"},
        {"PK", "0", "old"},     {"RR", NULL, NULL},   {"PPP", "2", "1"},
        {"RPP", "2", "1"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct world w;
        begin(&w, &small);
        put(&w, "a", "old");
        put(&w, "b", "old");
        char verdicts[8];
        memcpy(verdicts, cases[i].verdicts, sizeof verdicts);
        struct store_slot slots[6] = {0};
        for (size_t j = 0; j < 6; j++)
            slots[j].key = j % 2 ? BYTES("b") : BYTES("a");
        assert_int_equal(store_update(w.s, STORE_USER, slots, strlen(cases[i].verdicts), w.now,
                                      do_letters, verdicts, &w.lsn),
                         0);
        for (int again = 0; again < 2; again++) {
            if (cases[i].a)
                assert_value(&w, "a", cases[i].a);
            else
                assert_missing(&w, "a");
            if (cases[i].b)
                assert_value(&w, "b", cases[i].b);
            else
                assert_missing(&w, "b");
            assert_int_equal(pump(&w), 0);
            reopen(&w, &small);
        }
        end(&w);
    }
}

/* Put and removed again in one update: it never was. Few slots and many go different ways. */
static void test_a_key_that_was_not_there_may_not_come(void **state)
{
    for (size_t n = 2; n <= 6; n++) {
        struct world w;
        begin(&w, &small);
        uint64_t before = wal_last_lsn(embedded_wal(w.e));
        struct store_slot slots[6] = {0};
        char verdicts[] = "PRKKKK";
        for (size_t i = 0; i < n; i++)
            slots[i].key = BYTES("c");
        assert_int_equal(
            store_update(w.s, STORE_USER, slots, n, w.now, do_letters, verdicts, &w.lsn), 0);
        assert_missing(&w, "c");
        assert_int_equal(wal_last_lsn(embedded_wal(w.e)), before);
        end(&w);
    }
}

static void test_removing_what_is_not_there_writes_nothing(void **state)
{
    struct world w;
    begin(&w, &small);
    uint64_t before = wal_last_lsn(embedded_wal(w.e));
    assert_int_equal(take_out(&w, "nothing"), 0);
    assert_int_equal(wal_last_lsn(embedded_wal(w.e)), before);
    end(&w);
}

static void test_many_keys_at_once(void **state)
{
    enum { MANY = 20000 };
    struct embedded_config large = {.secret = 1};
    struct world w;
    begin(&w, &large);
    struct store_slot *slots = calloc(MANY, sizeof *slots);
    char(*keys)[16] = calloc(MANY, sizeof *keys);
    assert_true(slots && keys);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof keys[i], "%zu", i % (MANY / 2)); /* each of them twice */
        slots[i].key = bytes_from_str(keys[i]);
        slots[i].value = bytes_from_str(i < MANY / 2 ? "first" : "second");
    }
    int r;
    while ((r = store_update(w.s, STORE_USER, slots, MANY, w.now, do_put, NULL, &w.lsn)) ==
           STORE_BUSY)
        pump(&w);
    assert_int_equal(r, 0);
    assert_int_equal(store_count(w.s, STORE_USER, &w.lsn), MANY / 2);
    assert_value(&w, "0", "second");
    assert_value(&w, "9999", "second");
    free(slots);
    free(keys);
    end(&w);
}

static void test_what_expired_is_missing(void **state)
{
    struct world w;
    begin(&w, &small);
    put_for(&w, STORE_USER, BYTES("k"), BYTES("v"), w.now.ms + 10);
    uint64_t made = w.lsn;
    assert_value(&w, "k", "v");
    w.now.ms += 9;
    assert_value(&w, "k", "v");
    w.now.ms += 1;
    assert_missing(&w, "k");
    assert_int_equal(w.lsn, made + 1); /* that it is gone is in the log */
    w.now.ms -= 5;                     /* a clock set back brings nothing to life */
    assert_missing(&w, "k");
    assert_int_equal(pump(&w), 0);
    w.now.ms = 1;
    reopen(&w, &small);
    assert_missing(&w, "k");
    struct store_slot slot = {.key = BYTES("k")};
    store_update(w.s, STORE_USER, &slot, 1, w.now, do_nothing, NULL, &w.lsn);
    assert_false(slot.present);
    end(&w);
}

static int put_of_length(struct world *w, size_t key_bytes, size_t value_bytes)
{
    uint8_t *key = calloc(1, key_bytes + 1), *value = calloc(1, value_bytes + 1);
    assert_true(key && value);
    int r =
        put_for(w, STORE_USER, bytes_make(key, key_bytes), bytes_make(value, value_bytes), 0);
    free(key);
    free(value);
    return r;
}

static void test_limits(void **state)
{
    struct embedded_config large = {.secret = 1};
    struct world w;
    begin(&w, &large);
    assert_int_equal(put_of_length(&w, 0, 1), STORE_TOO_LARGE);
    assert_int_equal(put_of_length(&w, LIMIT_KEY_BYTES + 1, 1), STORE_TOO_LARGE);
    assert_int_equal(put_of_length(&w, LIMIT_KEY_BYTES, 1), 0);
    assert_int_equal(put_of_length(&w, 1, LIMIT_VALUE_BYTES + 1), STORE_TOO_LARGE);
    /* What waits is to be written, then a segment that fits to be made. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(put_of_length(&w, 1, LIMIT_VALUE_BYTES), STORE_BUSY);
        assert_int_equal(pump(&w), 0);
    }
    assert_int_equal(put_of_length(&w, 1, LIMIT_VALUE_BYTES), 0);
    end(&w);
}

static void test_a_second_promises_for_the_system_alone(void **state)
{
    struct embedded_config second = small;
    second.durability = EMBEDDED_SECOND;
    struct world w;
    struct bytes seen;
    begin(&w, &second);
    put(&w, "k", "v");
    assert_int_equal(w.lsn, 0);
    assert_value(&w, "k", "v");
    assert_int_equal(w.lsn, 0);
    store_count(w.s, STORE_USER, &w.lsn);
    assert_int_equal(w.lsn, 0);
    uint64_t durable = store_durable(w.s);
    assert_int_equal(pump(&w), 0);
    assert_int_equal(store_durable(w.s), durable);
    put_for(&w, STORE_SYSTEM, BYTES("s"), BYTES("v"), 0);
    assert_true(w.lsn > durable);
    uint64_t promised = w.lsn;
    get(&w, STORE_SYSTEM, "s", &seen);
    assert_int_equal(w.lsn, promised);
    assert_true(embedded_log_wanted(w.e));
    assert_int_equal(pump(&w), 0);
    assert_true(store_durable(w.s) >= promised);
    put(&w, "k", "w");
    pump(&w);
    w.clock = instant_after_ms(w.clock, 1000);
    assert_int_equal(pump(&w), 0);
    assert_int_equal(store_durable(w.s), wal_last_lsn(embedded_wal(w.e)));
    end(&w);
}

/* Puts until the store says something else than 0; BUSY means that the log is to move. */
static int put_until_refused(struct world *w)
{
    struct instant deadline;
    for (int busy = 0; busy < 3;) {
        int r = put(w, "key", "some value of some length, to fill the disk");
        if (r == STORE_BUSY)
            busy++;
        else if (r != 0)
            return r;
        else
            busy = 0;
        while (embedded_log_step(w->e, w->clock, &deadline) == 0)
            ;
        embedded_segment_step(w->e, w->clock, &deadline);
    }
    return STORE_BUSY;
}

static void test_a_full_disk_reads_on_and_recovers(void **state)
{
    struct world w;
    begin(&w, &small);
    put(&w, "kept", "v");
    faulty_disk_limit(w.disk, 6000);
    assert_int_equal(put_until_refused(&w), STORE_READ_ONLY);
    assert_true(wal_is_read_only(embedded_wal(w.e)));
    assert_value(&w, "kept", "v");
    assert_int_equal(pump(&w), 0);
    assert_int_equal(store_durable(w.s), wal_last_lsn(embedded_wal(w.e)));
    /* A restart needs room for next to nothing. */
    int r;
    uint64_t full = faulty_disk_bytes(w.disk), room = full;
    faulty_disk_limit(w.disk, room);
    embedded_free(w.e);
    while ((r = open_with(&w, &small)) == -ENOSPC)
        faulty_disk_limit(w.disk, room += 128);
    assert_int_equal(r, 0);
    assert_true(room > full && room <= full + 256);
    assert_value(&w, "kept", "v");
    assert_int_equal(put_until_refused(&w), STORE_READ_ONLY);
    /* Room comes back, and after a while the store notices. */
    faulty_disk_limit(w.disk, UINT64_MAX);
    assert_int_equal(pump(&w), 0);
    assert_int_equal(put(&w, "new", "v"), STORE_READ_ONLY);
    w.clock = instant_after_ms(w.clock, LIMIT_SEGMENT_RETRY_MS);
    assert_int_equal(pump(&w), 0);
    assert_int_equal(put(&w, "new", "v"), 0);
    assert_false(wal_is_read_only(embedded_wal(w.e)));
    end(&w);
}

/* Nor does what has expired, and cannot be removed, keep anybody busy. */
static void test_a_full_disk_lets_upkeep_rest(void **state)
{
    struct world w;
    struct instant deadline = {0};
    begin(&w, &small);
    put_for(&w, STORE_USER, BYTES("ends"), BYTES("v"), w.now.ms + 10);
    faulty_disk_limit(w.disk, faulty_disk_bytes(w.disk));
    assert_int_equal(put_until_refused(&w), STORE_READ_ONLY);
    while (put(&w, "e", "") == 0) /* to the last byte */
        ;
    w.now.ms += 10;
    int steps = 0;
    while (embedded_upkeep_step(w.e, w.clock, w.now, &deadline) != EMBEDDED_IDLE)
        assert_true(steps++ < 2000);
    assert_true(deadline.ns > w.clock.ns);
    end(&w);
}

static void count_key(void *ctx, struct bytes key, const struct store_value *value)
{
    ++*(size_t *)ctx;
}

static void test_a_scan_keeps_to_its_budget(void **state)
{
    enum { KEYS = 3000, BUDGET = 40 };
    struct embedded_config config = {.secret = 1};
    struct world w;
    begin(&w, &config);
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(put(&w, key, "v"), 0);
    }
    uint64_t cursor = 0, lsn;
    size_t all = 0;
    do {
        size_t met = 0;
        assert_int_equal(
            store_scan(w.s, STORE_USER, &cursor, BUDGET, w.now, count_key, &met, &lsn), 0);
        assert_in_range(met, 0, 4 * BUDGET);
        all += met;
    } while (cursor != 0);
    assert_int_equal(all, KEYS);
    end(&w);
}

enum { STAYING = 3000 };

static void mark_key(void *ctx, struct bytes key, const struct store_value *value)
{
    uint8_t *met = ctx;
    uint64_t i;
    if (key.data[0] == 's' && number_parse_u64(bytes_from(key, 1), &i))
        met[i]++;
}

static void put_numbered(struct world *w, char kind, int i)
{
    char key[16];
    snprintf(key, sizeof key, "%c%d", kind, i);
    assert_int_equal(put(w, key, "v"), 0);
}

static void test_any_cursor_is_taken(void **state)
{
    struct embedded_config config = {.secret = 1};
    struct world w;
    begin(&w, &config);
    for (int i = 0; i < 1000; i++)
        put_numbered(&w, 's', i);
    for (int bit = 0; bit < 64; bit++) {
        uint64_t cursor = UINT64_MAX << bit, lsn;
        size_t met = 0;
        for (int i = 0; i < 100 && cursor != 0; i++)
            assert_int_equal(
                store_scan(w.s, STORE_USER, &cursor, 100, w.now, count_key, &met, &lsn), 0);
        assert_int_equal(cursor, 0);
    }
    end(&w);
}

/* While the table grows, and is emptied of others, as it goes. */
static void test_a_scan_meets_what_stays_once(void **state)
{
    struct embedded_config config = {.secret = 1};
    struct world w;
    uint8_t met[STAYING] = {0};
    uint64_t cursor = 0, lsn;
    int others = 0;
    begin(&w, &config);
    for (int i = 0; i < STAYING; i++)
        put_numbered(&w, 's', i);
    do {
        assert_int_equal(store_scan(w.s, STORE_USER, &cursor, 5, w.now, mark_key, met, &lsn),
                         0);
        assert_true(cursor <= INT64_MAX); /* some clients' */
        for (int i = 0; i < 30; i++)
            put_numbered(&w, 'o', others++);
        char key[16];
        snprintf(key, sizeof key, "o%d", others / 2);
        assert_int_equal(take_out(&w, key), 0);
        assert_int_equal(pump(&w), 0);
    } while (cursor != 0);
    for (int i = 0; i < STAYING; i++)
        assert_int_equal(met[i], 1);
    end(&w);
}

static void test_a_failed_sync_is_final(void **state)
{
    struct world w;
    begin(&w, &small);
    put(&w, "a", "1");
    assert_int_equal(pump(&w), 0);
    uint64_t durable = store_durable(w.s);
    put(&w, "a", "2");
    faulty_disk_fail(w.disk, 1, EIO); /* the write passes, the sync fails */
    struct instant deadline;
    assert_int_equal(embedded_log_step(w.e, w.clock, &deadline), -EIO);
    uint64_t changes = faulty_disk_changes(w.disk);
    assert_int_equal(put(&w, "a", "3"), -EIO);
    assert_int_equal(embedded_log_step(w.e, w.clock, &deadline), -EIO);
    assert_int_equal(faulty_disk_changes(w.disk), changes); /* nothing is tried again */
    assert_int_equal(store_durable(w.s), durable);
    assert_value(&w, "a", "2"); /* what was not promised may be seen, its LSN never comes */
    assert_true(w.lsn > durable);
    end(&w);
}

static void test_a_clean_close(void **state)
{
    struct world w;
    struct recovery_report report;
    begin(&w, &small);
    put(&w, "a", "1");
    embedded_close(w.e, w.now);
    assert_int_equal(put(&w, "a", "2"), -EIO);
    assert_int_equal(pump(&w), 0);
    assert_int_equal(wal_state(embedded_wal(w.e)), WAL_CLOSED);
    embedded_free(w.e);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(embedded_open(&w.e, &small, faulty_disk(w.disk), w.now, &report), 0);
        assert_int_equal(report.closed, again == 0);
        assert_false(report.cut);
        w.s = embedded_store(w.e);
        assert_value(&w, "a", "1");
        if (again == 0)
            embedded_free(w.e);
    }
    end(&w);
    embedded_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get_remove_and_reopen),
        cmocka_unit_test(test_a_refusal_changes_nothing_but_is_an_answer),
        cmocka_unit_test(test_keyspaces_are_apart),
        cmocka_unit_test(test_the_last_verdict_on_a_key_wins),
        cmocka_unit_test(test_a_key_that_was_not_there_may_not_come),
        cmocka_unit_test(test_removing_what_is_not_there_writes_nothing),
        cmocka_unit_test(test_many_keys_at_once),
        cmocka_unit_test(test_what_expired_is_missing),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_a_second_promises_for_the_system_alone),
        cmocka_unit_test(test_a_full_disk_reads_on_and_recovers),
        cmocka_unit_test(test_a_full_disk_lets_upkeep_rest),
        cmocka_unit_test(test_a_scan_keeps_to_its_budget),
        cmocka_unit_test(test_a_scan_meets_what_stays_once),
        cmocka_unit_test(test_any_cursor_is_taken),
        cmocka_unit_test(test_a_failed_sync_is_final),
        cmocka_unit_test(test_a_clean_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
