#include "lib/messages.h"

#include "base/limits.h"
#include "unit.h"

static struct message made(const char *from, uint64_t number, struct bytes words)
{
    struct message text = {.number = number, .words = words};
    memcpy(text.from, from, strlen(from));
    return text;
}

static void test_they_come_in_order(void **state)
{
    struct messages t;
    struct message one = made("alice", 1, BYTES("one")), two = made("bob", 7, BYTES("two"));
    messages_init(&t);
    assert_null(messages_take(&t));
    assert_int_equal(messages_add(&t, &one), 0);
    assert_int_equal(messages_add(&t, &two), 0);
    const struct message *first = messages_take(&t);
    assert_string_equal(first->from, "alice");
    assert_string_equal((const char *)first->words.data, "one");
    const struct message *second = messages_take(&t);
    assert_string_equal(second->from, "bob");
    assert_int_equal(second->number, 7);
    assert_null(messages_take(&t));
    assert_int_equal(t.bytes, 0);
    messages_fini(&t);
}

/* However short they are: each costs memory. */
static void test_no_more_than_the_limit_waits(void **state)
{
    struct messages t;
    struct message text = made("eve", 1, BYTES("x"));
    size_t n = 0;
    messages_init(&t);
    while (messages_add(&t, &text) == 0)
        n++;
    assert_int_equal(messages_add(&t, &text), MESSAGES_FULL);
    assert_in_range(n * (sizeof text + 2), LIMIT_UNREAD_TEXT_BYTES,
                    LIMIT_UNREAD_TEXT_BYTES + 2 * sizeof text);
    assert_non_null(messages_take(&t));
    assert_non_null(messages_take(&t));
    assert_int_equal(messages_add(&t, &text), 0);
    messages_fini(&t);
}

static void test_a_letter_is_known_while_it_waits(void **state)
{
    struct messages t;
    struct message text = made("alice", 1, BYTES("x")), letter = made("bob", 0, BYTES("y"));
    letter.kind = KITH_LETTER;
    letter.id.bytes[0] = 7;
    messages_init(&t);
    assert_null(messages_first(&t));
    assert_int_equal(messages_add(&t, &text), 0);
    assert_false(messages_has_letter(&t, &text.id));
    assert_int_equal(messages_add(&t, &letter), 0);
    assert_true(messages_has_letter(&t, &letter.id));
    assert_string_equal(messages_first(&t)->from, "alice");
    assert_string_equal(messages_take(&t)->from, "alice");
    assert_string_equal(messages_first(&t)->from, "bob");
    assert_string_equal(messages_take(&t)->from, "bob");
    assert_false(messages_has_letter(&t, &letter.id));
    messages_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_they_come_in_order),
        cmocka_unit_test(test_no_more_than_the_limit_waits),
        cmocka_unit_test(test_a_letter_is_known_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
