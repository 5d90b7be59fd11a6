#include "peer/compare.h"

#include "base/limits.h"
#include "peer/talk.h"
#include "unit.h"

struct both {
    struct compare c[2];
    struct buffer out[2]; /* of each, messages of 33 bytes or of one */
    uint8_t nonce;
    enum compare_event seen[2]; /* the last of each that was something */
};

static const struct instant now = {1000000000};

static void begin_with(struct both *b, uint8_t key_seen_by_second)
{
    struct random_id id = {.bytes = {9}};
    struct public_key keys[] = {{.bytes = {1}}, {.bytes = {2}}};
    struct public_key seen[] = {{.bytes = {2}}, {.bytes = {key_seen_by_second}}};
    *b = (struct both){.nonce = 1};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        assert_int_equal(pair_init(&p, &id, i ? BYTES("bob") : BYTES("anna"), &keys[i],
                                   i ? BYTES("anna") : BYTES("bob"), &seen[i]),
                         0);
        compare_init(&b->c[i], &p, true);
        buffer_init(&b->out[i], 1000);
    }
}

static void finish(struct both *b)
{
    for (int i = 0; i < 2; i++) {
        compare_fini(&b->c[i]);
        buffer_fini(&b->out[i]);
    }
}

static void fill(struct both *b, uint8_t nonce[WORDS_NONCE_BYTES])
{
    memset(nonce, b->nonce++, WORDS_NONCE_BYTES);
}

static void ask(struct both *b, int side)
{
    uint8_t nonce[WORDS_NONCE_BYTES];
    fill(b, nonce);
    assert_int_equal(compare_begin(&b->c[side], nonce, now, &b->out[side]), 0);
}

static void hear(struct both *b, int side, struct bytes message)
{
    uint8_t nonce[WORDS_NONCE_BYTES];
    enum compare_event e;
    fill(b, nonce);
    assert_int_equal(compare_hear(&b->c[side], message, nonce, &b->out[side], &e), 0);
    if (e != COMPARE_NOTHING)
        b->seen[side] = e;
}

/* The first of what one side has said, to the other. */
static bool carry(struct both *b, int from)
{
    uint8_t m[33];
    size_t len = buffer_len(&b->out[from]);
    if (len == 0)
        return false;
    size_t n = compare_message_len(buffer_view(&b->out[from]));
    assert_true(len >= n);
    memcpy(m, buffer_view(&b->out[from]).data, n);
    buffer_consume(&b->out[from], n);
    hear(b, 1 - from, bytes_make(m, n));
    return true;
}

static void carry_all(struct both *b)
{
    while (carry(b, 0) || carry(b, 1))
        ;
}

static void expect_same(struct both *b)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(b->seen[i], COMPARE_SHOWN);
        assert_int_equal(b->c[i].state, COMPARE_IDLE);
        b->seen[i] = COMPARE_NOTHING;
    }
    for (int i = 0; i < WORDS_COUNT; i++)
        assert_string_equal(b->c[0].words.shown[i], b->c[1].words.shown[i]);
}

static void test_either_side_begins(void **state)
{
    struct both b;
    const char *before[WORDS_COUNT];
    begin_with(&b, 1);
    for (int side = 0; side < 2; side++) {
        ask(&b, side);
        carry_all(&b);
        expect_same(&b);
        if (side == 1) /* another round has other words */
            assert_memory_not_equal(before, b.c[0].words.shown, sizeof before);
        memcpy(before, b.c[0].words.shown, sizeof before);
    }
    finish(&b);
}

static void test_both_begin_at_once(void **state)
{
    struct both b;
    begin_with(&b, 1);
    ask(&b, 0);
    ask(&b, 1);
    carry_all(&b);
    expect_same(&b);
    ask(&b, 0);
    carry(&b, 0);
    ask(&b, 1); /* it is under way */
    ask(&b, 0);
    carry_all(&b);
    expect_same(&b);
    finish(&b);
}

/* Two sessions with somebody in between, each with his key: the words are not the same. */
static void test_somebody_in_between(void **state)
{
    struct random_id ids[] = {{.bytes = {9}}, {.bytes = {8}}};
    struct public_key anna = {.bytes = {1}}, bob = {.bytes = {2}}, eve = {.bytes = {3}};
    const char *shown[2][WORDS_COUNT];
    for (int victim = 0; victim < 2; victim++) {
        struct both b;
        struct pair p[2];
        const struct public_key *his = victim == 0 ? &anna : &bob;
        assert_int_equal(
            pair_init(&p[0], &ids[victim], BYTES("victim"), his, BYTES("friend"), &eve), 0);
        assert_int_equal(
            pair_init(&p[1], &ids[victim], BYTES("friend"), &eve, BYTES("victim"), his), 0);
        begin_with(&b, 1);
        for (int i = 0; i < 2; i++)
            compare_init(&b.c[i], &p[i], true);
        ask(&b, 0);
        carry_all(&b);
        expect_same(&b);
        memcpy(shown[victim], b.c[0].words.shown, sizeof shown[victim]);
        finish(&b);
    }
    assert_memory_not_equal(shown[0], shown[1], sizeof shown[0]);
}

static void test_another_key_is_found_out(void **state)
{
    struct both b;
    begin_with(&b, 7);
    ask(&b, 0);
    carry_all(&b);
    assert_int_equal(b.seen[1], COMPARE_FAILED);
    assert_int_equal(b.c[1].state, COMPARE_WRONG);
    ask(&b, 1); /* it is final */
    assert_int_equal(buffer_len(&b.out[1]), 0);
    hear(&b, 1,
         BYTES("\x10"
               "01234567890123456789012345678901"));
    assert_int_equal(buffer_len(&b.out[1]), 0);
    finish(&b);
}

static void test_nobody_is_there(void **state)
{
    struct both b;
    begin_with(&b, 1);
    b.c[1].person = false;
    ask(&b, 0);
    carry_all(&b);
    assert_int_equal(b.seen[0], COMPARE_REFUSED);
    assert_int_equal(b.seen[1], COMPARE_NOTHING);
    assert_int_equal(b.c[0].state, COMPARE_IDLE);
    b.c[1].person = true;
    ask(&b, 0);
    carry_all(&b);
    expect_same(&b);
    finish(&b);
}

/* A refusal that nobody has asked for, or that comes too late, is nothing. */
static void test_a_stray_refusal(void **state)
{
    struct both b;
    const uint8_t refuse = TALK_WORDS_REFUSE;
    begin_with(&b, 1);
    hear(&b, 0, bytes_make(&refuse, 1));
    ask(&b, 0);
    carry(&b, 0);
    carry(&b, 1);
    hear(&b, 0, bytes_make(&refuse, 1));
    assert_int_equal(b.seen[0], COMPARE_NOTHING);
    carry_all(&b);
    expect_same(&b);
    finish(&b);
}

/* A difference is of words that were shown. */
static void test_they_differ(void **state)
{
    struct both b;
    const uint8_t differ = TALK_WORDS_DIFFER;
    begin_with(&b, 1);
    hear(&b, 0, bytes_make(&differ, 1));
    ask(&b, 0);
    hear(&b, 0, bytes_make(&differ, 1));
    assert_int_equal(b.seen[0], COMPARE_NOTHING);
    carry_all(&b);
    expect_same(&b);
    hear(&b, 1, bytes_make(&differ, 1));
    assert_int_equal(b.seen[1], COMPARE_DIFFER);
    finish(&b);
}

static void test_what_fits_nothing(void **state)
{
    static const struct bytes lies[] = {BYTES("\x11"
                                              "01234567890123456789012345678901"),
                                        BYTES("\x10"), BYTES("\x11")};
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        struct both b;
        begin_with(&b, 1);
        hear(&b, 0, lies[i]);
        assert_int_equal(b.seen[0], COMPARE_FAILED);
        assert_int_equal(b.c[0].state, COMPARE_WRONG);
        finish(&b);
    }
}

static void test_other_messages(void **state)
{
    struct both b;
    begin_with(&b, 1);
    ask(&b, 0);
    hear(&b, 0, BYTES("\x01"));
    hear(&b, 0, BYTES("\x20x"));
    hear(&b, 0, BYTES(""));
    assert_int_equal(b.seen[0], COMPARE_NOTHING);
    assert_int_equal(b.c[0].state, COMPARE_UNDER_WAY);
    carry_all(&b);
    expect_same(&b);
    finish(&b);
}

static void test_words_that_are_late(void **state)
{
    struct both b;
    struct instant late = instant_after_ms(now, LIMIT_WORDS_MS);
    begin_with(&b, 1);
    assert_false(compare_is_late(&b.c[0], late));
    ask(&b, 0);
    assert_false(compare_is_late(&b.c[0], (struct instant){late.ns - 1}));
    assert_true(compare_is_late(&b.c[0], late));
    assert_false(compare_is_late(&b.c[0], late));
    carry_all(&b); /* they come all the same */
    expect_same(&b);
    ask(&b, 0);
    carry_all(&b);
    assert_false(compare_is_late(&b.c[0], late));
    assert_false(compare_is_late(&b.c[1], late));
    finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_either_side_begins),
        cmocka_unit_test(test_both_begin_at_once),
        cmocka_unit_test(test_somebody_in_between),
        cmocka_unit_test(test_another_key_is_found_out),
        cmocka_unit_test(test_nobody_is_there),
        cmocka_unit_test(test_a_stray_refusal),
        cmocka_unit_test(test_they_differ),
        cmocka_unit_test(test_what_fits_nothing),
        cmocka_unit_test(test_other_messages),
        cmocka_unit_test(test_words_that_are_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
