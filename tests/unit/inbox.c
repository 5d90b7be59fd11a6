#include "hub/inbox.h"

#include "base/limits.h"

#include "unit.h"

enum { LARGE = LIMIT_LARGE_BYTES + 1, HEAD = 3 };

static struct inbox *open_inbox(void)
{
    struct inbox *b = inbox_new(NULL);
    assert_non_null(b);
    return b;
}

static void receive(struct inbox *b, char fill, size_t n)
{
    char *data = malloc(n);
    assert_non_null(data);
    memset(data, fill, n);
    assert_int_equal(inbox_append(b, bytes_make(data, n)), 0);
    free(data);
}

static struct bytes at(const struct inbox *b, size_t from, size_t n)
{
    return bytes_first(bytes_from(inbox_view(b), from), n);
}

/* A message of a head and a large argument, and something behind it. */
static void test_the_memory_is_shared_and_stays(void **state)
{
    struct inbox *b = open_inbox();
    receive(b, 'h', HEAD);
    receive(b, 'x', LARGE);
    receive(b, 't', 5);
    const uint8_t *memory = inbox_view(b).data;
    struct bytes argv[] = {at(b, 0, HEAD), at(b, HEAD, LARGE)};
    assert_int_equal(inbox_share(b, HEAD + LARGE, argv, 2), 0);
    assert_ptr_equal(argv[1].data, memory + HEAD); /* not copied */
    struct blob *blob = inbox_blob(b, argv[1]);
    assert_non_null(blob);
    assert_null(inbox_blob(b, argv[0]));
    assert_int_equal(inbox_view(b).len, HEAD + LARGE); /* the message alone */
    assert_int_equal(inbox_len(b), HEAD + LARGE + 5);

    receive(b, 't', LARGE); /* what comes behind it does not move it */
    struct bytes again[] = {at(b, 0, HEAD), at(b, HEAD, LARGE)};
    assert_int_equal(inbox_share(b, HEAD + LARGE, again, 2), 0);
    assert_ptr_equal(again[1].data, argv[1].data);
    assert_ptr_equal(inbox_blob(b, again[1]), blob);

    blob_ref(blob); /* the table's */
    inbox_consume(b, 0);
    assert_int_equal(inbox_view(b).len, HEAD + LARGE);
    inbox_consume(b, HEAD + LARGE);
    assert_true(blob_is_unshared(blob));
    assert_int_equal(inbox_view(b).len, 5 + LARGE);
    assert_int_equal(inbox_view(b).data[0], 't');
    assert_null(inbox_blob(b, again[1]));
    inbox_free(b);
    assert_int_equal(argv[1].data[LARGE - 1], 'x'); /* it outlives the connection */
    blob_unref(blob);
}

/* No argument keeps the memory of the others alive. */
static void test_of_several_each_has_its_own(void **state)
{
    struct inbox *b = open_inbox();
    receive(b, 'a', LARGE);
    receive(b, 'b', 4 * LARGE);
    receive(b, 'c', LARGE);
    assert_int_equal(buffer_reserve_exactly(&b->bytes, 0), 0);
    struct bytes argv[] = {at(b, 0, LARGE), at(b, LARGE, 4 * LARGE), at(b, 5 * LARGE, LARGE)};
    assert_int_equal(inbox_share(b, 6 * LARGE, argv, 3), 0);
    struct blob *blobs[3];
    for (size_t i = 0; i < 3; i++) {
        blobs[i] = inbox_blob(b, argv[i]);
        assert_non_null(blobs[i]);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(blobs[i], blobs[k]);
        assert_int_equal(argv[i].data[0], "abc"[i]);
        assert_int_equal(argv[i].data[argv[i].len - 1], "abc"[i]);
    }
    struct bytes again[] = {at(b, 0, LARGE), at(b, LARGE, 4 * LARGE), at(b, 5 * LARGE, LARGE)};
    assert_int_equal(inbox_share(b, 6 * LARGE, again, 3), 0);
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(again[i].data, argv[i].data);
    blob_ref(blobs[2]);
    inbox_free(b);
    assert_true(blob_is_unshared(blobs[2]));
    blob_unref(blobs[2]);
}

static void test_small_ones_are_not_shared(void **state)
{
    struct inbox *b = open_inbox();
    receive(b, 'x', LIMIT_LARGE_BYTES);
    struct bytes argv[] = {inbox_view(b)};
    assert_int_equal(inbox_share(b, LIMIT_LARGE_BYTES, argv, 1), 0);
    assert_null(inbox_blob(b, argv[0]));
    inbox_consume(b, 10);
    assert_int_equal(inbox_view(b).len, LIMIT_LARGE_BYTES - 10);
    inbox_free(b);
    inbox_free(NULL);
}

/* Room for all of a large message, once and for all; read bit by bit, and no byte too far. */
static void test_a_large_message_never_moves(void **state)
{
    struct inbox *b = open_inbox();
    uint8_t *space;
    size_t total = 2 * LIMIT_LARGE_READ_BYTES + HEAD + 100;
    assert_int_equal(inbox_space(b, LIMIT_LARGE_BYTES, &space), 0);
    receive(b, 'x', HEAD);
    assert_int_equal(inbox_space(b, HEAD, &space), 0);
    assert_int_equal(inbox_space(b, LIMIT_INPUT_BYTES + 1, &space), 0);
    assert_int_equal(inbox_space(b, total, &space), LIMIT_LARGE_READ_BYTES);
    const uint8_t *memory = b->bytes.data;
    assert_int_equal(b->bytes.capacity, total + LIMIT_READ_BYTES);
    for (size_t n; (n = inbox_space(b, total, &space)) > 0;) {
        assert_ptr_equal(space, memory + inbox_len(b));
        memset(space, 'y', n);
        assert_int_equal(inbox_append(b, bytes_make(space, n)), 0);
    }
    assert_in_range(total - inbox_len(b), 1, LIMIT_READ_BYTES);
    receive(b, 'z', LIMIT_READ_BYTES); /* its end, and more */
    assert_ptr_equal(b->bytes.data, memory);
    assert_int_equal(memory[HEAD - 1], 'x');
    assert_int_equal(memory[2 * LIMIT_LARGE_READ_BYTES], 'y');
    inbox_free(b);

    b = open_inbox(); /* long, but of small arguments: they are not read one by one */
    receive(b, 'x', 2 * LIMIT_LARGE_BYTES);
    assert_int_equal(inbox_space(b, 2 * LIMIT_LARGE_BYTES + 10, &space), 0);
    inbox_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_memory_is_shared_and_stays),
        cmocka_unit_test(test_of_several_each_has_its_own),
        cmocka_unit_test(test_small_ones_are_not_shared),
        cmocka_unit_test(test_a_large_message_never_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
