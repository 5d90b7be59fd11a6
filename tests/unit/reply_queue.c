#include "hub/reply_pool.h"

#include "base/limits.h"

#include "unit.h"

static const struct instant at_once = {0};

static void answer(struct reply_queue *q, const char *text, uint64_t lsn, uint64_t after)
{
    struct buffer *out = reply_queue_begin(q);
    assert_int_equal(buffer_append_str(out, text), 0);
    assert_int_equal(reply_queue_begun(q), strlen(text));
    assert_int_equal(reply_queue_end(q, lsn, (struct instant){after}), 0);
}

/* What may leave now leaves, and is this. */
static void expect(struct reply_queue *q, uint64_t durable, uint64_t now, const char *want)
{
    struct bytes out = reply_queue_ready(q, durable, (struct instant){now});
    assert_bytes(out, bytes_from_str(want));
    reply_queue_sent(q, out.len);
}

static void test_nothing_held(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    answer(&q, "a", 0, 0);
    answer(&q, "b", 0, 0);
    expect(&q, 0, 0, "ab");
    assert_int_equal(reply_queue_len(&q), 0);
    reply_queue_fini(&q);
}

static void test_held_until_durable(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    answer(&q, "a", 0, 0);
    answer(&q, "b", 5, 0);
    expect(&q, 4, 0, "a");
    answer(&q, "c", 0, 0); /* true already, but not before its turn */
    answer(&q, "d", 7, 0);
    expect(&q, 4, 0, "");
    expect(&q, 5, 0, "bc");
    expect(&q, 6, 0, "");
    expect(&q, 7, 0, "d");
    assert_null(reply_queue_gate(&q));
    reply_queue_fini(&q);
}

static void test_one_turn_shares_a_gate(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    for (uint64_t lsn = 1; lsn <= 100; lsn++)
        answer(&q, "+", lsn, 0);
    assert_int_equal(q.count, 1);
    assert_int_equal(reply_queue_ready(&q, 99, at_once).len, 0);
    answer(&q, "-", 101, 0); /* another turn: the first does not wait for it */
    assert_int_equal(q.count, 2);
    assert_int_equal(reply_queue_ready(&q, 100, at_once).len, 100);
    answer(&q, "-", 50, 0); /* waits for no more than what stands before it */
    assert_int_equal(q.count, 1);
    reply_queue_fini(&q);
}

static void test_held_until_a_moment(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    answer(&q, "a", 0, 10);
    answer(&q, "b", 3, 20);
    answer(&q, "c", 0, 0);
    assert_int_equal(reply_queue_gate(&q)->after.ns, 10);
    expect(&q, 9, 9, "");
    expect(&q, 9, 10, "a");
    expect(&q, 2, 30, "");
    expect(&q, 3, 30, "bc");
    assert_null(reply_queue_gate(&q));
    reply_queue_fini(&q);
}

/* Gates keep their places while bytes leave before them, piece by piece. */
static void test_bytes_leave_piece_by_piece(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    for (uint64_t i = 0; i < 40; i++) {
        answer(&q, "xy", i + 1, i + 1);
        if (i >= 4) {
            struct bytes out = reply_queue_ready(&q, i - 3, (struct instant){i - 3});
            reply_queue_sent(&q, out.len > 0);
        }
    }
    size_t left = reply_queue_len(&q);
    struct bytes out = reply_queue_ready(&q, 39, (struct instant){39});
    assert_int_equal(out.len, left - 2); /* all but the last */
    reply_queue_sent(&q, out.len);
    expect(&q, 40, 40, "xy");
    reply_queue_fini(&q);
}

static void test_taken_back(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    answer(&q, "kept", 0, 0);
    struct buffer *out = reply_queue_begin(&q);
    assert_int_equal(buffer_append_str(out, "half of"), 0);
    reply_queue_cancel(&q);
    expect(&q, 0, 0, "kept");
    reply_queue_fini(&q);
}

/* ---- pieces ---- */

static struct blob *blob_of(const char *text)
{
    struct blob *b = blob_copy(bytes_from_str(text), NULL);
    assert_non_null(b);
    return b;
}

static void add(struct reply_queue *q, struct blob *blob, const char *text)
{
    assert_int_equal(reply_queue_add(q, bytes_make(blob->memory, strlen(text)), blob), 0);
}

/* "<head" "piece" ">tail" as one reply; the queue keeps the only reference. */
static void answer_around(struct reply_queue *q, const char *head, const char *piece,
                          const char *tail, uint64_t lsn)
{
    struct blob *blob = blob_of(piece);
    struct buffer *out = reply_queue_begin(q);
    assert_int_equal(buffer_append_str(out, head), 0);
    add(q, blob, piece);
    assert_int_equal(buffer_append_str(out, tail), 0);
    assert_int_equal(reply_queue_begun(q), strlen(head) + strlen(piece) + strlen(tail));
    assert_int_equal(reply_queue_end(q, lsn, at_once), 0);
    blob_unref(blob);
}

static void test_pieces_leave_in_their_places(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    answer(&q, "a", 0, 0);
    answer_around(&q, "<", "one", ">", 0);
    answer_around(&q, "", "two", "", 0);
    answer_around(&q, "", "three", "!", 0);
    assert_int_equal(reply_queue_len(&q), strlen("a<one>twothree!"));
    expect(&q, 0, 0, "a<");
    struct bytes out = reply_queue_ready(&q, 0, at_once);
    assert_bytes(out, BYTES("one"));
    reply_queue_sent(&q, 2); /* the socket takes a part of it */
    expect(&q, 0, 0, "e");
    expect(&q, 0, 0, ">");
    expect(&q, 0, 0, "two");
    answer(&q, "b", 0, 0);
    expect(&q, 0, 0, "three");
    expect(&q, 0, 0, "!b");
    expect(&q, 0, 0, "");
    assert_int_equal(reply_queue_len(&q), 0);
    reply_queue_fini(&q);
}

static void test_pieces_are_held(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    answer_around(&q, "<", "one", ">", 0);
    answer_around(&q, "<", "two", ">", 5);
    assert_bytes(reply_queue_ready(&q, 4, at_once), BYTES("<")); /* ends the turn */
    answer_around(&q, "<", "three", ">", 7);
    expect(&q, 4, 0, "<");
    expect(&q, 4, 0, "one");
    expect(&q, 4, 0, ">"); /* not the next one's head */
    expect(&q, 4, 0, "");
    expect(&q, 5, 0, "<");
    expect(&q, 5, 0, "two");
    expect(&q, 5, 0, ">");
    expect(&q, 5, 0, "");
    expect(&q, 7, 0, "<");
    reply_queue_fini(&q); /* with what is left in it */
}

static void test_pieces_are_taken_back(void **state)
{
    struct reply_queue q;
    struct blob *blob = blob_of("piece");
    reply_queue_init(&q);
    answer_around(&q, "<", "kept", ">", 0);
    struct buffer *out = reply_queue_begin(&q);
    assert_int_equal(buffer_append_str(out, "half"), 0);
    add(&q, blob, "piece");
    add(&q, blob, "pie");
    assert_false(blob_is_unshared(blob));
    reply_queue_cancel(&q);
    assert_true(blob_is_unshared(blob));
    assert_int_equal(reply_queue_len(&q), strlen("<kept>"));
    for (int i = 0; i < 100; i++) { /* as many as there is room for, and more */
        reply_queue_begin(&q);
        add(&q, blob, "p");
        assert_int_equal(reply_queue_end(&q, 0, at_once), 0);
    }
    expect(&q, 0, 0, "<");
    expect(&q, 0, 0, "kept");
    expect(&q, 0, 0, ">");
    for (int i = 0; i < 100; i++)
        expect(&q, 0, 0, "p");
    assert_true(blob_is_unshared(blob));
    blob_unref(blob);
    reply_queue_fini(&q);
}

static void test_pieces_have_a_ceiling(void **state)
{
    struct reply_queue q;
    struct blob *blob = blob_of("x");
    reply_queue_init(&q);
    reply_queue_begin(&q);
    struct bytes half = bytes_make(blob->memory, LIMIT_REPLY_BYTES / 2);
    assert_int_equal(reply_queue_add(&q, half, blob), 0);
    assert_int_equal(reply_queue_add(&q, half, blob), 0);
    assert_int_equal(reply_queue_add(&q, bytes_first(half, 1), blob), BUFFER_FULL);
    reply_queue_cancel(&q);
    assert_true(blob_is_unshared(blob));
    blob_unref(blob);
    reply_queue_fini(&q);
}

/* ---- the pool ---- */

static void test_the_pool_keeps_what_is_small(void **state)
{
    struct reply_pool pool = {0};
    struct reply_queue *q = reply_pool_take(&pool);
    answer(q, "x", 1, 0);
    expect(q, 1, 0, "x");
    reply_pool_give(&pool, q);
    assert_ptr_equal(reply_pool_take(&pool), q);
    assert_int_equal(pool.count, 0);
    uint8_t *space;
    assert_int_equal(buffer_reserve(reply_queue_begin(q), REPLY_POOL_BYTES_MAX + 1, &space), 0);
    reply_pool_give(&pool, q); /* too large */
    assert_int_equal(pool.count, 0);
    q = reply_pool_take(&pool);
    answer_around(q, "<", "one", ">", 0);
    reply_pool_give(&pool, q); /* not empty: a connection has ended */
    assert_int_equal(pool.count, 0);
    struct reply_queue *many[REPLY_POOL_SLOTS + 1];
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = reply_pool_take(&pool);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        reply_pool_give(&pool, many[i]);
    assert_int_equal(pool.count, REPLY_POOL_SLOTS);
    reply_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_held),
        cmocka_unit_test(test_held_until_durable),
        cmocka_unit_test(test_one_turn_shares_a_gate),
        cmocka_unit_test(test_held_until_a_moment),
        cmocka_unit_test(test_bytes_leave_piece_by_piece),
        cmocka_unit_test(test_taken_back),
        cmocka_unit_test(test_pieces_leave_in_their_places),
        cmocka_unit_test(test_pieces_are_held),
        cmocka_unit_test(test_pieces_are_taken_back),
        cmocka_unit_test(test_pieces_have_a_ceiling),
        cmocka_unit_test(test_the_pool_keeps_what_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
