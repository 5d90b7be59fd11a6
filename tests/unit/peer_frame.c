#include "wire/peer_frame.h"

#include "unit.h"

static void test_cut_anywhere(void **state)
{
    struct bytes whole = BYTES("\0\0\0\3\x10"
                               "abc");
    struct peer_frame f;
    size_t n;
    for (size_t len = 0; len < whole.len; len++) {
        struct bytes in = unit_copy(bytes_first(whole, len));
        assert_int_equal(peer_frame_parse(in, 3, &n, &f), PEER_FRAME_MORE);
        unit_free(in);
    }
    assert_int_equal(peer_frame_parse(whole, 3, &n, &f), 0);
    assert_int_equal(n, whole.len);
    assert_int_equal(f.type, 0x10);
    assert_bytes(f.payload, BYTES("abc"));
}

static void test_too_long_is_seen_at_once(void **state)
{
    struct peer_frame f;
    size_t n;
    assert_int_equal(peer_frame_parse(BYTES("\0\0\0\4"), 3, &n, &f), PEER_FRAME_TOO_LONG);
    assert_int_equal(peer_frame_parse(BYTES("\xff\xff\xff\xff"), 3, &n, &f),
                     PEER_FRAME_TOO_LONG);
}

static void test_what_is_written_is_read(void **state)
{
    struct buffer b;
    struct peer_frame f;
    size_t n;
    buffer_init(&b, 18);
    assert_int_equal(peer_frame_write(&b, 1, bytes_make(NULL, 0)), 0);
    assert_int_equal(peer_frame_write_two(&b, 2, BYTES("ab"), BYTES("c")), 0);
    assert_int_equal(peer_frame_write(&b, 3, BYTES("x")), BUFFER_FULL);
    assert_int_equal(buffer_len(&b), 13);
    assert_int_equal(peer_frame_parse(buffer_view(&b), 3, &n, &f), 0);
    assert_int_equal(f.type, 1);
    assert_int_equal(f.payload.len, 0);
    buffer_consume(&b, n);
    assert_int_equal(peer_frame_parse(buffer_view(&b), 3, &n, &f), 0);
    assert_int_equal(f.type, 2);
    assert_bytes(f.payload, BYTES("abc"));
    buffer_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_too_long_is_seen_at_once),
        cmocka_unit_test(test_what_is_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
