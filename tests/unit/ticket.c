#include "people/ticket.h"

#include "unit.h"

static const uint8_t secret[TICKET_SECRET_BYTES] = {9, 8, 7};

static void test_the_text_is_the_ticket(void **state)
{
    char text[TICKET_TEXT_LEN + 1];
    struct ticket t = ticket_new(secret, text), read;
    assert_int_equal(strlen(text), TICKET_TEXT_LEN);
    assert_true(ticket_read(bytes_from_str(text), &read));
    assert_true(ticket_equal(&t, &read));
    text[0]++;
    assert_true(ticket_read(bytes_from_str(text), &read));
    assert_false(ticket_equal(&t, &read));
}

/* The hub keeps what does not give the secret away. */
static void test_what_is_kept_is_not_the_secret(void **state)
{
    char text[TICKET_TEXT_LEN + 1];
    struct ticket t = ticket_new(secret, text);
    assert_memory_not_equal(t.hash, secret, sizeof secret);
}

static void test_what_is_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "AAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct ticket t;
        assert_false(ticket_read(bytes_from_str(wrong[i]), &t));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_text_is_the_ticket),
        cmocka_unit_test(test_what_is_kept_is_not_the_secret),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
