#include "io/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

bool beneath_name_read(struct bytes name, struct beneath_name *ret)
{
    if (name.len == 0 || name.len > NAME_MAX || bytes_find(name, '/') < name.len ||
        bytes_find(name, '\0') < name.len || bytes_equal_str(name, ".") ||
        bytes_equal_str(name, ".."))
        return false;
    memcpy(ret->text, name.data, name.len);
    ret->text[name.len] = '\0';
    return true;
}

int beneath_open(int folder, const char *name, int flags, mode_t mode)
{
    if (flags & O_CREAT)
        flags |= O_EXCL;
    struct open_how how = {
        .flags = (uint64_t)(flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
        .mode = mode,
        .resolve =
            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    for (;;) {
        long fd = syscall(SYS_openat2, folder, name, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno != EINTR && errno != EAGAIN) /* EAGAIN: something was moved meanwhile */
            return -errno;
    }
}

/* ---- files ---- */

/* Nobody else can write to it, or read what is written, by another name. */
static bool is_plain(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_nlink == 1;
}

/* -ENOENT where there is none, or was something else, which is gone now. */
static int open_plain(int folder, const char *name)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -errno;
    int fd = is_plain(&st) ? beneath_open(folder, name, O_RDWR, 0) : -ELOOP;
    if (fd >= 0 && fstat(fd, &st) == 0 && is_plain(&st))
        return fd;
    if (fd >= 0)
        close(fd); /* it was changed for another since it was looked at */
    else if (fd != -ELOOP)
        return fd;
    bool is_folder = S_ISDIR(st.st_mode);
    return unlinkat(folder, name, is_folder ? AT_REMOVEDIR : 0) == 0 ? -ENOENT : -errno;
}

int beneath_make_file(int folder, const char *name)
{
    return beneath_open(folder, name, O_RDWR | O_CREAT, 0666);
}

int beneath_open_file(int folder, const char *name, bool *ret_made)
{
    int fd = beneath_make_file(folder, name); /* as it is most of the time */
    bool made = fd >= 0;
    if (fd == -EEXIST)
        fd = open_plain(folder, name);
    if (fd == -ENOENT && !made) {
        fd = beneath_make_file(folder, name);
        made = fd >= 0;
    }
    if (fd >= 0)
        *ret_made = made;
    return fd;
}

/* ---- folders ---- */

int beneath_open_folder(int folder, const char *name, mode_t mode, bool *ret_made)
{
    bool made = mkdirat(folder, name, mode) == 0;
    if (!made && errno != EEXIST)
        return -errno;
    int fd = beneath_open(folder, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0)
        *ret_made = made;
    return fd;
}

/* ---- moves ---- */

static bool is_same(int a, const char *name_a, int b, const char *name_b)
{
    struct stat x, y;
    return fstatat(a, name_a, &x, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(b, name_b, &y, AT_SYMLINK_NOFOLLOW) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

static int link_and_unlink(int from, const char *name, int to, const char *new_name)
{
    if (linkat(from, name, to, new_name, 0) != 0 &&
        (errno != EEXIST || !is_same(from, name, to, new_name)))
        return -errno;
    return unlinkat(from, name, 0) == 0 ? 0 : -errno;
}

/* The name is taken by an empty folder, in whose place another can be put at once. */
static int claim_and_rename(int from, const char *name, int to, const char *new_name)
{
    if (mkdirat(to, new_name, 0700) != 0)
        return -errno;
    if (renameat(from, name, to, new_name) == 0)
        return 0;
    int r = -errno;
    unlinkat(to, new_name, AT_REMOVEDIR);
    return r;
}

int beneath_move(int from, const char *name, int to, const char *new_name)
{
    struct stat st;
    if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EEXIST && is_same(from, name, to, new_name))
        return unlinkat(from, name, 0) == 0 ? 0 : -errno; /* what a crash has left */
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? claim_and_rename(from, name, to, new_name)
                               : link_and_unlink(from, name, to, new_name);
}

/* ---- removal ---- */

static int remove_at(int folder, const char *name, unsigned depth);

static bool is_spared(const char *name, const char *spared)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, spared) == 0;
}

static int remove_each(DIR *dir, const char *spared, unsigned depth)
{
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (!e)
            return -errno;
        if (is_spared(e->d_name, spared))
            continue;
        int r = remove_at(dirfd(dir), e->d_name, depth);
        if (r < 0 && r != -ENOENT)
            return r;
    }
}

static int empty_folder(int folder, const char *name, const char *spared, unsigned depth)
{
    int fd = beneath_open(folder, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int r = -errno;
        close(fd);
        return r;
    }
    int r = remove_each(dir, spared, depth);
    closedir(dir);
    return r;
}

/* Depth is bounded, and so is the recursion. */
static int remove_at(int folder, const char *name, unsigned depth)
{
    if (unlinkat(folder, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM) /* EPERM: what POSIX has for a folder */
        return -errno;
    int r = depth < BENEATH_DEPTH ? empty_folder(folder, name, "", depth + 1) : -ELOOP;
    if (r < 0)
        return r;
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

int beneath_remove(int folder, const char *name)
{
    return remove_at(folder, name, 0);
}

int beneath_empty(int folder, const char *spared)
{
    return empty_folder(folder, ".", spared, 0);
}
