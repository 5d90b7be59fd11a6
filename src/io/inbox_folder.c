#include "io/inbox_folder_inner.h"

#include "io/content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { INODES_SPARE = 1024 };

static const char kith_name[] = ".kith", journal_name[] = "journal", content_name[] = "content",
                  tree_name[] = "tree";

/* Others may take the staging away while it is opened, each of them once. */
enum { OPEN_ATTEMPTS = 16 };

void inbox_folder_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- the journal ---- */

static int journal_append(struct inbox *i, struct bytes data)
{
    struct inbox_folder *f = inbox_folder(i);
    f->journal_changed = true;
    int r = content_write(f->journal_fd, f->journal_len, data);
    if (r == 0)
        f->journal_len += data.len;
    return r;
}

static int journal_read(struct inbox *i, uint64_t offset, uint8_t *into, size_t room,
                        size_t *ret_n)
{
    return content_read(inbox_folder(i)->journal_fd, offset, into, room, ret_n);
}

static int journal_cut(struct inbox *i, uint64_t len)
{
    struct inbox_folder *f = inbox_folder(i);
    if (len >= f->journal_len)
        return 0;
    if (ftruncate(f->journal_fd, (off_t)len) != 0)
        return -errno;
    f->journal_len = len;
    f->journal_changed = true;
    if (f->synced_len > len)
        f->synced_len = len;
    return 0;
}

/* ---- the whole ---- */

static int room(struct inbox *i, uint64_t *ret)
{
    struct statvfs st;
    if (fstatvfs(inbox_folder(i)->top_fd, &st) != 0)
        return -errno;
    *ret = (uint64_t)st.f_bavail * st.f_frsize;
    if (st.f_files > 0 && st.f_favail < INODES_SPARE)
        *ret = 0; /* files without content need room, too */
    return 0;
}

/* Of a folder that another process has begun to use meanwhile, nothing is taken. */
static int remove_if_empty(int folder, const char *name)
{
    bool gone = unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
    return gone || errno == ENOTEMPTY || errno == EEXIST ? 0 : -errno;
}

/* Where a crash interrupts this, the empty journal says what the rest is worth. With the
 * journal goes the lock, so it is the last. */
static int clear(struct inbox *i)
{
    struct inbox_folder *f = inbox_folder(i);
    inbox_folder_close_fd(&f->file_fd);
    inbox_folder_leave_all(f);
    int r = journal_cut(i, 0);
    if (r == 0)
        r = beneath_empty(f->staging_fd, journal_name);
    if (r == 0)
        r = beneath_remove(f->staging_fd, journal_name);
    if (r == 0)
        r = remove_if_empty(f->kith_fd, f->id);
    return r == 0 ? remove_if_empty(f->top_fd, kith_name) : r;
}

static const struct inbox_ops ops = {
    .journal_append = journal_append,
    .journal_read = journal_read,
    .journal_cut = journal_cut,
    .stage = inbox_folder_stage,
    .begin = inbox_folder_begin,
    .take_back = inbox_folder_take_back,
    .write = inbox_folder_write,
    .read = inbox_folder_read,
    .complete = inbox_folder_complete,
    .drop = inbox_folder_drop,
    .sync = inbox_folder_sync,
    .room = room,
    .check_name = inbox_folder_check_name,
    .place = inbox_folder_place,
    .placed = inbox_folder_placed,
    .publish = inbox_folder_publish,
    .clear = clear,
};

/* ---- opened and closed ---- */

/* Somebody else's would be changed under our hands. */
static int open_own(int folder, const char *name, bool *ret_made)
{
    struct stat st;
    int fd = beneath_open_folder(folder, name, 0700, ret_made);
    if (fd < 0 || (fstat(fd, &st) == 0 && st.st_uid == geteuid()))
        return fd;
    close(fd);
    return -EPERM;
}

static int open_folder(struct inbox_folder *f, int *fd, int folder, const char *name)
{
    bool made;
    int r = open_own(folder, name, &made);
    if (r < 0)
        return r;
    f->names_changed |= made;
    *fd = r;
    return 0;
}

/* Somebody may have cleared the staging between our opening the journal and locking it. */
static int lock_journal(struct inbox_folder *f)
{
    struct stat st;
    if (flock(f->journal_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? INBOX_FOLDER_BUSY : -errno;
    if (fstat(f->journal_fd, &st) != 0)
        return -errno;
    f->journal_len = f->synced_len = (uint64_t)st.st_size;
    return st.st_nlink > 0 ? 0 : -ENOENT;
}

static int open_journal(struct inbox_folder *f)
{
    bool made;
    int fd = beneath_open_file(f->staging_fd, journal_name, &made);
    if (fd < 0)
        return fd;
    f->journal_fd = fd;
    f->names_changed |= made;
    return lock_journal(f);
}

static int open_staged(struct inbox_folder *f)
{
    int r = f->journal_len == 0 ? beneath_empty(f->staging_fd, journal_name) : 0;
    if (r == 0)
        r = open_folder(f, &f->content_fd, f->staging_fd, content_name);
    return r == 0 ? open_folder(f, &f->tree_fd, f->staging_fd, tree_name) : r;
}

static int open_all(struct inbox_folder *f)
{
    int r = open_folder(f, &f->kith_fd, f->top_fd, kith_name);
    if (r == 0)
        r = open_folder(f, &f->staging_fd, f->kith_fd, f->id);
    if (r == 0)
        r = open_journal(f);
    return r == 0 ? open_staged(f) : r;
}

static void close_staging(struct inbox_folder *f)
{
    inbox_folder_close_fd(&f->file_fd);
    inbox_folder_leave_all(f);
    inbox_folder_close_fd(&f->tree_fd);
    inbox_folder_close_fd(&f->content_fd);
    inbox_folder_close_fd(&f->journal_fd);
    inbox_folder_close_fd(&f->staging_fd);
    inbox_folder_close_fd(&f->kith_fd);
}

/* One that keeps the owner out of his own folders is of no use here. */
static mode_t settle_umask(void)
{
    mode_t mask = umask(077) & 077;
    umask(mask);
    return mask;
}

int inbox_folder_open(struct inbox_folder *f, int inbox_fd, const struct random_id *id,
                      enum inbox_rule rule)
{
    *f = (struct inbox_folder){.inbox = {&ops},
                               .rule = rule,
                               .umask = settle_umask(),
                               .kith_fd = -1,
                               .staging_fd = -1,
                               .content_fd = -1,
                               .tree_fd = -1,
                               .journal_fd = -1,
                               .file_fd = -1};
    random_id_write(f->id, id);
    f->top_fd = beneath_open(inbox_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (f->top_fd < 0)
        return f->top_fd;
    int r = -ENOENT;
    for (int attempt = 0; attempt < OPEN_ATTEMPTS && r == -ENOENT; attempt++) {
        close_staging(f);
        r = open_all(f);
    }
    if (r != 0)
        inbox_folder_close(f);
    return r;
}

void inbox_folder_close(struct inbox_folder *f)
{
    close_staging(f);
    inbox_folder_close_fd(&f->top_fd);
}

/* ---- what is staged in a folder ---- */

bool inbox_folder_is_there(int inbox_fd, const struct random_id *id)
{
    char name[RANDOM_ID_TEXT_LEN + 1];
    struct stat st;
    random_id_write(name, id);
    int fd = beneath_open(inbox_fd, kith_name, O_RDONLY | O_DIRECTORY, 0);
    bool there = fd >= 0 && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    inbox_folder_close_fd(&fd);
    return there;
}

static bool is_folder(int folder, const char *name)
{
    struct stat st;
    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int list_each(DIR *dir, int (*each)(void *ctx, const struct random_id *id), void *ctx)
{
    struct random_id id;
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (!e)
            return -errno;
        if (!random_id_read(bytes_from_str(e->d_name), &id) ||
            !is_folder(dirfd(dir), e->d_name))
            continue;
        int r = each(ctx, &id);
        if (r != 0)
            return r;
    }
}

int inbox_folder_list(int inbox_fd, int (*each)(void *ctx, const struct random_id *id),
                      void *ctx)
{
    int fd = beneath_open(inbox_fd, kith_name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int r = -errno;
        close(fd);
        return r;
    }
    int r = list_each(dir, each, ctx);
    closedir(dir);
    return r;
}
