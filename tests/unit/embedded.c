#include "store/embedded.h"

#include "base/limits.h"

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

static void see(void *ctx, struct bytes value, struct walltime expires)
{
    *(struct bytes *)ctx = value; /* holds: nothing runs beside the tests that look at it */
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

static void test_a_refusing_function_changes_nothing_but_answers(void **state)
{
    struct world w;
    begin(&w, &small);
    put(&w, "a", "1");
    uint64_t made = w.lsn;
    w.lsn = 0;
    struct store_slot slot = {.key = BYTES("a")};
    assert_int_equal(store_update(w.s, STORE_USER, &slot, 1, w.now, do_nothing, NULL, &w.lsn),
                     0);
    assert_int_equal(w.lsn, made);
    assert_true(slot.present);
    assert_bytes(slot.old, BYTES("1"));
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get_remove_and_reopen),
        cmocka_unit_test(test_a_refusing_function_changes_nothing_but_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
