#include "hub/reply_queue.h"

#include "unit.h"

static const struct instant at_once = {0};
static struct buffer_pool pool;

static void answer(struct reply_queue *q, const char *text, uint64_t lsn, uint64_t after)
{
    struct buffer *out = reply_queue_begin(q, &pool);
    size_t before = buffer_len(out);
    assert_int_equal(buffer_append_str(out, text), 0);
    assert_int_equal(reply_queue_end(q, before, lsn, (struct instant){after}), 0);
}

/* What may leave now leaves, and is this. */
static void expect(struct reply_queue *q, uint64_t durable, uint64_t now, const char *want)
{
    struct bytes out = reply_queue_ready(q, durable, (struct instant){now});
    assert_bytes(out, bytes_from_str(want));
    reply_queue_sent(q, out.len, &pool);
}

static void test_nothing_held(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    answer(&q, "a", 0, 0);
    answer(&q, "b", 0, 0);
    expect(&q, 0, 0, "ab");
    assert_int_equal(reply_queue_len(&q), 0);
    assert_null(q.out.data); /* an idle queue owns nothing */
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
    assert_null(q.gates);
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
            reply_queue_sent(&q, out.len > 0, &pool);
        }
    }
    size_t left = reply_queue_len(&q);
    struct bytes out = reply_queue_ready(&q, 39, (struct instant){39});
    assert_int_equal(out.len, left - 2); /* all but the last */
    reply_queue_sent(&q, out.len, &pool);
    expect(&q, 40, 40, "xy");
    reply_queue_fini(&q);
}

static void test_taken_back(void **state)
{
    struct reply_queue q;
    reply_queue_init(&q);
    answer(&q, "kept", 0, 0);
    struct buffer *out = reply_queue_begin(&q, &pool);
    size_t before = buffer_len(out);
    assert_int_equal(buffer_append_str(out, "half of"), 0);
    reply_queue_cancel(&q, before, &pool);
    expect(&q, 0, 0, "kept");
    reply_queue_fini(&q);
}

static int free_pool(void **state)
{
    buffer_pool_fini(&pool);
    return 0;
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
    };
    return cmocka_run_group_tests(tests, NULL, free_pool);
}
