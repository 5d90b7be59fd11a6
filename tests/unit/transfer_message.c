#include "peer/transfer_message.h"

#include "base/limits.h"

#include "unit.h"

#define N "\0\0\0\0\0\0\0\7" /* a number, */
#define O "\0\0\0\0\0\4\0\0" /* a chunk's offset, */
#define S "0123456789abcdef" /* its sum */
#define H S S                /* and a SHA-256 */
#define ZERO "\0\0\0\0\0\0\0\0"
#define FAR "\x80\0\0\0\0\0\0\0"
#define TIMES "\xff\xff\xff\xff\xff\xff\xff\xff\x3b\x9a\xc9\xff"
#define NAME_255                                                                            \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Types, and what they say. */
static const struct {
    uint8_t type;
    struct bytes payload;
} right[] = {
    {TRANSFER_ENTRY, BYTES(N "f\1\0\2" O TIMES "a name")},
    {TRANSFER_ENTRY, BYTES(N "f\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff" TIMES "...")},
    {TRANSFER_ENTRY, BYTES(N "d\0\xff\xff" ZERO TIMES NAME_255)},
    {TRANSFER_AFRESH, BYTES(N "f\0\0\1" ZERO TIMES "\xff")},
    {TRANSFER_CHUNK, BYTES(N O S "x")},
    {TRANSFER_HOLE, BYTES(N O O)},
    {TRANSFER_WHOLE, BYTES(N O)},
    {TRANSFER_WHOLE, BYTES(N O H)},
    {TRANSFER_DROPPED, BYTES(N "\xc8")},
    {TRANSFER_END, BYTES(N O)},
    {TRANSFER_PLACE, BYTES(N "\0" ZERO)},
    {TRANSFER_PLACE, BYTES(N "\1" O)},
    {TRANSFER_AGAIN, BYTES(N O)},
    {TRANSFER_KEPT, BYTES(N O O)},
    {TRANSFER_DONE, BYTES("")},
    {TRANSFER_STOP, BYTES("\2")},
};

static const struct {
    uint8_t type;
    struct bytes payload;
} wrong[] = {
    {TRANSFER_ENTRY, BYTES(N "x\0\0\2" ZERO TIMES "kind")},
    {TRANSFER_ENTRY, BYTES(N "f\2\0\2" ZERO TIMES "executable")},
    {TRANSFER_ENTRY, BYTES(N "d\1\0\2" ZERO TIMES "executable")},
    {TRANSFER_ENTRY, BYTES(N "d\0\0\2" O TIMES "folder's size")},
    {TRANSFER_ENTRY, BYTES(N "f\0\0\2" FAR TIMES "size")},
    {TRANSFER_ENTRY, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"
                           "f\0\0\2" ZERO TIMES "number")},
    {TRANSFER_ENTRY, BYTES(N "f\0\0\2" ZERO ZERO "\x3b\x9a\xca\0"
                             "nanoseconds")},
    {TRANSFER_ENTRY, BYTES(N "f\0\0\2" ZERO TIMES)},
    {TRANSFER_ENTRY, BYTES(N "f\0\0\2" ZERO TIMES ".")},
    {TRANSFER_ENTRY, BYTES(N "f\0\0\2" ZERO TIMES "..")},
    {TRANSFER_ENTRY, BYTES(N "f\0\0\2" ZERO TIMES "a/b")},
    {TRANSFER_ENTRY, BYTES(N "f\0\0\2" ZERO TIMES "a\0b")},
    {TRANSFER_ENTRY, BYTES(N "f\0\0\2" ZERO TIMES NAME_255 "x")},
    {TRANSFER_AFRESH, BYTES(N "f\0\0\2" ZERO TIMES "/")},
    {TRANSFER_CHUNK, BYTES(N O S)},
    {TRANSFER_CHUNK, BYTES(N N S "not aligned")},
    {TRANSFER_CHUNK, BYTES(N FAR S "too far")},
    {TRANSFER_HOLE, BYTES(N O ZERO)},
    {TRANSFER_HOLE, BYTES(N N O)},
    {TRANSFER_HOLE, BYTES(N O "\x7f\xff\xff\xff\xff\xff\xff\xff")},
    {TRANSFER_WHOLE, BYTES(N FAR)},
    {TRANSFER_DROPPED, BYTES(N "\0")},
    {TRANSFER_PLACE, BYTES(N "\2" O)},
    {TRANSFER_PLACE, BYTES(N "\0" O)},
    {TRANSFER_PLACE, BYTES(N "\1" FAR)},
    {TRANSFER_AGAIN, BYTES(N N)},
    {TRANSFER_KEPT, BYTES(N FAR O)},
    {TRANSFER_STOP, BYTES("\0")},
};

static int read_copy(uint8_t type, struct bytes payload)
{
    struct transfer_message m;
    struct bytes copy = unit_copy(payload);
    int r = transfer_message_read(&(struct peer_frame){type, copy}, &m);
    unit_free(copy);
    return r;
}

static void test_what_is_read_is_written_the_same(void **state)
{
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        struct buffer frame, again;
        struct peer_frame f;
        struct transfer_message m;
        size_t n;
        buffer_init(&frame, LIMIT_MIB);
        buffer_init(&again, LIMIT_MIB);
        assert_int_equal(peer_frame_write(&frame, right[i].type, right[i].payload), 0);
        for (size_t len = 0; len < buffer_len(&frame); len++)
            assert_int_equal(peer_frame_parse(bytes_first(buffer_view(&frame), len),
                                              LIMIT_PEER_FRAME_BYTES, &n, &f),
                             PEER_FRAME_MORE);
        assert_int_equal(peer_frame_parse(buffer_view(&frame), LIMIT_PEER_FRAME_BYTES, &n, &f),
                         0);
        assert_int_equal(transfer_message_read(&f, &m), 0);
        assert_int_equal(transfer_message_write(&again, &m), 0);
        assert_bytes(buffer_view(&again), buffer_view(&frame));
        buffer_fini(&frame);
        buffer_fini(&again);
    }
}

static void test_fields(void **state)
{
    struct transfer_message m;
    assert_int_equal(
        transfer_message_read(&(struct peer_frame){right[0].type, right[0].payload}, &m), 0);
    assert_int_equal(m.entry.number, 7);
    assert_int_equal(m.entry.kind, TRANSFER_FILE);
    assert_true(m.entry.executable);
    assert_int_equal(m.entry.depth, 2);
    assert_int_equal(m.entry.size, TRANSFER_CHUNK_BYTES);
    assert_true(m.entry.seconds == -1);
    assert_int_equal(m.entry.nanoseconds, 999999999);
    assert_bytes(m.entry.name, BYTES("a name"));
}

static void test_malformed(void **state)
{
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(read_copy(wrong[i].type, wrong[i].payload), TRANSFER_MALFORMED);
}

/* Too short everywhere; a byte more, where no name or data is at the end. */
static void test_other_lengths(void **state)
{
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        bool open = right[i].type <= TRANSFER_CHUNK || right[i].type == TRANSFER_AFRESH;
        size_t least = right[i].type == TRANSFER_CHUNK ? 32
                       : open                          ? 32
                                                       : right[i].payload.len - 1;
        for (size_t len = 0; right[i].payload.len > 0 && len <= least; len++) {
            bool shorter = right[i].type == TRANSFER_WHOLE && len == 16;
            assert_int_equal(read_copy(right[i].type, bytes_first(right[i].payload, len)),
                             shorter ? 0 : TRANSFER_MALFORMED);
        }
        uint8_t longer[400] = {0};
        memcpy(longer, right[i].payload.data, right[i].payload.len);
        if (!open)
            assert_int_equal(
                read_copy(right[i].type, bytes_make(longer, right[i].payload.len + 1)),
                TRANSFER_MALFORMED);
    }
}

static void test_of_a_later_version(void **state)
{
    assert_int_equal(read_copy(0, BYTES("")), TRANSFER_STRANGE);
    assert_int_equal(read_copy(8, BYTES("x")), TRANSFER_STRANGE);
    assert_int_equal(read_copy(255, BYTES("")), TRANSFER_STRANGE);
}

static void test_chunk_where_it_goes(void **state)
{
    struct buffer b, other;
    struct transfer_message m = {
        .type = TRANSFER_CHUNK, .number = 7, .offset = TRANSFER_CHUNK_BYTES};
    uint8_t *data, *much = calloc(1, TRANSFER_CHUNK_BYTES + 33);
    assert_non_null(much);
    buffer_init(&b, 2 * LIMIT_MIB);
    buffer_init(&other, 2 * LIMIT_MIB);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(transfer_chunk_begin(&b, &data), 0);
        memset(data, 'a' + i, TRANSFER_CHUNK_BYTES);
        memset(much, 'a' + i, TRANSFER_CHUNK_BYTES);
        m.data = bytes_make(much, i == 1 ? 1 : TRANSFER_CHUNK_BYTES);
        memset(m.sum, i, sizeof m.sum);
        transfer_chunk_seal(&b, m.number, m.offset, m.sum, m.data.len);
        assert_int_equal(transfer_message_write(&other, &m), 0);
    }
    assert_bytes(buffer_view(&b), buffer_view(&other));
    assert_int_equal(read_copy(TRANSFER_CHUNK, bytes_make(much, TRANSFER_CHUNK_BYTES + 33)),
                     TRANSFER_MALFORMED);
    free(much);
    buffer_fini(&b);
    buffer_fini(&other);
    buffer_init(&b, TRANSFER_CHUNK_BYTES);
    assert_int_equal(transfer_chunk_begin(&b, &data), BUFFER_FULL);
    buffer_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read_is_written_the_same),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_other_lengths),
        cmocka_unit_test(test_of_a_later_version),
        cmocka_unit_test(test_chunk_where_it_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
