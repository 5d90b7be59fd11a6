#include "io/folder.h"

#include "io/plain_file.h"
#include "store/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char lock_name[] = "lock";

struct folder {
    struct disk disk;
    int fd, lock_fd;
    bool was_bare;        /* when it was opened, it held nothing of a hub's */
    bool had_lock;        /* when it was opened, it held a lock, if nothing else */
    size_t made;          /* how much of its path leads to the first folder made; 0: none was */
    pthread_mutex_t lock; /* of what follows */
    int names_error;      /* names could not be made durable; 0: they could */
};

struct disk_file {
    struct plain_file plain;
};

static int folder_fd(struct disk *d)
{
    return ((struct folder *)d)->fd;
}

/* ---- struct disk ---- */

static int file_open(struct disk *d, const char *name, bool create, struct disk_file **ret)
{
    struct disk_file *f = malloc(sizeof *f);
    if (!f)
        return -ENOMEM;
    int r = plain_file_open(&f->plain, folder_fd(d), name, create);
    if (r < 0) {
        free(f);
        return r;
    }
    *ret = f;
    return 0;
}

static void file_close(struct disk *d, struct disk_file *f)
{
    plain_file_close(&f->plain);
    free(f);
}

static int file_size(struct disk *d, struct disk_file *f, uint64_t *ret)
{
    return plain_file_size(&f->plain, ret);
}

static int file_read(struct disk *d, struct disk_file *f, uint64_t at, void *to, size_t n,
                     size_t *ret_read)
{
    return plain_file_read(&f->plain, at, to, n, ret_read);
}

static int file_write(struct disk *d, struct disk_file *f, uint64_t at, const void *from,
                      size_t n)
{
    return plain_file_write(&f->plain, at, from, n);
}

static int file_zero(struct disk *d, struct disk_file *f, uint64_t from, uint64_t to)
{
    return plain_file_zero(&f->plain, from, to);
}

static int file_append(struct disk *d, struct disk_file *f, uint64_t at, const void *from,
                       size_t n, bool sync)
{
    return plain_file_append(&f->plain, at, from, n, sync);
}

static int file_sync(struct disk *d, struct disk_file *f)
{
    return plain_file_sync(&f->plain);
}

static int name_rename(struct disk *d, const char *from, const char *to)
{
    return renameat(folder_fd(d), from, folder_fd(d), to) == 0 ? 0 : -errno;
}

static int name_remove(struct disk *d, const char *name)
{
    return unlinkat(folder_fd(d), name, 0) == 0 ? 0 : -errno;
}

/* The kernel tells a failure once, to whoever syncs first; the name that is lost may be another
 * thread's, who would be told that all is well. So it is told to all from then on. */
static int names_sync(struct disk *d)
{
    struct folder *f = (struct folder *)d;
    pthread_mutex_lock(&f->lock);
    if (f->names_error == 0 && fsync(f->fd) != 0)
        f->names_error = -errno;
    int r = f->names_error;
    pthread_mutex_unlock(&f->lock);
    return r;
}

static int each_file(DIR *dir, int (*each)(void *ctx, const char *name), void *ctx)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return -errno;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, lock_name) == 0 ||
            strlen(entry->d_name) >= DISK_NAME_BYTES)
            continue;
        int r = each(ctx, entry->d_name);
        if (r != 0)
            return r;
    }
}

static int names_list(struct disk *d, int (*each)(void *ctx, const char *name), void *ctx)
{
    int fd = openat(folder_fd(d), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int error = -errno;
        close(fd);
        return error;
    }
    int r = each_file(dir, each, ctx);
    closedir(dir);
    return r;
}

static const struct disk_ops ops = {
    .open = file_open,
    .close = file_close,
    .size = file_size,
    .read = file_read,
    .write = file_write,
    .zero = file_zero,
    .append = file_append,
    .sync = file_sync,
    .rename = name_rename,
    .remove = name_remove,
    .sync_folder = names_sync,
    .list = names_list,
};

/* ---- the folder itself ---- */

/* Removes the folders of a path from its end up to the first that was made, but for those with
 * something in them. */
static void remove_made(const char *path, size_t made)
{
    char part[PATH_MAX];
    if (made == 0)
        return;
    memcpy(part, path, strlen(path) + 1);
    for (size_t i = strlen(path); i >= made; i--) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        rmdir(part);
    }
}

static int make_with_parents(const char *path, size_t *ret_made)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    *ret_made = 0;
    if (len == 0 || len >= sizeof part)
        return len == 0 ? -ENOENT : -ENAMETOOLONG;
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char end = part[i];
        part[i] = '\0';
        bool made = mkdir(part, 0700) == 0;
        if (!made && errno != EEXIST)
            return -errno;
        if (made && *ret_made == 0)
            *ret_made = i;
        part[i] = end;
    }
    return 0;
}

static int check_private(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -errno;
    return st.st_uid == geteuid() && (st.st_mode & 077) == 0 ? 0 : FOLDER_IS_OPEN;
}

static pid_t read_holder(int lock_fd)
{
    char text[16] = "";
    ssize_t n = pread(lock_fd, text, sizeof text - 1, 0);
    return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

static int write_holder(int lock_fd)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(lock_fd, 0) != 0 || pwrite(lock_fd, text, (size_t)n, 0) != n)
        return -errno;
    return 0;
}

static int take_lock(struct folder *f, pid_t *ret_holder)
{
    f->lock_fd = openat(f->fd, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->lock_fd < 0)
        return errno == EROFS ? 0 : -errno; /* nobody writes there: there is nothing to lock */
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return -errno;
    *ret_holder = read_holder(f->lock_fd);
    return FOLDER_IN_USE;
}

/* Who held it may have taken it back between our opening and our locking it. */
static bool is_removed(int lock_fd)
{
    struct stat st;
    return fstat(lock_fd, &st) == 0 && st.st_nlink == 0;
}

static int lock(struct folder *f, pid_t *ret_holder)
{
    int r = take_lock(f, ret_holder);
    while (r == 0 && f->lock_fd >= 0 && is_removed(f->lock_fd)) {
        close(f->lock_fd);
        r = take_lock(f, ret_holder);
    }
    if (r != 0 || f->lock_fd < 0)
        return r;
    r = write_holder(f->lock_fd);
    if (r < 0 && !f->had_lock)
        unlinkat(f->fd, lock_name, 0);
    return r;
}

int folder_open(const char *path, struct folder **ret, pid_t *ret_holder)
{
    size_t made;
    int r = make_with_parents(path, &made);
    if (r == 0)
        r = folder_open_existing(path, ret, ret_holder);
    if (r == 0)
        (*ret)->made = made;
    else
        remove_made(path, made);
    return r;
}

int folder_open_existing(const char *path, struct folder **ret, pid_t *ret_holder)
{
    struct folder *f = malloc(sizeof *f);
    if (!f)
        return -ENOMEM;
    *f = (struct folder){.disk = {&ops}, .fd = -1, .lock_fd = -1};
    pthread_mutex_init(&f->lock, NULL);
    int r = 0;
    f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->fd < 0) {
        r = -errno;
        goto fail;
    }
    r = check_private(f->fd);
    if (r != 0)
        goto fail;
    f->was_bare = folder_find_data(path) == FOLDER_HOLDS_NONE;
    f->had_lock = faccessat(f->fd, lock_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    r = lock(f, ret_holder);
    if (r != 0)
        goto fail;
    *ret = f;
    return 0;
fail:
    folder_close(f);
    return r;
}

void folder_close(struct folder *f)
{
    if (!f)
        return;
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    if (f->fd >= 0)
        close(f->fd);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

struct disk *folder_disk(struct folder *f)
{
    return &f->disk;
}

bool folder_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool folder_has_parent(const char *path)
{
    char copy[PATH_MAX];
    struct stat st;
    int n = snprintf(copy, sizeof copy, "%s", path);
    return n > 0 && (size_t)n < sizeof copy && stat(dirname(copy), &st) == 0 &&
           S_ISDIR(st.st_mode);
}

static bool is_of_a_hub(const char *name)
{
    return strcmp(name, lock_name) == 0 || strcmp(name, CHECKPOINT_NAME) == 0 ||
           strcmp(name, "hub.crt") == 0 || strncmp(name, "log-", 4) == 0;
}

int folder_find_data(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return -errno;
    const struct dirent *entry;
    bool found = false;
    errno = 0;
    while (!found && (entry = readdir(dir)))
        found = is_of_a_hub(entry->d_name);
    int r = found ? 0 : errno ? -errno : FOLDER_HOLDS_NONE;
    closedir(dir);
    return r;
}

/* Makes what was renamed below its parent durable. */
static int sync_parent(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return r;
}

int folder_rename(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
        return -errno;
    return sync_parent(to);
}

static int remove_own(void *ctx, const char *name)
{
    if (is_of_a_hub(name))
        disk_remove(ctx, name);
    return 0;
}

void folder_discard(const char *path, struct folder *f)
{
    disk_list(&f->disk, remove_own, &f->disk);
    disk_remove(&f->disk, lock_name);
    folder_close(f);
    rmdir(path);
}

void folder_retract(const char *path, struct folder *f)
{
    if (!f)
        return;
    size_t made = f->made;
    if (f->was_bare)
        disk_list(&f->disk, remove_own, &f->disk);
    if (!f->had_lock)
        disk_remove(&f->disk, lock_name);
    folder_close(f);
    remove_made(path, made);
}
