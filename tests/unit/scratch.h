#ifndef KITH_UNIT_SCRATCH_H
#define KITH_UNIT_SCRATCH_H

/* A folder of a test's own on the real disk, gone after it, and what is put into it. */

#include "io/beneath.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
    char path[64];
    int fd;
};

static inline int scratch_make(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    assert_non_null(s);
    snprintf(s->path, sizeof s->path, "/tmp/kith-unit-XXXXXX");
    assert_non_null(mkdtemp(s->path));
    s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(s->fd >= 0);
    *state = s;
    return 0;
}

static inline int scratch_remove(void **state)
{
    struct scratch *s = *state;
    assert_int_equal(beneath_empty(s->fd, ""), 0);
    close(s->fd);
    assert_int_equal(rmdir(s->path), 0);
    free(s);
    return 0;
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

/* An open file of no name. */
static inline int scratch_file(struct scratch *s)
{
    int fd = openat(s->fd, "no name", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(unlinkat(s->fd, "no name", 0), 0);
    return fd;
}

static inline void scratch_put(struct scratch *s, const char *path, struct bytes content)
{
    int fd = openat(s->fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.data, content.len), content.len);
    close(fd);
}

static inline void scratch_put_folder(struct scratch *s, const char *path)
{
    assert_int_equal(mkdirat(s->fd, path, 0755), 0);
}

static inline bool scratch_has(struct scratch *s, const char *path)
{
    struct stat st;
    return fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline struct stat scratch_stat(struct scratch *s, const char *path)
{
    struct stat st;
    assert_int_equal(fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st;
}

static inline void scratch_expect_at(struct scratch *s, const char *path, struct bytes want,
                                     const char *file, int line)
{
    char got[4096];
    int fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW);
    if (fd < 0)
        print_error("%s is not there\n", path);
    assert_true(fd >= 0);
    ssize_t n = read(fd, got, sizeof got);
    close(fd);
    assert_true(n >= 0);
    unit_assert_bytes(bytes_make(got, (size_t)n), want, file, line);
}

#define scratch_expect(s, path, want) scratch_expect_at(s, path, want, __FILE__, __LINE__)

#endif
