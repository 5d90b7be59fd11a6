#include "peer/talk.h"
#include "base/limits.h"

#include "unit.h"

static void test_said_heard_and_shown(void **state)
{
    struct talk a = {0}, b = {0};
    struct buffer m;
    struct talk_event e;
    uint64_t id;
    buffer_init(&m, LIMIT_MIB);
    assert_int_equal(talk_say(&a, BYTES("h\xc3\xa4llo"), &m, &id), 0);
    assert_int_equal(id, 1);
    assert_int_equal(talk_hear(&b, buffer_view(&m), &e), 0);
    assert_int_equal(e.type, TALK_EVENT_TEXT);
    assert_int_equal(e.id, 1);
    assert_bytes(e.text, BYTES("h\xc3\xa4llo"));
    buffer_truncate(&m, 0);
    assert_int_equal(talk_show(&b, 1, &m), 0);
    assert_bytes(buffer_view(&m), BYTES("\x02\0\0\0\0\0\0\0\x01"));
    assert_int_equal(talk_hear(&a, buffer_view(&m), &e), 0);
    assert_int_equal(e.type, TALK_EVENT_DELIVERED);
    assert_int_equal(e.id, 1);
    buffer_truncate(&m, 0);
    assert_int_equal(talk_show(&b, 1, &m), 0); /* once is enough */
    assert_int_equal(talk_show(&b, 2, &m), 0); /* never heard */
    assert_int_equal(buffer_len(&m), 0);
    buffer_fini(&m);
}

static void test_what_is_no_text(void **state)
{
    struct talk t = {0};
    struct buffer m;
    uint64_t id;
    buffer_init(&m, LIMIT_MIB);
    uint8_t *much = malloc(LIMIT_TALK_TEXT_BYTES + 1);
    assert_non_null(much);
    memset(much, 'x', LIMIT_TALK_TEXT_BYTES + 1);
    assert_int_equal(talk_say(&t, BYTES(""), &m, &id), TALK_INVALID);
    assert_int_equal(talk_say(&t, BYTES("\xff"), &m, &id), TALK_INVALID);
    assert_int_equal(talk_say(&t, bytes_make(much, LIMIT_TALK_TEXT_BYTES + 1), &m, &id),
                     TALK_INVALID);
    assert_int_equal(talk_say(&t, bytes_make(much, LIMIT_TALK_TEXT_BYTES), &m, &id), 0);
    assert_true(buffer_len(&m) <= LIMIT_PEER_MESSAGE_BYTES);
    free(much);
    buffer_fini(&m);
}

static void test_malformed(void **state)
{
    struct bytes wrong[] = {
        BYTES(""),
        BYTES("\x01"),
        BYTES("\x01\0\0\0\0\0\0\0\x01"),     /* no text */
        BYTES("\x01\0\0\0\0\0\0\0\x02x"),    /* one is missing */
        BYTES("\x01\0\0\0\0\0\0\0\x01\xc3"), /* not UTF-8 */
        BYTES("\x02\0\0\0\0\0\0\0\x01"),     /* never said */
        BYTES("\x02\0\0\0\0\0\0\0\0"),
    };
    struct talk_event e;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct talk t = {0};
        struct bytes in = unit_copy(wrong[i]);
        assert_int_equal(talk_hear(&t, in, &e), TALK_MALFORMED);
        unit_free(in);
    }
    struct talk t = {0};
    assert_int_equal(talk_hear(&t, BYTES("\xf0whatever"), &e), 0);
    assert_int_equal(e.type, TALK_EVENT_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_said_heard_and_shown),
        cmocka_unit_test(test_what_is_no_text),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
