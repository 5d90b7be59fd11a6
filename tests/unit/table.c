#include "store/table.h"

#include "base/number.h"

#include "unit.h"

#include <stdio.h>

enum { KEYS = 21000 };

static struct bytes key_of(size_t i, uint8_t room[8])
{
    number_put_u64(room, i);
    return bytes_make(room, 8);
}

static void put(struct table *t, struct bytes key, struct bytes value, int64_t expires,
                uint64_t lsn)
{
    struct table_entry *e = table_entry_new(key, value, NULL, (struct walltime){expires});
    assert_non_null(e);
    table_entry_free(table_put(t, e, table_hash(t, key), lsn));
}

static struct table_entry *find(struct table *t, struct bytes key)
{
    return table_find(t, key, table_hash(t, key));
}

static struct table *make(void)
{
    struct table *t;
    assert_int_equal(table_new(&t, 42), 0);
    return t;
}

static void test_an_entry_holds_what_it_was_given(void **state)
{
    struct table *t = make();
    put(t, BYTES("a\0b"), BYTES("v\0w"), 77, 5);
    put(t, BYTES("b"), BYTES(""), 0, 6);
    struct table_entry *e = find(t, BYTES("a\0b"));
    assert_non_null(e);
    assert_bytes(table_entry_key(e), BYTES("a\0b"));
    assert_bytes(table_entry_value(e), BYTES("v\0w"));
    assert_int_equal(table_entry_expires(e).ms, 77);
    assert_int_equal(table_entry_lsn(e), 5);
    e = find(t, BYTES("b"));
    assert_bytes(table_entry_value(e), BYTES(""));
    assert_int_equal(table_entry_expires(e).ms, 0);
    assert_null(find(t, BYTES("a")));
    table_free(t);
    table_free(NULL);
    table_entry_free(table_entry_new(BYTES("k"), BYTES("v"), NULL, (struct walltime){0}));
}

static size_t count(struct table *t)
{
    size_t n = 0;
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++)
        n += table_shard_count(t, shard);
    return n;
}

static void test_many_keys_come_change_and_go(void **state)
{
    struct table *t = make();
    uint8_t room[8], other[8];
    for (size_t i = 0; i < KEYS; i++)
        put(t, key_of(i, room), key_of(i, other), 0, i + 1);
    for (size_t i = 0; i < KEYS; i += 3)
        put(t, key_of(i, room), BYTES("new"), 0, KEYS + i);
    for (size_t i = 1; i < KEYS; i += 3) {
        struct bytes key = key_of(i, room);
        table_entry_free(table_remove(t, key, table_hash(t, key), 3 * KEYS));
    }
    for (size_t i = 0; i < KEYS; i++) {
        struct table_entry *e = find(t, key_of(i, room));
        assert_int_equal(e == NULL, i % 3 == 1);
        if (e)
            assert_bytes(table_entry_value(e), i % 3 ? key_of(i, other) : BYTES("new"));
    }
    assert_int_equal(count(t), KEYS - KEYS / 3);
    table_free(t);
}

static void test_a_shard_knows_its_last_removal_and_change(void **state)
{
    struct table *t = make();
    uint64_t hash = table_hash(t, BYTES("k"));
    size_t shard = table_shard(hash);
    assert_int_equal(table_shard_change_lsn(t, shard), 0);
    put(t, BYTES("k"), BYTES("v"), 0, 3);
    assert_int_equal(table_shard_change_lsn(t, shard), 3);
    assert_int_equal(table_shard_removal_lsn(t, shard), 0);
    table_entry_free(table_remove(t, BYTES("k"), hash, 4));
    put(t, BYTES("k"), BYTES("v"), 0, 5);
    assert_int_equal(table_shard_removal_lsn(t, shard), 4);
    assert_int_equal(table_shard_change_lsn(t, shard), 5);
    table_entry_free(table_remove(t, BYTES("k"), hash, 6));
    table_entry_free(
        table_remove(t, BYTES("k"), hash, 7)); /* not there, remembered all the same */
    assert_int_equal(table_shard_removal_lsn(t, shard), 7);
    assert_int_equal(table_shard_count(t, shard), 0);
    table_free(t);
}

static size_t expiring(struct table *t, double *ret_sum)
{
    size_t n = 0;
    *ret_sum = 0;
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++) {
        double sum;
        n += table_shard_expiring(t, shard, &sum);
        *ret_sum += sum;
    }
    return n;
}

static void assert_expiring(struct table *t, size_t n, double sum)
{
    double found;
    assert_int_equal(expiring(t, &found), n);
    assert_float_equal(found, sum, 0.5);
}

static void test_what_expires_is_counted(void **state)
{
    struct table *t = make();
    struct table_garbage *garbage;
    put(t, BYTES("a"), BYTES("v"), 100, 1);
    put(t, BYTES("b"), BYTES("v"), 0, 2);
    put(t, BYTES("c"), BYTES("v"), 50, 3);
    assert_expiring(t, 2, 150);
    put(t, BYTES("a"), BYTES("v"), 300, 4);
    put(t, BYTES("b"), BYTES("v"), 7, 5);
    put(t, BYTES("c"), BYTES("v"), 0, 6);
    assert_expiring(t, 2, 307);
    table_entry_free(table_remove(t, BYTES("a"), table_hash(t, BYTES("a")), 7));
    table_entry_free(table_remove(t, BYTES("c"), table_hash(t, BYTES("c")), 8));
    assert_expiring(t, 1, 7);
    put(t, BYTES("d"), BYTES("v"), INT64_MAX, 9);
    put(t, BYTES("e"), BYTES("v"), INT64_MAX, 10);
    put(t, BYTES("f"), BYTES("v"), INT64_MAX, 11);
    assert_expiring(t, 4, 3 * (double)INT64_MAX);
    assert_int_equal(table_garbage_new(&garbage), 0);
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++)
        table_clear(t, shard, 12, garbage);
    assert_expiring(t, 0, 0);
    table_garbage_free(garbage);
    table_free(t);
}

static void test_the_seed_places_keys(void **state)
{
    struct table *a = make(), *b;
    assert_int_equal(table_new(&b, 43), 0);
    assert_int_not_equal(table_hash(a, BYTES("k")), table_hash(b, BYTES("k")));
    table_free(a);
    table_free(b);
}

static void count_entry(void *ctx, const struct table_entry *e)
{
    ++*(size_t *)ctx;
}

static void test_room_made_beforehand(void **state)
{
    struct table *t = make();
    uint8_t room[8];
    table_reserve(t, KEYS / 2);
    size_t empty = table_memory(t), visited = 0;
    assert_true(empty > 0);
    for (size_t i = 0; i < KEYS; i++)
        put(t, key_of(i, room), BYTES("v"), 0, i + 1);
    for (size_t i = 0; i < KEYS; i++)
        assert_non_null(find(t, key_of(i, room)));
    for (struct table_place at = {0}; at.shard < TABLE_SHARDS; at.shard++) {
        assert_true(table_visit(t, &at, SIZE_MAX, count_entry, &visited) > 0);
        assert_int_equal(at.bucket, 0);
    }
    assert_int_equal(visited, KEYS);
    struct table_garbage *g;
    assert_int_equal(table_garbage_new(&g), 0);
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++)
        table_clear(t, shard, KEYS + 1, g);
    assert_null(find(t, key_of(1, room)));
    assert_int_equal(table_memory(t), 0);
    table_garbage_free(g);
    table_reserve(t, 0);
    assert_int_equal(table_memory(t), 0);
    table_free(t);
}

/* ---- going through a shard that grows */

enum { STAYING = 300 };

/* Puts the next keys that belong to the first shard, and returns the number after the last. */
static size_t put_in_first_shard(struct table *t, size_t from, size_t n)
{
    uint8_t room[8];
    for (; n > 0; from++) {
        struct bytes key = key_of(from, room);
        if (table_shard(table_hash(t, key)) != 0)
            continue;
        put(t, key, BYTES("v"), 0, 1);
        n--;
    }
    return from;
}

struct met {
    size_t below; /* keys of numbers below it stay */
    size_t count; /* how often such have been met ... */
    size_t sum;   /* ... and the sum of their numbers */
};

static void meet(void *ctx, const struct table_entry *e)
{
    struct met *met = ctx;
    size_t i = number_get_u64(table_entry_key(e).data);
    met->count += i < met->below;
    met->sum += i < met->below ? i : 0;
}

static void go_through(size_t staying, size_t grows, size_t step)
{
    struct table *t = make();
    struct table_place at = {0};
    size_t next = put_in_first_shard(t, 0, staying);
    struct met all = {.below = next}, met = {.below = next};
    table_visit(t, &at, SIZE_MAX, meet, &all);
    assert_int_equal(all.count, staying);
    do {
        assert_in_range(table_visit(t, &at, step, meet, &met), 1, step + TABLE_GROWTH);
        next = put_in_first_shard(t, next, grows);
    } while (at.bucket != 0);
    assert_int_equal(met.count, staying);
    assert_int_equal(met.sum, all.sum);
    table_free(t);
}

static void test_what_stays_in_a_shard_that_grows_is_met_once(void **state)
{
    for (size_t staying = 1; staying < STAYING; staying += 7)
        for (size_t grows = 0; grows < 40; grows += 13)
            for (size_t step = 1; step < 30; step += 11)
                go_through(staying, grows, step);
}

static void test_any_place_is_one(void **state)
{
    static const struct table_place places[] = {
        {0, 0, 0},        {0, 5, 0},        {0, 0, 1}, {0, 1, 1}, {0, SIZE_MAX, SIZE_MAX},
        {0, 0, SIZE_MAX}, {0, SIZE_MAX, 0},
    };
    struct table *t = make();
    put_in_first_shard(t, 0, STAYING);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct table_place at = places[i];
        struct met met = {.below = SIZE_MAX};
        table_visit(t, &at, SIZE_MAX, meet, &met);
        assert_int_equal(at.bucket, 0);
        assert_int_equal(met.count == STAYING, places[i].bucket == 0);
    }
    table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room_made_beforehand),
        cmocka_unit_test(test_an_entry_holds_what_it_was_given),
        cmocka_unit_test(test_many_keys_come_change_and_go),
        cmocka_unit_test(test_a_shard_knows_its_last_removal_and_change),
        cmocka_unit_test(test_the_seed_places_keys),
        cmocka_unit_test(test_what_expires_is_counted),
        cmocka_unit_test(test_what_stays_in_a_shard_that_grows_is_met_once),
        cmocka_unit_test(test_any_place_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
