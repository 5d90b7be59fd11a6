#include "peer/transfer_path.h"

#include "unit.h"

static int enter(struct transfer_path *p, char kind, unsigned depth, struct bytes name)
{
    const struct transfer_entry e = {
        .kind = (enum transfer_kind)kind, .depth = depth, .name = name};
    return transfer_path_enter(p, &e);
}

static void test_down_and_up(void **state)
{
    struct transfer_path p = {0};
    assert_int_equal(enter(&p, 'd', 0, BYTES("a")), 0);
    assert_int_equal(enter(&p, 'd', 1, BYTES("bc")), 0);
    assert_int_equal(enter(&p, 'f', 2, BYTES("x")), 0);
    assert_bytes(transfer_path_view(&p), BYTES("a/bc/x"));
    assert_int_equal(enter(&p, 'f', 2, BYTES("y")), 0);
    assert_bytes(transfer_path_view(&p), BYTES("a/bc/y"));
    assert_int_equal(enter(&p, 'f', 1, BYTES("z")), 0);
    assert_bytes(transfer_path_view(&p), BYTES("a/z"));
    assert_int_equal(enter(&p, 'f', 2, BYTES("closed")), TRANSFER_PATH_BEYOND);
    assert_bytes(transfer_path_view(&p), BYTES("a/z"));
    assert_int_equal(enter(&p, 'f', 0, BYTES("top")), 0);
    assert_bytes(transfer_path_view(&p), BYTES("top"));
    assert_int_equal(enter(&p, 'f', 1, BYTES("no folder")), TRANSFER_PATH_BEYOND);
}

static void test_depth(void **state)
{
    struct transfer_path p = {0};
    for (unsigned i = 0; i < LIMIT_TRANSFER_DEPTH; i++)
        assert_int_equal(enter(&p, 'd', i, BYTES("d")), 0);
    assert_int_equal(enter(&p, 'd', LIMIT_TRANSFER_DEPTH, BYTES("d")), TRANSFER_PATH_BEYOND);
    assert_int_equal(enter(&p, 'f', LIMIT_TRANSFER_DEPTH, BYTES("f")), 0);
    assert_int_equal(transfer_path_view(&p).len, 2 * LIMIT_TRANSFER_DEPTH + 1);
}

static void test_length(void **state)
{
    static const uint8_t name[255] = {'x'};
    struct transfer_path p = {0};
    struct bytes longest = bytes_make(name, sizeof name);
    for (unsigned i = 0; i < 15; i++) /* 256 each, with what is between */
        assert_int_equal(enter(&p, 'd', i, longest), 0);
    assert_int_equal(enter(&p, 'd', 15, longest), 0);
    assert_int_equal(enter(&p, 'f', 16, BYTES("x")), TRANSFER_PATH_BEYOND);
    assert_int_equal(enter(&p, 'f', 15, longest), 0);
    assert_int_equal(transfer_path_view(&p).len, 4095);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_down_and_up),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
