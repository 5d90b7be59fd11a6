#include "hub/introduced.h"

#include "people/introduction_record.h"
#include "store/embedded.h"
#include "support/faulty_disk.h"

#include "unit.h"

#include <stdio.h>

/* A store, with one introduction in it, whose record the test may damage. */
struct scene {
    struct faulty_disk *disk;
    struct embedded *store;
    struct introduction what;
};

static const struct walltime now = {1000};

static void open_scene(struct scene *s)
{
    struct embedded_config config = {.secret = 1};
    struct recovery_report report;
    *s = (struct scene){.disk = faulty_disk_new(),
                        .what = {.id = {{1, 2, 3}},
                                 .from = {.key = "alice", .device = {{1}}},
                                 .to = {.key = "bob", .device = {{2}}}}};
    assert_int_equal(embedded_open(&s->store, &config, faulty_disk(s->disk), now, &report), 0);
    assert_int_equal(introduced_keep(embedded_store(s->store), now, &s->what, &s->what.id), 0);
}

static void close_scene(struct scene *s)
{
    embedded_free(s->store);
    faulty_disk_free(s->disk);
}

static bool is_found(const struct scene *s, struct introduction *ret,
                     struct walltime *ret_since)
{
    return introduced_find(embedded_store(s->store), now, &s->what.id, ret, ret_since);
}

static int put(void *ctx, struct store_slot *slots, size_t n)
{
    slots[0].verdict = STORE_PUT;
    slots[0].value = *(const struct bytes *)ctx;
    return 0;
}

/* Its record is that from now on. */
static void write_record(const struct scene *s, struct bytes record)
{
    uint8_t key[11 + RANDOM_ID_BYTES] = "introduced:";
    uint64_t lsn;
    memcpy(key + 11, s->what.id.bytes, RANDOM_ID_BYTES);
    struct store_slot slot = {.key = bytes_make(key, sizeof key)};
    assert_int_equal(
        store_update(embedded_store(s->store), STORE_SYSTEM, &slot, 1, now, put, &record, &lsn),
        0);
}

static void test_one_is_found_again(void **state)
{
    struct scene s;
    struct introduction found;
    struct walltime since;
    open_scene(&s);
    assert_true(is_found(&s, &found, &since));
    assert_int_equal(since.ms, now.ms);
    assert_true(random_id_equal(&found.id, &s.what.id));
    assert_string_equal(found.from.key, "alice");
    assert_string_equal(found.to.key, "bob");
    assert_memory_equal(&found.from.device, &s.what.from.device, PUBLIC_KEY_BYTES);
    assert_memory_equal(&found.to.device, &s.what.to.device, PUBLIC_KEY_BYTES);
    close_scene(&s);
}

static void expect_none(const struct scene *s, struct bytes record)
{
    struct introduction found = {.from = {.key = "nobody"}};
    struct walltime since = {7};
    struct bytes copy = unit_copy(record);
    write_record(s, copy);
    free((uint8_t *)(uintptr_t)copy.data);
    assert_false(is_found(s, &found, &since));
    assert_string_equal(found.from.key, "nobody");
    assert_int_equal(since.ms, 7);
}

static void test_a_damaged_one_is_none(void **state)
{
    enum { SINCE = 1, FROM_LEN = 9 + PUBLIC_KEY_BYTES, FROM_NAME, TO_LEN = FROM_NAME + 5 + 32 };
    static const struct {
        size_t at;
        uint8_t byte;
    } damages[] = {{0, 0},           {0, 2},         {SINCE + 7, 0x80}, {FROM_LEN, 0},
                   {FROM_LEN, 4},    {FROM_LEN, 6},  {FROM_LEN, 255},   {FROM_NAME, 'A'},
                   {FROM_NAME, '/'}, {FROM_NAME, 0}, {FROM_NAME, 0xff}, {TO_LEN, 0},
                   {TO_LEN, 2},      {TO_LEN, 4},    {TO_LEN, 33}};
    uint8_t record[INTRODUCTION_RECORD_BYTES_MAX + 1];
    struct scene s;
    struct introduction found;
    struct walltime since;
    open_scene(&s);
    struct bytes whole = introduction_record_encode(record, &s.what, now);
    for (size_t n = 0; n < whole.len; n++)
        expect_none(&s, bytes_first(whole, n));
    record[whole.len] = 0;
    expect_none(&s, bytes_make(record, whole.len + 1));
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        uint8_t was = record[damages[i].at];
        record[damages[i].at] = damages[i].byte;
        expect_none(&s, whole);
        record[damages[i].at] = was;
    }
    write_record(&s, whole);
    assert_true(is_found(&s, &found, &since));
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_is_found_again),
        cmocka_unit_test(test_a_damaged_one_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
