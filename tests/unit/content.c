#include "io/content.h"

#include "scratch.h"

#include <sys/syscall.h>

enum { AT_ONCE = 3 };

static unsigned calls;
static int error; /* what each second call fails with; 0: none does */

static bool fails(void)
{
    errno = error;
    return ++calls % 2 == 0 && error != 0;
}

/* In place of the C library's: they move a little at a time. */
ssize_t pread(int fd, void *into, size_t n, off_t at)
{
    return fails() ? -1 : syscall(SYS_pread64, fd, into, n < AT_ONCE ? n : AT_ONCE, at);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    return fails() ? -1 : syscall(SYS_pwrite64, fd, from, n < AT_ONCE ? n : AT_ONCE, at);
}

static int open_file(struct scratch *s)
{
    calls = 0;
    error = 0;
    return openat(s->fd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void test_all_is_moved(void **state)
{
    struct scratch *s = *state;
    uint8_t got[16];
    size_t n = 0;
    int fd = open_file(s);
    error = EINTR;
    assert_int_equal(content_write(fd, 2, BYTES("0123456789")), 0);
    assert_int_equal(content_read(fd, 4, got, 5, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("23456"));
    assert_int_equal(content_read(fd, 10, got, sizeof got, &n), 0);
    assert_bytes(bytes_make(got, n), BYTES("89"));
    assert_int_equal(content_read(fd, 12, got, sizeof got, &n), 0);
    assert_int_equal(n, 0);
    close(fd);
}

static void test_an_error_is_passed_on(void **state)
{
    struct scratch *s = *state;
    uint8_t got[16];
    size_t n = 0;
    int fd = open_file(s);
    error = ENOSPC;
    assert_int_equal(content_write(fd, 0, BYTES("0123456789")), -ENOSPC);
    error = EIO;
    assert_int_equal(content_read(fd, 0, got, sizeof got, &n), -EIO);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_all_is_moved),
        SCRATCH_TEST(test_an_error_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
