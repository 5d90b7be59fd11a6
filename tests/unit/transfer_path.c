#include "peer/transfer_path.h"

#include "unit.h"

static const char letters[256] = {[0 ... 254] = 'a'};

static int enter(struct transfer_path *p, enum transfer_kind kind, unsigned depth, size_t len)
{
    const struct transfer_entry e = {
        .kind = kind, .depth = depth, .name = bytes_make(letters, len)};
    return transfer_path_enter(p, &e);
}

/* Alone in memory of its size, so that the sanitizers see a byte too far. */
static struct transfer_path *make(void)
{
    struct transfer_path *p = calloc(1, sizeof *p);
    assert_non_null(p);
    return p;
}

/* Folders in one another, whose path is so long. */
static void fill(struct transfer_path *p, size_t len)
{
    unsigned depth = 0;
    while (p->len < len) {
        size_t left = len - p->len - (depth > 0);
        size_t name = left > 255 + 2 ? 255 : left > 255 ? 100 : left;
        assert_int_equal(enter(p, TRANSFER_FOLDER, depth++, name), 0);
    }
    assert_int_equal(p->len, len);
}

static void test_where_entries_lie(void **state)
{
    struct transfer_path *p = make();
    assert_int_equal(enter(p, TRANSFER_FOLDER, 0, 1), 0);
    assert_int_equal(enter(p, TRANSFER_FOLDER, 1, 2), 0);
    assert_int_equal(enter(p, TRANSFER_FILE, 2, 3), 0);
    assert_bytes(transfer_path_view(p), BYTES("a/aa/aaa"));
    assert_int_equal(enter(p, TRANSFER_FILE, 1, 4), 0);
    assert_bytes(transfer_path_view(p), BYTES("a/aaaa"));
    assert_int_equal(enter(p, TRANSFER_FILE, 2, 1), TRANSFER_PATH_BEYOND);
    assert_bytes(transfer_path_view(p), BYTES("a/aaaa"));
    free(p);
}

static void test_no_path_is_longer_than_the_longest(void **state)
{
    for (size_t left = 0; left < 4; left++) {
        struct transfer_path *p = make();
        fill(p, LIMIT_TRANSFER_PATH_BYTES - left);
        unsigned depth = p->depth;
        for (size_t len = 1; len <= 255; len++) {
            bool fits = len + 1 <= left;
            assert_int_equal(enter(p, TRANSFER_FILE, depth, len),
                             fits ? 0 : TRANSFER_PATH_BEYOND);
        }
        free(p);
    }
}

static void test_no_folder_is_deeper_than_the_deepest(void **state)
{
    struct transfer_path *p = make();
    for (unsigned depth = 0; depth < LIMIT_TRANSFER_DEPTH; depth++)
        assert_int_equal(enter(p, TRANSFER_FOLDER, depth, 1), 0);
    assert_int_equal(enter(p, TRANSFER_FOLDER, LIMIT_TRANSFER_DEPTH, 1), TRANSFER_PATH_BEYOND);
    assert_int_equal(enter(p, TRANSFER_FILE, LIMIT_TRANSFER_DEPTH, 1), 0);
    assert_int_equal(enter(p, TRANSFER_FILE, UINT32_MAX, 1), TRANSFER_PATH_BEYOND);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_entries_lie),
        cmocka_unit_test(test_no_path_is_longer_than_the_longest),
        cmocka_unit_test(test_no_folder_is_deeper_than_the_deepest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
