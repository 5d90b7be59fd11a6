#include "people/directory.h"

#include "base/buffer.h"

#include "unit.h"

#include <stdio.h>

static void note(void *ctx, uint64_t move, const char *name, bool came)
{
    assert_int_equal(
        buffer_printf(ctx, "%c%s/%llu ", came ? '+' : '-', name, (unsigned long long)move), 0);
}

static void list(void *ctx, const struct directory_entry *e)
{
    assert_int_equal(buffer_printf(ctx, "%s/%s %lld %zu, ", e->key, e->name,
                                   (long long)e->since.ms, e->devices),
                     0);
}

static void expect(struct buffer *got, const char *want)
{
    assert_bytes(buffer_view(got), bytes_from_str(want));
    buffer_truncate(got, 0);
}

static void test_an_account_comes_once_and_goes_once(void **state)
{
    struct directory d = {0};
    struct buffer told;
    buffer_init(&told, 4096);
    struct presence bob = {.since = {5}}, alice = {.since = {6}, .has_device = true},
                    again = {.since = {7}, .has_device = true},
                    other = {.since = {8}, .has_device = true, .device = {{1}}};
    assert_int_equal(directory_enter(&d, &bob, "bob", "Bob", note, &told), 0);
    assert_int_equal(directory_enter(&d, &alice, "alice", "alice", note, &told), 0);
    assert_int_equal(directory_enter(&d, &again, "alice", "alice", note, &told), 0);
    assert_int_equal(directory_enter(&d, &other, "alice", "alice", note, &told), 0);
    expect(&told, "+Bob/1 +alice/2 ");
    assert_true(bob.moves == 1 && alice.moves == 2 && other.moves == 2);
    directory_each(&d, list, &told);
    expect(&told, "alice/alice 6 2, bob/Bob 5 1, ");
    char name[ACCOUNT_NAME_BYTES + 1];
    assert_true(directory_find(&d, "bob", name));
    assert_string_equal(name, "Bob");
    assert_false(directory_find(&d, "carol", NULL));
    assert_false(directory_leave(&d, &alice, note, &told));
    assert_false(directory_leave(&d, &other, note, &told));
    assert_true(directory_leave(&d, &bob, note, &told));
    assert_false(directory_leave(&d, &bob, note, &told));
    expect(&told, "-Bob/3 ");
    assert_true(directory_leave(&d, &again, note, &told));
    expect(&told, "-alice/4 ");
    assert_int_equal(directory_count(&d), 0);
    directory_fini(&d);
    buffer_fini(&told);
}

static void count(void *ctx, const struct presence *p)
{
    ++*(size_t *)ctx;
}

static void test_many_stay_in_order(void **state)
{
    enum { MANY = 500 };
    static struct presence all[MANY];
    struct directory d = {0};
    struct buffer told;
    buffer_init(&told, 64 * 1024);
    for (unsigned i = 0; i < MANY; i++) {
        char key[8];
        snprintf(key, sizeof key, "m%03u", i * 7 % MANY);
        assert_int_equal(directory_enter(&d, &all[i], key, key, note, &told), 0);
    }
    assert_int_equal(directory_count(&d), MANY);
    buffer_truncate(&told, 0);
    directory_each(&d, list, &told);
    struct bytes seen = buffer_view(&told);
    char last[8] = "";
    for (size_t i = 0; i < MANY; i++) {
        char key[8];
        memcpy(key, seen.data, 4);
        key[4] = '\0';
        assert_true(strcmp(last, key) < 0);
        memcpy(last, key, sizeof last);
        seen = bytes_from(seen, bytes_find(seen, ',') + 2);
    }
    size_t n = 0;
    directory_each_of(&d, "m123", count, &n);
    assert_int_equal(n, 1);
    for (size_t i = 0; i < MANY; i++)
        assert_true(directory_leave(&d, &all[i], note, &told));
    directory_fini(&d);
    buffer_fini(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_account_comes_once_and_goes_once),
        cmocka_unit_test(test_many_stay_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
