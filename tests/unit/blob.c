#include "base/blob.h"

#include "unit.h"

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
    struct blob_garbage garbage = {.over = false};
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

/* Each step takes a part, until what is left goes in one. */
static void test_each_step_takes_a_part(void **state)
{
    struct blob_garbage garbage = {.over = false};
    struct blob *b = make(LARGE, &garbage);
    blob_unref(b);
    for (size_t left = LARGE; left > BLOB_GARBAGE_STEP_BYTES;) {
        assert_true(blob_garbage_step(&garbage));
        left -= BLOB_GARBAGE_STEP_BYTES;
        assert_int_equal(b->bytes, left);
        assert_int_equal(((const char *)b->memory)[left - 1], 'x');
    }
    assert_false(blob_garbage_step(&garbage));
}

static void test_after_the_end_all_is_freed_at_once(void **state)
{
    struct blob_garbage garbage = {.over = false};
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
        cmocka_unit_test(test_each_step_takes_a_part),
        cmocka_unit_test(test_after_the_end_all_is_freed_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
