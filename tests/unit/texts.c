#include "lib/texts.h"

#include "base/limits.h"
#include "unit.h"

static struct text made(const char *from, uint64_t id, struct bytes words)
{
    struct text text = {.id = id, .words = words};
    memcpy(text.from, from, strlen(from));
    return text;
}

static void test_they_come_in_order(void **state)
{
    struct texts t;
    struct text one = made("alice", 1, BYTES("one")), two = made("bob", 7, BYTES("two"));
    texts_init(&t);
    assert_null(texts_take(&t));
    assert_int_equal(texts_add(&t, &one), 0);
    assert_int_equal(texts_add(&t, &two), 0);
    const struct text *first = texts_take(&t);
    assert_string_equal(first->from, "alice");
    assert_string_equal((const char *)first->words.data, "one");
    const struct text *second = texts_take(&t);
    assert_string_equal(second->from, "bob");
    assert_int_equal(second->id, 7);
    assert_null(texts_take(&t));
    assert_int_equal(t.bytes, 0);
    texts_fini(&t);
}

/* However short they are: each costs memory. */
static void test_no_more_than_the_limit_waits(void **state)
{
    struct texts t;
    struct text text = made("eve", 1, BYTES("x"));
    size_t n = 0;
    texts_init(&t);
    while (texts_add(&t, &text) == 0)
        n++;
    assert_int_equal(texts_add(&t, &text), TEXTS_FULL);
    assert_in_range(n * (sizeof text + 2), LIMIT_UNREAD_TEXT_BYTES,
                    LIMIT_UNREAD_TEXT_BYTES + 2 * sizeof text);
    assert_non_null(texts_take(&t));
    assert_non_null(texts_take(&t));
    assert_int_equal(texts_add(&t, &text), 0);
    texts_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_they_come_in_order),
        cmocka_unit_test(test_no_more_than_the_limit_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
