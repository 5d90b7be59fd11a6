#include "io/inbox_folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the chain of open folders ---- */

/* The folder in which things of that depth lie. */
static int folder_at(const struct inbox_folder *f, unsigned depth)
{
    return depth == 0 ? f->tree_fd : f->levels[depth - 1].fd;
}

/* Nothing more is put into the folders from that depth on, so they get their times. */
static int leave(struct inbox_folder *f, unsigned depth)
{
    int r = 0;
    while (f->depth > depth) {
        struct inbox_folder_level *level = &f->levels[--f->depth];
        const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, level->mtime};
        if (futimens(level->fd, times) != 0 && r == 0)
            r = -errno;
        close(level->fd);
    }
    return r;
}

void inbox_folder_leave_all(struct inbox_folder *f)
{
    while (f->depth > 0)
        close(f->levels[--f->depth].fd);
}

static int place_folder(struct inbox_folder *f, const struct transfer_entry *entry,
                        const char *name)
{
    bool made;
    int fd = beneath_open_folder(folder_at(f, entry->depth), name, 0777, &made);
    if (fd < 0)
        return fd == -ENOTDIR ? INBOX_TAKEN : fd;
    f->levels[f->depth++] = (struct inbox_folder_level){
        fd, {.tv_sec = (time_t)entry->seconds, .tv_nsec = (long)entry->nanoseconds}};
    f->has_folders = true;
    return 0;
}

/* ---- files ---- */

/* There is nothing staged: INBOX_NONE where the file is in its place. */
static int check_placed(int folder, const char *name)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -errno;
    return S_ISREG(st.st_mode) ? INBOX_NONE : -ENOENT;
}

/* Another name of what lies there is either one that was given before a crash, or was planted.
 */
static int check_links(const struct stat *staged, int folder, const char *name)
{
    struct stat st;
    if (staged->st_nlink == 1)
        return 0;
    bool is_ours = staged->st_nlink == 2 &&
                   fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                   st.st_dev == staged->st_dev && st.st_ino == staged->st_ino;
    return is_ours ? 0 : -EMLINK;
}

static int place_file(struct inbox_folder *f, const struct transfer_entry *entry,
                      const char *name)
{
    struct stat staged;
    int folder = folder_at(f, entry->depth);
    struct inbox_folder_number number = inbox_folder_number(entry->number);
    if (fstatat(f->content_fd, number.text, &staged, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? check_placed(folder, name) : -errno;
    int r = S_ISREG(staged.st_mode) ? check_links(&staged, folder, name) : -ELOOP;
    if (r == 0)
        r = beneath_move(f->content_fd, number.text, folder, name);
    return r == -EEXIST ? INBOX_TAKEN : r;
}

/* ---- what the seam has ---- */

/* Once names change, a file is found by its number no more. */
static void expect_names(struct inbox_folder *f)
{
    inbox_folder_close_fd(&f->file_fd);
    f->unsynced_many |= f->unsynced_count > 0;
    f->names_changed = true;
}

int inbox_folder_place(struct inbox *i, const struct transfer_entry *entry)
{
    struct inbox_folder *f = inbox_folder(i);
    struct beneath_name name;
    bool is_folder = entry->kind == TRANSFER_FOLDER;
    if (entry->depth > f->depth || (is_folder && entry->depth > LIMIT_TRANSFER_DEPTH))
        return -EINVAL;
    if (!beneath_name_read(entry->name, &name))
        return INBOX_NAME;
    expect_names(f);
    int r = leave(f, entry->depth);
    if (r < 0)
        return r;
    r = is_folder ? place_folder(f, entry, name.text) : place_file(f, entry, name.text);
    return inbox_folder_is_no_name(r) ? INBOX_NAME : r;
}

int inbox_folder_placed(struct inbox *i)
{
    struct inbox_folder *f = inbox_folder(i);
    int r = leave(f, 0);
    if (r < 0)
        return r;
    /* Folders that were not synced one by one are not looked for. */
    if ((f->has_folders ? syncfs(f->tree_fd) : fsync(f->tree_fd)) != 0)
        return -errno;
    return i->ops->sync(i);
}
