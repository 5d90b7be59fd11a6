#include "base/buffer.h"

#include "unit.h"

static void test_append_and_consume(void **state)
{
    struct buffer b;
    buffer_init(&b, 100);
    assert_int_equal(buffer_append(&b, NULL, 0), 0);
    assert_bytes(buffer_view(&b), BYTES(""));
    assert_int_equal(buffer_append_str(&b, "hello "), 0);
    assert_int_equal(buffer_append_bytes(&b, BYTES("w\0rld")), 0);
    assert_bytes(buffer_view(&b), BYTES("hello w\0rld"));
    buffer_consume(&b, 6);
    assert_bytes(buffer_view(&b), BYTES("w\0rld"));
    buffer_truncate(&b, 2);
    assert_bytes(buffer_view(&b), BYTES("w\0"));
    buffer_consume(&b, 2);
    assert_int_equal(buffer_len(&b), 0);
    assert_int_equal(b.start, 0);
    buffer_fini(&b);
    assert_null(b.data);
}

static void test_zeroed_is_full(void **state)
{
    struct buffer b = {0};
    uint8_t *space;
    assert_int_equal(buffer_reserve(&b, 0, &space), 0);
    assert_int_equal(buffer_append_str(&b, "x"), BUFFER_FULL);
    assert_null(b.data);
    buffer_fini(&b);
}

static void test_ceiling(void **state)
{
    struct buffer b;
    uint8_t *space;
    buffer_init(&b, 5);
    assert_int_equal(buffer_append_str(&b, "123456"), BUFFER_FULL);
    assert_int_equal(buffer_append_str(&b, "1234"), 0);
    assert_int_equal(buffer_append_str(&b, "56"), BUFFER_FULL);
    assert_int_equal(buffer_reserve(&b, SIZE_MAX, &space), BUFFER_FULL);
    assert_bytes(buffer_view(&b), BYTES("1234"));
    assert_int_equal(buffer_append_str(&b, "5"), 0);
    assert_int_equal(buffer_append_str(&b, "6"), BUFFER_FULL);
    buffer_consume(&b, 2);
    assert_int_equal(buffer_append_str(&b, "67"), 0);
    assert_bytes(buffer_view(&b), BYTES("34567"));
    buffer_release(&b);
    assert_null(b.data);
    assert_int_equal(buffer_append_str(&b, "12345"), 0);
    buffer_fini(&b);
}

static void test_printf(void **state)
{
    struct buffer b;
    buffer_init(&b, 6);
    assert_int_equal(buffer_printf(&b, "%d-%s", 12, "abcd"), BUFFER_FULL);
    assert_int_equal(buffer_len(&b), 0);
    assert_int_equal(buffer_printf(&b, "%d-%s", 12, "abc"), 0);
    assert_bytes(buffer_view(&b), BYTES("12-abc"));
    assert_int_equal(buffer_printf(&b, "%s", ""), 0);
    assert_int_equal(buffer_printf(&b, "x"), BUFFER_FULL);
    buffer_fini(&b);
}

/* A flow through a buffer that always holds n bytes: it stays in order, and no more is
 * moved than flows, but for growing, whatever the part of the ceiling that n is. */
static void flow(size_t max, size_t n)
{
    struct buffer b;
    uint8_t *space, next = 0, expected = 0;
    size_t moved = 0;
    buffer_init(&b, max);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buffer_append(&b, &(uint8_t){next++}, 1), 0);
    for (size_t i = 0; i < 10 * max; i++) {
        assert_int_equal(buffer_view(&b).data[0], expected++);
        buffer_consume(&b, 1);
        const uint8_t *end = b.data + b.end;
        assert_int_equal(buffer_reserve(&b, 1, &space), 0);
        moved += space != end ? buffer_len(&b) : 0;
        *space = next++;
        buffer_wrote(&b, 1);
    }
    assert_true(moved <= 12 * max);
    assert_true(b.capacity <= 2 * max);
    buffer_fini(&b);
}

static void test_flow_moves_little(void **state)
{
    static const size_t sizes[] = {1, 100, 511, 512, 513, 1000, 1023, 1024};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        flow(1024, sizes[i]);
}

static void test_growth_is_seldom(void **state)
{
    struct buffer b;
    size_t grown = 0, max = 100000;
    buffer_init(&b, max);
    for (size_t i = 0; i < max; i++) {
        size_t before = b.capacity;
        assert_int_equal(buffer_append(&b, "x", 1), 0);
        grown += b.capacity != before;
    }
    assert_true(grown <= 10);
    assert_int_equal(b.capacity, max);
    buffer_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_and_consume),
        cmocka_unit_test(test_zeroed_is_full),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_printf),
        cmocka_unit_test(test_flow_moves_little),
        cmocka_unit_test(test_growth_is_seldom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
