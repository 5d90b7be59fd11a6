#include "io/beneath.h"

#include "scratch.h"

#include <sys/syscall.h>

/* In place of the C library's, for the whole program: a file system that has no such renames.
 */
static int renameat2_error;

int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
    errno = renameat2_error;
    return renameat2_error ? -1 : (int)syscall(SYS_renameat2, from, name, to, new_name, flags);
}

static void test_what_is_a_name(void **state)
{
    static const struct {
        struct bytes name;
        bool right;
    } tests[] = {
        {BYTES("a"), true},  {BYTES("..."), true},    {BYTES("-rf"), true},
        {BYTES(" "), true},  {BYTES("\xff\n"), true}, {BYTES(""), false},
        {BYTES("."), false}, {BYTES(".."), false},    {BYTES("a/b"), false},
        {BYTES("/"), false}, {BYTES("a\0"), false},
    };
    struct beneath_name name;
    for (size_t i = 0; i < COUNT_OF(tests); i++)
        assert_int_equal(beneath_name_read(tests[i].name, &name), tests[i].right);
    char longest[NAME_MAX + 1];
    memset(longest, 'n', sizeof longest);
    assert_false(beneath_name_read(bytes_make(longest, NAME_MAX + 1), &name));
    assert_true(beneath_name_read(bytes_make(longest, NAME_MAX), &name));
    assert_int_equal(strlen(name.text), NAME_MAX);
}

static void test_nothing_is_opened_elsewhere(void **state)
{
    struct scratch *s = *state;
    scratch_put(s, "file", BYTES("x"));
    scratch_put_folder(s, "folder");
    assert_int_equal(symlinkat("file", s->fd, "link"), 0);
    assert_int_equal(symlinkat("folder", s->fd, "way"), 0);
    assert_int_equal(beneath_open(s->fd, "link", O_RDWR, 0), -ELOOP);
    assert_int_equal(beneath_open(s->fd, "way", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
    assert_int_equal(beneath_open(s->fd, "way/x", O_RDWR | O_CREAT, 0600), -ELOOP);
    assert_int_equal(beneath_open(s->fd, "..", O_RDONLY, 0), -EXDEV);
    assert_int_equal(beneath_open(s->fd, "/etc", O_RDONLY, 0), -EXDEV);
    assert_int_equal(beneath_open(s->fd, "link", O_RDWR | O_CREAT, 0600), -EEXIST);
    assert_int_equal(beneath_open(s->fd, "file", O_RDWR | O_CREAT, 0600), -EEXIST);
}

static void test_a_file_is_made_anew_where_something_was_planted(void **state)
{
    struct scratch *s = *state;
    bool made;
    scratch_put(s, "elsewhere", BYTES("theirs"));
    assert_int_equal(symlinkat("elsewhere", s->fd, "link"), 0);
    assert_int_equal(linkat(s->fd, "elsewhere", s->fd, "other", 0), 0);
    assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
    scratch_put_folder(s, "folder");
    static const char *const names[] = {"link", "other", "fifo", "folder"};
    mode_t mask = umask(0);
    umask(mask);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        int fd = beneath_open_file(s->fd, names[i], &made);
        assert_true(fd >= 0);
        assert_true(made);
        assert_int_equal(write(fd, "ours", 4), 4);
        close(fd);
        scratch_expect(s, names[i], BYTES("ours"));
        assert_int_equal(scratch_stat(s, names[i]).st_mode, S_IFREG | (0666 & ~mask));
        fd = beneath_open_file(s->fd, names[i], &made);
        assert_true(fd >= 0);
        assert_false(made);
        close(fd);
    }
    scratch_expect(s, "elsewhere", BYTES("theirs"));
    scratch_put_folder(s, "full");
    scratch_put(s, "full/x", BYTES(""));
    assert_int_equal(beneath_open_file(s->fd, "full", &made), -ENOTEMPTY);
}

static void test_a_folder_is_made_or_there(void **state)
{
    struct scratch *s = *state;
    bool made;
    int fd = beneath_open_folder(s->fd, "a", 0700, &made);
    assert_true(fd >= 0 && made);
    close(fd);
    fd = beneath_open_folder(s->fd, "a", 0700, &made);
    assert_true(fd >= 0 && !made);
    close(fd);
    scratch_put(s, "file", BYTES(""));
    assert_int_equal(symlinkat("a", s->fd, "link"), 0);
    assert_int_equal(beneath_open_folder(s->fd, "file", 0700, &made), -ENOTDIR);
    assert_int_equal(beneath_open_folder(s->fd, "link", 0700, &made), -ENOTDIR);
}

static void check_moves(struct scratch *s)
{
    scratch_put(s, "a", BYTES("a"));
    scratch_put(s, "b", BYTES("b"));
    assert_int_equal(beneath_move(s->fd, "a", s->fd, "b"), -EEXIST);
    scratch_expect(s, "b", BYTES("b"));
    assert_int_equal(beneath_move(s->fd, "a", s->fd, "c"), 0);
    assert_false(scratch_has(s, "a"));
    scratch_expect(s, "c", BYTES("a"));
    assert_int_equal(beneath_move(s->fd, "a", s->fd, "d"), -ENOENT);
    scratch_put_folder(s, "from");
    scratch_put(s, "from/x", BYTES("x"));
    scratch_put_folder(s, "to");
    assert_int_equal(beneath_move(s->fd, "from", s->fd, "to"), -EEXIST);
    assert_int_equal(beneath_move(s->fd, "from", s->fd, "c"), -EEXIST);
    assert_int_equal(beneath_move(s->fd, "from", s->fd, "new"), 0);
    scratch_expect(s, "new/x", BYTES("x"));
    /* What a crash leaves where a file has both names for a moment. */
    assert_int_equal(linkat(s->fd, "b", s->fd, "both", 0), 0);
    assert_int_equal(beneath_move(s->fd, "b", s->fd, "both"), 0);
    assert_false(scratch_has(s, "b"));
    scratch_expect(s, "both", BYTES("b"));
}

static void test_moves_replace_nothing(void **state)
{
    renameat2_error = 0;
    check_moves(*state);
}

static void test_moves_where_the_file_system_has_no_such(void **state)
{
    renameat2_error = EINVAL;
    check_moves(*state);
    renameat2_error = 0;
}

static void put_deep(struct scratch *s, const char *top, unsigned depth)
{
    int fd = dup(s->fd);
    for (unsigned i = 0; i < depth; i++) {
        assert_int_equal(mkdirat(fd, i == 0 ? top : "d", 0755), 0);
        int below = openat(fd, i == 0 ? top : "d", O_RDONLY | O_DIRECTORY);
        assert_true(below >= 0);
        close(fd);
        fd = below;
    }
    assert_int_equal(mkfifoat(fd, "fifo", 0600), 0);
    close(fd);
}

static void test_removal_follows_nothing(void **state)
{
    struct scratch *s = *state;
    scratch_put_folder(s, "other");
    scratch_put(s, "other/x", BYTES("x"));
    scratch_put_folder(s, "gone");
    scratch_put_folder(s, "gone/in");
    scratch_put(s, "gone/in/-rf", BYTES(""));
    assert_int_equal(symlinkat("../other", s->fd, "gone/way"), 0);
    assert_int_equal(symlinkat("other", s->fd, "link"), 0);
    assert_int_equal(beneath_remove(s->fd, "gone"), 0);
    assert_int_equal(beneath_remove(s->fd, "link"), 0);
    assert_false(scratch_has(s, "gone") || scratch_has(s, "link"));
    scratch_expect(s, "other/x", BYTES("x"));
    assert_int_equal(beneath_remove(s->fd, "gone"), -ENOENT);
    assert_int_equal(beneath_empty(s->fd, "other"), 0);
    assert_true(scratch_has(s, "other/x"));
}

static void test_removal_goes_so_deep(void **state)
{
    struct scratch *s = *state;
    put_deep(s, "deep", BENEATH_DEPTH);
    assert_int_equal(beneath_remove(s->fd, "deep"), 0);
    put_deep(s, "deeper", BENEATH_DEPTH + 1);
    assert_int_equal(beneath_remove(s->fd, "deeper"), -ELOOP);
    assert_int_equal(renameat(s->fd, "deeper/d", s->fd, "half"), 0);
    assert_int_equal(beneath_remove(s->fd, "half"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_a_name),
        SCRATCH_TEST(test_nothing_is_opened_elsewhere),
        SCRATCH_TEST(test_a_file_is_made_anew_where_something_was_planted),
        SCRATCH_TEST(test_a_folder_is_made_or_there),
        SCRATCH_TEST(test_moves_replace_nothing),
        SCRATCH_TEST(test_moves_where_the_file_system_has_no_such),
        SCRATCH_TEST(test_removal_follows_nothing),
        SCRATCH_TEST(test_removal_goes_so_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
