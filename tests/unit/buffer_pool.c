#include "base/buffer_pool.h"

#include "unit.h"

static void test_memory_goes_round(void **state)
{
    struct buffer_pool pool = {0};
    struct buffer b;
    buffer_init(&b, 1024);
    buffer_pool_take(&pool, &b); /* none is kept yet */
    assert_null(b.data);
    assert_int_equal(buffer_append_str(&b, "hello"), 0);
    const uint8_t *memory = b.data;
    buffer_consume(&b, 5);
    buffer_pool_give(&pool, &b);
    assert_null(b.data);
    assert_int_equal(b.max, 1024);
    assert_int_equal(pool.count, 1);
    buffer_pool_take(&pool, &b);
    assert_ptr_equal(b.data, memory);
    assert_int_equal(buffer_len(&b), 0);
    assert_int_equal(pool.count, 0);
    buffer_fini(&b);
    buffer_pool_fini(&pool);
}

static void give_one(struct buffer_pool *pool, size_t bytes)
{
    struct buffer b;
    uint8_t *space;
    buffer_init(&b, 16 * BUFFER_POOL_BYTES_MAX);
    assert_int_equal(buffer_reserve(&b, bytes, &space), 0);
    buffer_pool_give(pool, &b);
    assert_null(b.data);
}

static void test_too_large_or_too_many_are_freed(void **state)
{
    struct buffer_pool pool = {0};
    give_one(&pool, BUFFER_POOL_BYTES_MAX + 1);
    assert_int_equal(pool.count, 0);
    for (size_t i = 0; i < BUFFER_POOL_SLOTS + 3; i++)
        give_one(&pool, 100);
    assert_int_equal(pool.count, BUFFER_POOL_SLOTS);
    buffer_pool_fini(&pool);
    assert_int_equal(pool.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_goes_round),
        cmocka_unit_test(test_too_large_or_too_many_are_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
