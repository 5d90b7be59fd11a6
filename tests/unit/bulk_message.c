#include "peer/bulk_message.h"

#include "unit.h"

static struct bytes write_message(struct buffer *b, const struct bulk_message *m)
{
    buffer_init(b, BULK_MESSAGE_BYTES);
    assert_int_equal(bulk_message_write(b, m), 0);
    return buffer_view(b);
}

static const struct random_id token = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static void test_data(void **state)
{
    static uint8_t data[BULK_DATA_BYTES] = {7};
    struct bulk_message m = {.type = BULK_DATA, .token = token}, back;
    struct buffer b;
    for (size_t len = 1; len <= sizeof data; len += sizeof data - 1) {
        m.data = bytes_make(data, len);
        struct bytes said = write_message(&b, &m);
        assert_int_equal(said.len, 17 + len);
        assert_int_equal(said.data[0], 1);
        assert_int_equal(bulk_message_read(said, &back), 0);
        assert_int_equal(back.type, BULK_DATA);
        assert_true(random_id_equal(&back.token, &token));
        assert_true(bytes_equal(back.data, m.data));
        buffer_fini(&b);
    }
}

static void test_taken_and_end(void **state)
{
    static const uint8_t end[] = {3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct bulk_message m = {.type = BULK_TAKEN, .token = token, .taken = 0x0102030405060708},
                        back;
    struct buffer b;
    struct bytes said = write_message(&b, &m);
    assert_int_equal(said.len, 25);
    assert_memory_equal(said.data + 17, "\1\2\3\4\5\6\7\10", 8);
    assert_int_equal(bulk_message_read(said, &back), 0);
    assert_int_equal(back.type, BULK_TAKEN);
    assert_int_equal(back.taken, m.taken);
    buffer_fini(&b);
    m = (struct bulk_message){.type = BULK_END, .token = token};
    assert_true(bytes_equal(write_message(&b, &m), bytes_make(end, sizeof end)));
    assert_int_equal(bulk_message_read(buffer_view(&b), &back), 0);
    assert_int_equal(back.type, BULK_END);
    assert_true(random_id_equal(&back.token, &token));
    buffer_fini(&b);
}

/* Of each length, of each type: those that are none leave the result as it was. */
static void test_what_is_none(void **state)
{
    static uint8_t said[BULK_MESSAGE_BYTES + 1];
    struct bulk_message back = {.type = BULK_END, .taken = 4711};
    for (unsigned type = 0; type < 256; type++) {
        said[0] = (uint8_t)type;
        for (size_t len = 0; len < 30; len++) {
            bool right =
                (type == 1 && len > 17) || (type == 2 && len == 25) || (type == 3 && len == 17);
            if (!right)
                assert_int_equal(bulk_message_read(bytes_make(said, len), &back),
                                 BULK_MESSAGE_MALFORMED);
        }
    }
    said[0] = BULK_DATA;
    assert_int_equal(bulk_message_read(bytes_make(said, sizeof said), &back),
                     BULK_MESSAGE_MALFORMED);
    assert_int_equal(back.taken, 4711);
    assert_int_equal(bulk_message_read(bytes_make(said, sizeof said - 1), &back), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_taken_and_end),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
