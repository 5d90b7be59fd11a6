#include "io/plain_file.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_BYTES = 1024 * 1024 + 1000, /* its last block is not full */
    FIRST = 64,                      /* appended from here on */
};

struct scratch {
    char top[64];
    int folder;
    uint8_t *want, *got;
};

static int make_scratch(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    assert_non_null(s);
    snprintf(s->top, sizeof s->top, "/tmp/kith-unit-XXXXXX");
    assert_non_null(mkdtemp(s->top));
    s->folder = open(s->top, O_RDONLY | O_DIRECTORY);
    assert_true(s->folder >= 0);
    s->want = calloc(1, FILE_BYTES);
    s->got = calloc(1, FILE_BYTES);
    assert_true(s->want && s->got);
    *state = s;
    return 0;
}

static int remove_scratch(void **state)
{
    struct scratch *s = *state;
    unlinkat(s->folder, "f", 0);
    close(s->folder);
    rmdir(s->top);
    free(s->want);
    free(s->got);
    free(s);
    return 0;
}

static void check_content(struct scratch *s, struct plain_file *f)
{
    size_t n;
    uint64_t size;
    assert_int_equal(plain_file_size(f, &size), 0);
    assert_int_equal(size, FILE_BYTES);
    assert_int_equal(plain_file_read(f, 0, s->got, FILE_BYTES, &n), 0);
    assert_int_equal(n, FILE_BYTES);
    assert_memory_equal(s->got, s->want, FILE_BYTES);
}

/* No two blocks are alike. */
static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)((uint32_t)at * 2654435761u >> 24);
}

/* Pieces of all sizes; now and then the file is looked at, or opened anew, which forgets what
 * its last block held. */
static void append_all(struct scratch *s, struct plain_file *f)
{
    static const size_t sizes[] = {1, 4032, 4096, 4096, 7, 40, 300 * 1000, 5000, 8192, 262144};
    uint64_t at = FIRST;
    for (size_t i = 0; at < FILE_BYTES; i++) {
        size_t n = sizes[i % COUNT_OF(sizes)];
        if (n > FILE_BYTES - at)
            n = FILE_BYTES - at;
        for (size_t j = 0; j < n; j++)
            s->want[at + j] = byte_at(at + j);
        assert_int_equal(plain_file_append(f, at, s->want + at, n, i % 3 == 0), 0);
        at += n;
        if (i % 4 == 1)
            check_content(s, f);
        if (i % 5 == 2) {
            bool no_direct = f->no_direct;
            plain_file_close(f);
            assert_int_equal(plain_file_open(f, s->folder, "f", false), 0);
            f->no_direct = no_direct;
        }
    }
}

static void check_appends(struct scratch *s, bool no_direct)
{
    struct plain_file f;
    assert_int_equal(plain_file_open(&f, s->folder, "f", true), 0);
    f.no_direct = no_direct;
    for (size_t i = 0; i < FIRST; i++)
        s->want[i] = (uint8_t)~i;
    assert_int_equal(plain_file_write(&f, 0, s->want, FIRST), 0);
    assert_int_equal(plain_file_zero(&f, FIRST, FILE_BYTES), 0);
    assert_int_equal(plain_file_sync(&f), 0);
    check_content(s, &f);
    append_all(s, &f);
    check_content(s, &f);
    plain_file_close(&f);
}

static void test_appends_past_the_cache(void **state)
{
    check_appends(*state, false);
}

static void test_appends_where_there_is_no_way_past_it(void **state)
{
    check_appends(*state, true);
}

static void test_zeros_replace_what_was_there(void **state)
{
    struct scratch *s = *state;
    struct plain_file f;
    assert_int_equal(plain_file_open(&f, s->folder, "f", true), 0);
    memset(s->want, 'x', FILE_BYTES);
    assert_int_equal(plain_file_write(&f, 0, s->want, FILE_BYTES), 0);
    static const uint64_t ends[][2] = {
        {5, 5}, {5, 6}, {4096, 8192}, {8190, 16000}, {20000, 20010}};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        memset(s->want + ends[i][0], 0, ends[i][1] - ends[i][0]);
        assert_int_equal(plain_file_zero(&f, ends[i][0], ends[i][1]), 0);
        check_content(s, &f);
    }
    plain_file_close(&f);
}

static void test_what_is_no_plain_file(void **state)
{
    struct scratch *s = *state;
    struct plain_file f;
    assert_int_equal(plain_file_open(&f, s->folder, "f", false), -ENOENT);
    assert_int_equal(mkfifoat(s->folder, "f", 0600), 0);
    assert_int_equal(plain_file_open(&f, s->folder, "f", false), -EINVAL);
    assert_int_equal(plain_file_open(&f, s->folder, "f", true), -EEXIST);
    assert_int_equal(plain_file_open(&f, s->folder, ".", false), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_appends_past_the_cache, make_scratch,
                                        remove_scratch),
        cmocka_unit_test_setup_teardown(test_appends_where_there_is_no_way_past_it,
                                        make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_zeros_replace_what_was_there, make_scratch,
                                        remove_scratch),
        cmocka_unit_test_setup_teardown(test_what_is_no_plain_file, make_scratch,
                                        remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
