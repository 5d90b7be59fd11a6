#include "peer/receiving_course.h"

#include "unit.h"

enum { CHUNK = TRANSFER_CHUNK_BYTES };

static const struct receiving_terms open_terms = {
    .cap = UINT64_MAX, .bytes = TRANSFER_SIZE_UNKNOWN, .entries = TRANSFER_SIZE_UNKNOWN};

static struct transfer_message entry(uint64_t number, uint64_t size)
{
    return (struct transfer_message){
        .type = TRANSFER_ENTRY,
        .number = number,
        .entry = {
            .number = number, .kind = TRANSFER_FILE, .size = size, .name = BYTES("name")}};
}

static struct transfer_message afresh(uint64_t number, uint64_t size)
{
    struct transfer_message m = entry(number, size);
    m.type = TRANSFER_AFRESH;
    return m;
}

static struct transfer_message content(enum transfer_message_type type, uint64_t number,
                                       uint64_t offset, uint64_t length)
{
    return (struct transfer_message){
        .type = type, .number = number, .offset = offset, .length = length};
}

/* What the last of them came to; all others pass. */
static int play(const struct receiving_terms *terms, const struct transfer_message *m, size_t n,
                uint64_t *ret_bytes)
{
    struct receiving_course c;
    receiving_course_init(&c, terms);
    for (size_t i = 0; i + 1 < n; i++)
        assert_int_equal(receiving_course_take(&c, &m[i]), 0);
    int r = receiving_course_take(&c, &m[n - 1]);
    *ret_bytes = c.bytes;
    return r;
}

#define PLAY(terms, ret_bytes, ...)                               \
    play(terms, (const struct transfer_message[]){__VA_ARGS__},   \
         sizeof((const struct transfer_message[]){__VA_ARGS__}) / \
             sizeof(struct transfer_message),                     \
         ret_bytes)

#define E(number, size) entry(number, size)
#define A(number, size) afresh(number, size)
#define C(number, offset, length) content(TRANSFER_CHUNK, number, offset, length)
#define H(number, offset, length) content(TRANSFER_HOLE, number, offset, length)
#define W(number, length) content(TRANSFER_WHOLE, number, 0, length)
#define D(number) content(TRANSFER_DROPPED, number, 0, 0)

static void test_what_may_follow(void **state)
{
    const struct receiving_terms *t = &open_terms;
    uint64_t n;
    assert_int_equal(PLAY(t, &n, E(0, 5), C(0, 0, 5), W(0, 5), E(1, 0), W(1, 0)), 0);
    assert_int_equal(n, 5);
    assert_int_equal(
        PLAY(t, &n, E(0, CHUNK + 5), H(0, 0, CHUNK), C(0, CHUNK, 5), W(0, CHUNK + 5)), 0);
    assert_int_equal(n, CHUNK + 5);
    assert_int_equal(PLAY(t, &n, E(0, 5), C(0, 0, 5), A(0, 3), C(0, 0, 3), W(0, 3)), 0);
    assert_int_equal(n, 3);
    assert_int_equal(PLAY(t, &n, E(0, 5), C(0, 0, 5), D(0), E(1, 1)), 0);
    assert_int_equal(n, 0);
    assert_int_equal(PLAY(t, &n, E(0, TRANSFER_SIZE_UNKNOWN), C(0, 0, CHUNK), C(0, CHUNK, 1),
                          W(0, CHUNK + 1)),
                     0);
}

static void test_what_may_not(void **state)
{
    const struct receiving_terms *t = &open_terms;
    struct transfer_message deep = entry(0, 1), other = afresh(0, 1);
    uint64_t n;
    deep.entry.depth = 1;
    other.entry.name = BYTES("other");
    assert_int_equal(PLAY(t, &n, E(1, 0)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, deep), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), E(1, 1)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), E(0, 1)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), C(1, 0, 1)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), C(0, 0, 2)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 9), C(0, 0, 2)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), C(0, CHUNK, 1)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), C(0, 0, 1), C(0, 0, 1)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 2 * CHUNK), H(0, 0, CHUNK + 1)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), W(0, 1)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), W(0, 0)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 0), W(0, 0), W(0, 0)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 0), D(1)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 0), W(0, 0), D(0)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, A(0, 0)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), other), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, 1), A(1, 1)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, E(0, TRANSFER_SIZE_UNKNOWN), C(0, 0, 9), C(0, CHUNK, 1)),
                     TRANSFER_BROKEN);
    assert_int_equal(PLAY(t, &n, content(TRANSFER_END, 0, 0, 0)), TRANSFER_BROKEN);
}

static void test_sha256_as_agreed(void **state)
{
    struct receiving_terms t = open_terms;
    struct transfer_message with = W(0, 0);
    uint64_t n;
    with.has_sha256 = true;
    assert_int_equal(PLAY(&t, &n, E(0, 0), with), TRANSFER_BROKEN);
    t.sha256 = true;
    assert_int_equal(PLAY(&t, &n, E(0, 0), with), 0);
    assert_int_equal(PLAY(&t, &n, E(0, 0), W(0, 0)), TRANSFER_BROKEN);
}

static void test_what_was_offered(void **state)
{
    struct receiving_terms t = {.cap = UINT64_MAX, .bytes = 10, .entries = 2};
    uint64_t n;
    assert_int_equal(PLAY(&t, &n, E(0, 10)), 0);
    assert_int_equal(PLAY(&t, &n, E(0, 11)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(&t, &n, E(0, 5), C(0, 0, 5), W(0, 5), E(1, 6)), TRANSFER_BROKEN);
    assert_int_equal(PLAY(&t, &n, E(0, 0), W(0, 0), E(1, 0), W(1, 0), E(2, 0)),
                     TRANSFER_BROKEN);
    assert_int_equal(PLAY(&t, &n, E(0, TRANSFER_SIZE_UNKNOWN), C(0, 0, 11)), TRANSFER_BROKEN);
    /* a file that has grown since, may */
    assert_int_equal(PLAY(&t, &n, E(0, 10), A(0, 15), C(0, 0, 15), W(0, 15), E(1, 0)), 0);
    assert_int_equal(PLAY(&t, &n, E(0, 10), A(0, 15), C(0, 0, 15), W(0, 15), E(1, 1)),
                     TRANSFER_BROKEN);
    assert_int_equal(PLAY(&t, &n, E(0, 10), A(0, 15), A(0, 10), C(0, 0, 10), W(0, 10), E(1, 1)),
                     TRANSFER_BROKEN);
}

static void test_what_was_accepted(void **state)
{
    struct receiving_terms t = open_terms;
    uint64_t n;
    t.cap = 2 * LIMIT_TRANSFER_ENTRY_BYTES + 10;
    assert_int_equal(PLAY(&t, &n, E(0, LIMIT_TRANSFER_ENTRY_BYTES + 10)), 0);
    assert_int_equal(PLAY(&t, &n, E(0, LIMIT_TRANSFER_ENTRY_BYTES + 11)), TRANSFER_TOO_MUCH);
    assert_int_equal(PLAY(&t, &n, E(0, 10), C(0, 0, 10), W(0, 10), E(1, 1)), TRANSFER_TOO_MUCH);
    assert_int_equal(PLAY(&t, &n, E(0, 10), A(0, 5000)), TRANSFER_TOO_MUCH);
    assert_int_equal(PLAY(&t, &n, E(0, 0), W(0, 0), E(1, 0), W(1, 0), E(2, 0)),
                     TRANSFER_TOO_MUCH);
}

static void test_forgotten(void **state)
{
    struct receiving_course c;
    struct transfer_message e = entry(0, 5), chunk = C(0, 0, 5), whole = W(0, 5);
    receiving_course_init(&c, &open_terms);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receiving_course_take(&c, &e), 0);
        assert_int_equal(receiving_course_take(&c, &chunk), 0);
        assert_int_equal(c.bytes, 5);
        if (i == 0)
            receiving_course_forget(&c);
        assert_int_equal(c.bytes, i == 0 ? 0 : 5);
    }
    assert_int_equal(receiving_course_take(&c, &whole), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_may_follow),   cmocka_unit_test(test_what_may_not),
        cmocka_unit_test(test_sha256_as_agreed),  cmocka_unit_test(test_what_was_offered),
        cmocka_unit_test(test_what_was_accepted), cmocka_unit_test(test_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
