#include "io/inbox_stream.h"

#include "scratch.h"

#include <sys/wait.h>

static const struct transfer_entry file = {
    .number = 3, .kind = TRANSFER_FILE, .size = 20, .name = {(const uint8_t *)"a", 1}};

static void expect_output(int fd, struct bytes want)
{
    char got[64];
    ssize_t n = pread(fd, got, sizeof got, 0);
    assert_true(n >= 0);
    assert_bytes(bytes_make(got, (size_t)n), want);
}

static void test_one_file_is_written_as_it_comes(void **state)
{
    struct inbox_stream s;
    struct inbox *i = &s.inbox;
    char name[NAME_MAX + 1];
    uint64_t room;
    int fd = scratch_file(*state);
    assert_int_equal(inbox_stream_open(&s, fd), 0);
    assert_int_equal(i->ops->room(i, &room), 0);
    assert_int_equal(room, UINT64_MAX);
    assert_int_equal(i->ops->check_name(i, file.name), 0);
    assert_int_equal(i->ops->stage(i, 3, true), 0);
    assert_int_equal(i->ops->write(i, 0, BYTES("abc")), 0);
    assert_int_equal(i->ops->write(i, 3, BYTES("def")), 0);
    assert_int_equal(i->ops->sync(i), 0);
    assert_int_equal(i->ops->stage(i, 3, false), 0);
    assert_int_equal(i->ops->write(i, 8, BYTES("g")), 0);
    assert_int_equal(i->ops->complete(i, &file, 11), 0);
    expect_output(fd, BYTES("abcdef\0\0g\0\0"));
    assert_int_equal(i->ops->place(i, &file), 0);
    assert_int_equal(i->ops->placed(i), 0);
    assert_int_equal(i->ops->publish(i, file.name, name), 0);
    assert_string_equal(name, "a");
    assert_int_equal(i->ops->publish(i, file.name, name), INBOX_NONE);
    assert_int_equal(i->ops->clear(i), 0);
    expect_output(fd, BYTES("abcdef\0\0g\0\0"));
    inbox_stream_close(&s);
    close(fd);
}

static void test_the_journal_is_kept(void **state)
{
    struct inbox_stream s;
    struct inbox *i = &s.inbox;
    uint8_t got[8];
    size_t n;
    assert_int_equal(inbox_stream_open(&s, -1), 0);
    assert_int_equal(i->ops->journal_append(i, BYTES("abc")), 0);
    assert_int_equal(i->ops->journal_append(i, BYTES("def")), 0);
    assert_int_equal(i->ops->journal_read(i, 2, got, sizeof got, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("cdef"));
    assert_int_equal(i->ops->journal_cut(i, 1), 0);
    assert_int_equal(i->ops->journal_append(i, BYTES("x")), 0);
    assert_int_equal(i->ops->journal_read(i, 0, got, sizeof got, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("ax"));
    inbox_stream_close(&s);
}

static void test_a_long_hole_is_zeros(void **state)
{
    struct inbox_stream s;
    struct stat st;
    int fd = scratch_file(*state);
    assert_int_equal(inbox_stream_open(&s, fd), 0);
    assert_int_equal(s.inbox.ops->stage(&s.inbox, 3, true), 0);
    assert_int_equal(s.inbox.ops->complete(&s.inbox, &file, 1000001), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 1000001);
    inbox_stream_close(&s);
    close(fd);
}

static void test_nothing_else_is_taken(void **state)
{
    struct inbox_stream s;
    struct inbox *i = &s.inbox;
    struct transfer_entry other = file;
    char name[NAME_MAX + 1];
    int fd = scratch_file(*state);
    assert_int_equal(inbox_stream_open(&s, fd), 0);
    assert_int_equal(i->ops->drop(i, 3), INBOX_NONE);
    assert_int_equal(i->ops->place(i, &file), INBOX_NAME); /* it was never staged */
    assert_int_equal(i->ops->stage(i, 3, true), 0);
    assert_int_equal(i->ops->stage(i, 4, true), INBOX_NAME);
    assert_int_equal(i->ops->drop(i, 4), INBOX_NONE);
    assert_int_equal(i->ops->drop(i, 3), 0);
    assert_int_equal(i->ops->check_name(i, BYTES("")), INBOX_NAME);
    assert_int_equal(i->ops->publish(i, BYTES(""), name), INBOX_NAME);
    other.kind = TRANSFER_FOLDER;
    assert_int_equal(i->ops->place(i, &other), INBOX_NAME);
    other.kind = TRANSFER_FILE;
    other.depth = 1;
    assert_int_equal(i->ops->place(i, &other), INBOX_NAME);
    other.depth = 0;
    other.number = 4;
    assert_int_equal(i->ops->place(i, &other), INBOX_NAME);
    expect_output(fd, BYTES(""));
    inbox_stream_close(&s);
    close(fd);
}

static void test_what_was_written_stays(void **state)
{
    struct inbox_stream s;
    struct inbox *i = &s.inbox;
    uint8_t got[4];
    size_t n = 7;
    int fd = scratch_file(*state);
    assert_int_equal(inbox_stream_open(&s, fd), 0);
    assert_int_equal(i->ops->stage(i, 3, true), 0);
    assert_int_equal(i->ops->write(i, 0, BYTES("abc")), 0);
    assert_int_equal(i->ops->write(i, 2, BYTES("x")), -ESPIPE);
    assert_int_equal(i->ops->stage(i, 3, true), -ESPIPE);
    assert_int_equal(i->ops->drop(i, 3), -ESPIPE);
    assert_int_equal(i->ops->complete(i, &file, 2), -ESPIPE);
    assert_int_equal(i->ops->read(i, 0, got, sizeof got, &n), -ESPIPE);
    expect_output(fd, BYTES("abc"));
    inbox_stream_close(&s);
    close(fd);
}

/* More than a pipe holds, to a descriptor that does not wait, and to a reader that does. */
static void test_a_slow_reader_is_waited_for(void **state)
{
    enum { BYTES_MAX = 1000000 };
    struct inbox_stream s;
    int ends[2], status;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    pid_t child = fork();
    if (child == 0) {
        char got[1000];
        size_t sum = 0;
        ssize_t n;
        close(ends[1]);
        assert_int_equal(fcntl(ends[0], F_SETFL, 0), 0);
        while ((n = read(ends[0], got, sizeof got)) > 0)
            sum += (size_t)n;
        _exit(sum == BYTES_MAX ? 42 : 1);
    }
    close(ends[0]);
    assert_int_equal(inbox_stream_open(&s, ends[1]), 0);
    assert_int_equal(s.inbox.ops->stage(&s.inbox, 3, true), 0);
    assert_int_equal(s.inbox.ops->complete(&s.inbox, &file, BYTES_MAX), 0);
    inbox_stream_close(&s);
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_one_file_is_written_as_it_comes),
        cmocka_unit_test(test_the_journal_is_kept),
        SCRATCH_TEST(test_a_long_hole_is_zeros),
        SCRATCH_TEST(test_nothing_else_is_taken),
        SCRATCH_TEST(test_what_was_written_stays),
        cmocka_unit_test(test_a_slow_reader_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
