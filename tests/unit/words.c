#include "peer/words.h"
#include "peer/talk.h"

#include "unit.h"

struct both {
    struct words w[2];
    struct buffer out[2]; /* of each */
};

static void begin(struct both *b, uint8_t key_seen_by_second)
{
    struct random_id id = {.bytes = {9}};
    struct public_key keys[] = {{.bytes = {1}}, {.bytes = {2}}};
    struct public_key seen[] = {{.bytes = {2}}, {.bytes = {key_seen_by_second}}};
    const uint8_t nonces[2][WORDS_NONCE_BYTES] = {{3}, {4}};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        assert_int_equal(pair_init(&p, &id, i ? BYTES("bob") : BYTES("anna"), &keys[i],
                                   i ? BYTES("anna") : BYTES("bob"), &seen[i]),
                         0);
        buffer_init(&b->out[i], 1000);
        assert_int_equal(words_init(&b->w[i], &p, nonces[i], &b->out[i]), 0);
    }
}

static void finish(struct both *b)
{
    for (int i = 0; i < 2; i++) {
        words_fini(&b->w[i]);
        buffer_fini(&b->out[i]);
    }
}

/* The first of what one side has said, to the other. */
static int carry(struct both *b, int from)
{
    uint8_t m[33];
    assert_true(buffer_len(&b->out[from]) >= sizeof m);
    memcpy(m, buffer_view(&b->out[from]).data, sizeof m);
    buffer_consume(&b->out[from], sizeof m);
    return words_feed(&b->w[1 - from], bytes_make(m, sizeof m), &b->out[1 - from]);
}

static void test_both_see_the_same(void **state)
{
    struct both b;
    begin(&b, 1);
    assert_int_equal(carry(&b, 0), 0);
    assert_int_equal(carry(&b, 1), 0);
    assert_int_equal(b.w[0].state, WORDS_REVEALED);
    assert_int_equal(carry(&b, 0), 0);
    assert_int_equal(carry(&b, 1), 0);
    for (int i = 0; i < WORDS_COUNT; i++)
        assert_string_equal(b.w[0].shown[i], b.w[1].shown[i]);
    assert_int_equal(b.w[0].state, WORDS_SHOWN);
    finish(&b);
}

static void test_another_key_is_found_out(void **state)
{
    struct both b;
    begin(&b, 7);
    assert_int_equal(carry(&b, 0), 0);
    assert_int_equal(carry(&b, 1), 0);
    assert_int_equal(carry(&b, 0), WORDS_WRONG);
    assert_int_equal(b.w[1].state, WORDS_FAILED);
    finish(&b);
}

/* Whoever learns a nonce cannot change his own any more, and nothing is revealed before. */
static void test_out_of_order(void **state)
{
    struct both b;
    uint8_t m[33] = {TALK_WORDS_REVEAL, 1};
    begin(&b, 1);
    assert_int_equal(words_feed(&b.w[0], bytes_make(m, 33), &b.out[0]), WORDS_WRONG);
    assert_int_equal(b.w[0].state, WORDS_FAILED);
    assert_int_equal(buffer_len(&b.out[0]), 33); /* the commitment alone */
    finish(&b);
    begin(&b, 1);
    assert_int_equal(carry(&b, 0), 0);
    assert_int_equal(words_feed(&b.w[1], bytes_make(m, 33), &b.out[1]), WORDS_WRONG);
    finish(&b);
    begin(&b, 1);
    assert_int_equal(carry(&b, 0), 0);
    m[0] = TALK_WORDS_COMMIT;
    assert_int_equal(words_feed(&b.w[1], bytes_make(m, 33), &b.out[1]), WORDS_WRONG);
    finish(&b);
    begin(&b, 1);
    assert_int_equal(words_feed(&b.w[1], bytes_make(m, 32), &b.out[1]), WORDS_WRONG);
    finish(&b);
}

static void test_the_list(void **state)
{
    for (unsigned i = 0; i < WORDS_LIST; i++) {
        size_t len = strlen(words_word(i));
        assert_true(len >= 3 && len <= 7);
        if (i > 0)
            assert_true(strncmp(words_word(i - 1), words_word(i), 4) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_see_the_same),
        cmocka_unit_test(test_another_key_is_found_out),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
