#include "base/blob.h"

#include "unit.h"

#include <sys/mman.h>

enum { LARGE = 5 * BLOB_GARBAGE_STEP_BYTES + 4321 };

static struct blob *make(size_t n, struct blob_garbage *garbage)
{
    void *memory = malloc(n);
    assert_non_null(memory);
    memset(memory, 'x', n);
    struct blob *b = blob_new(memory, n, garbage);
    assert_non_null(b);
    return b;
}

static void test_the_last_reference_frees(void **state)
{
    struct blob *b = blob_copy(BYTES("shared"), NULL);
    assert_memory_equal(b->memory, "shared", 6);
    assert_true(blob_is_unshared(b));
    assert_ptr_equal(blob_ref(b), b);
    assert_false(blob_is_unshared(b));
    blob_unref(b);
    assert_true(blob_is_unshared(b));
    blob_unref(b);
    blob_unref(NULL);
}

static void test_what_is_large_is_freed_bit_by_bit(void **state)
{
    struct blob_garbage garbage = {0};
    blob_unref(make(BLOB_GARBAGE_STEP_BYTES, &garbage)); /* this is not */
    assert_true(blob_garbage_is_empty(&garbage));
    assert_false(blob_garbage_step(&garbage));
    for (int i = 0; i < 2; i++)
        blob_unref(make(LARGE, &garbage));
    assert_false(blob_garbage_is_empty(&garbage));
    int steps = 1;
    while (blob_garbage_step(&garbage))
        steps++;
    assert_in_range(steps, 2 * (LARGE / BLOB_GARBAGE_STEP_BYTES), 2 * 7);
    assert_true(blob_garbage_is_empty(&garbage));
}

static size_t resident(const uint8_t *memory, size_t n)
{
    enum { PAGE_BYTES = 4096 };
    unsigned char pages[LARGE / PAGE_BYTES + 2];
    uint8_t *begin = (uint8_t *)((uintptr_t)memory & ~(PAGE_BYTES - 1ul));
    size_t count = 0, all = (size_t)(memory + n - begin + PAGE_BYTES - 1) / PAGE_BYTES;
    assert_int_equal(mincore(begin, all * PAGE_BYTES, pages), 0);
    for (size_t i = 0; i < all; i++)
        count += pages[i] & 1;
    return count * PAGE_BYTES;
}

/* No step gives back much more than the others, the last included. */
static void test_each_step_gives_back_a_part(void **state)
{
    struct blob_garbage garbage = {0};
    struct blob *b = make(LARGE, &garbage);
    const uint8_t *memory = b->memory;
    size_t before = resident(memory, LARGE);
    blob_unref(b);
    while (b->bytes > BLOB_GARBAGE_STEP_BYTES) {
        assert_true(blob_garbage_step(&garbage));
        size_t now = resident(memory, LARGE);
        assert_in_range(before - now, BLOB_GARBAGE_STEP_BYTES - 128 * 1024,
                        BLOB_GARBAGE_STEP_BYTES + 128 * 1024);
        before = now;
    }
    assert_in_range(before, 0, BLOB_GARBAGE_STEP_BYTES + 128 * 1024);
    blob_garbage_end(&garbage);
}

static void test_after_the_end_all_is_freed_at_once(void **state)
{
    struct blob_garbage garbage = {0};
    struct blob *late = make(LARGE, &garbage);
    blob_unref(make(LARGE, &garbage));
    blob_garbage_end(&garbage);
    assert_true(blob_garbage_is_empty(&garbage));
    blob_unref(late);
    assert_true(blob_garbage_is_empty(&garbage));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_reference_frees),
        cmocka_unit_test(test_what_is_large_is_freed_bit_by_bit),
        cmocka_unit_test(test_each_step_gives_back_a_part),
        cmocka_unit_test(test_after_the_end_all_is_freed_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
