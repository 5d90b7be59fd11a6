#include "io/profile.h"

#include "io/entropy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 4096, NAME_BYTES = 64 };

static char *choose_path(const char *name)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    bool given = config && config[0] == '/';
    char *path;
    if (!given && !(home && home[0] == '/'))
        return NULL;
    int n =
        asprintf(&path, "%s%s/kith/%s", given ? config : home, given ? "" : "/.config", name);
    return n < 0 ? NULL : path;
}

/* The folder and those above it; path is as it was when it returns. */
static int make_folder(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int r = mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
        *slash = '/';
        if (r < 0)
            return r;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static int check_private(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -errno;
    return st.st_uid == geteuid() && (st.st_mode & 077) == 0 ? 0 : PROFILE_IS_OPEN;
}

int profile_open(struct profile *p, const char *name)
{
    *p = (struct profile){.fd = -1, .path = choose_path(name)};
    if (!p->path)
        return PROFILE_NOWHERE;
    int r = make_folder(p->path);
    if (r < 0)
        return r;
    p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return p->fd < 0 ? -errno : check_private(p->fd);
}

void profile_close(struct profile *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p->path);
    *p = (struct profile){.fd = -1};
}

static int read_all(int fd, struct buffer *out)
{
    for (;;) {
        uint8_t *space;
        int r = buffer_reserve(out, READ_BYTES, &space);
        if (r != 0)
            return r;
        ssize_t n = read(fd, space, READ_BYTES);
        if (n == 0)
            return 0;
        if (n > 0)
            buffer_wrote(out, (size_t)n);
        else if (errno != EINTR)
            return -errno;
    }
}

int profile_read(const struct profile *p, const char *file, struct buffer *out)
{
    int fd = openat(p->fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int r = read_all(fd, out);
    close(fd);
    return r;
}

static int write_all(int fd, struct bytes content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.data, content.len);
        if (n >= 0)
            content = bytes_from(content, (size_t)n);
        else if (errno != EINTR)
            return -errno;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

int profile_write(const struct profile *p, const char *file, struct bytes content)
{
    char partial[NAME_BYTES];
    snprintf(partial, sizeof partial, "%s.%ld", file, (long)getpid());
    unlinkat(p->fd, partial, 0);
    int fd = openat(p->fd, partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, content);
    close(fd);
    if (r == 0 && renameat(p->fd, partial, p->fd, file) != 0)
        r = -errno;
    if (r < 0)
        unlinkat(p->fd, partial, 0);
    else if (fsync(p->fd) != 0)
        r = -errno;
    return r;
}

int profile_file(const struct profile *p, const char *file, int flags)
{
    int fd = openat(p->fd, file, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

bool profile_has(const struct profile *p, const char *file)
{
    struct stat st;
    return fstatat(p->fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int profile_remove(const struct profile *p, const char *file)
{
    return unlinkat(p->fd, file, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

int profile_each(const struct profile *p, void (*see)(void *ctx, const char *file), void *ctx)
{
    int fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        int error = -errno;
        if (fd >= 0)
            close(fd);
        return error;
    }
    struct dirent *entry;
    while ((entry = readdir(folder)))
        see(ctx, entry->d_name);
    closedir(folder);
    return 0;
}

int profile_lock(const struct profile *p)
{
    int fd = openat(p->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            int error = -errno;
            close(fd);
            return error;
        }
    }
    return fd;
}

int profile_try_lock(const struct profile *p, const char *file)
{
    int fd = openat(p->fd, file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

int profile_try_lock_one(const struct profile *p, const char *file, uint64_t number)
{
    struct flock one = {.l_type = F_WRLCK,
                        .l_whence = SEEK_SET,
                        .l_start = (off_t)(number % INT64_MAX),
                        .l_len = 1};
    int fd = openat(p->fd, file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    if (fcntl(fd, F_OFD_SETLK, &one) == 0)
        return fd;
    int error = errno == EACCES || errno == EAGAIN ? -EWOULDBLOCK : -errno;
    close(fd);
    return error;
}

void profile_unlock(int lock)
{
    close(lock);
}

/* ---- the key ---- */

enum { KEY_IS_MISSING = 100 };

static int read_key_from(int fd, uint8_t ret[PROFILE_KEY_BYTES])
{
    uint8_t key[PROFILE_KEY_BYTES + 1];
    size_t len = 0;
    ssize_t n = 1;
    while (n > 0 && len < sizeof key) {
        n = read(fd, key + len, sizeof key - len);
        if (n > 0)
            len += (size_t)n;
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    int r = n < 0 ? -errno : len == PROFILE_KEY_BYTES ? 0 : PROFILE_KEY_IS_NONE;
    if (r == 0)
        memcpy(ret, key, PROFILE_KEY_BYTES);
    sodium_memzero(key, sizeof key);
    return r;
}

static int read_key(const struct profile *p, uint8_t ret[PROFILE_KEY_BYTES])
{
    int fd = openat(p->fd, PROFILE_KEY_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? KEY_IS_MISSING : -errno;
    int r = check_private(fd);
    r = r == PROFILE_IS_OPEN ? PROFILE_KEY_IS_OPEN : r == 0 ? read_key_from(fd, ret) : r;
    close(fd);
    return r;
}

static int make_key(const struct profile *p, uint8_t ret[PROFILE_KEY_BYTES])
{
    int lock = profile_lock(p);
    if (lock < 0)
        return lock;
    int r = read_key(p, ret); /* another process may have been first */
    if (r == KEY_IS_MISSING) {
        r = entropy_fill(ret, PROFILE_KEY_BYTES);
        if (r == 0)
            r = profile_write(p, PROFILE_KEY_FILE, bytes_make(ret, PROFILE_KEY_BYTES));
    }
    profile_unlock(lock);
    return r;
}

int profile_key(const struct profile *p, uint8_t ret[PROFILE_KEY_BYTES])
{
    int r = read_key(p, ret);
    return r == KEY_IS_MISSING ? make_key(p, ret) : r;
}
