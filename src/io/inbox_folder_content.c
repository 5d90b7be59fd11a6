#include "io/inbox_folder_inner.h"

#include "io/content.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a file that lay there already. */
#define END_UNKNOWN UINT64_MAX

/* ---- which files are not on the disk yet ---- */

static bool is_unsynced(const struct inbox_folder *f, uint64_t number)
{
    for (size_t i = 0; i < f->unsynced_count; i++) {
        if (f->unsynced[i] == number)
            return true;
    }
    return false;
}

static void remember_unsynced(struct inbox_folder *f, uint64_t number)
{
    if (f->unsynced_many || is_unsynced(f, number))
        return;
    if (f->unsynced_count == INBOX_FOLDER_SYNCED_ALONE)
        f->unsynced_many = f->has_many = true;
    else
        f->unsynced[f->unsynced_count++] = number;
}

static void file_changes(struct inbox_folder *f)
{
    if (f->file_placed)
        f->unsynced_many = true;
    else if (!f->file_changed)
        remember_unsynced(f, f->file_number);
    f->file_changed = true;
}

/* ---- the file that is open ---- */

void inbox_folder_opened(struct inbox_folder *f, int fd, uint64_t number, bool made)
{
    f->names_changed |= made;
    f->file_fd = fd;
    f->file_number = number;
    f->file_changed = f->file_placed = false;
    f->file_made = made;
    f->file_end = made ? 0 : END_UNKNOWN;
}

static int open_staged(struct inbox_folder *f, uint64_t number)
{
    bool made;
    if (f->file_fd >= 0 && f->file_number == number)
        return 0;
    inbox_folder_close_fd(&f->file_fd);
    int fd = beneath_open_file(f->content_fd, inbox_folder_number(number).text, &made);
    if (fd < 0)
        return fd;
    inbox_folder_opened(f, fd, number, made);
    return 0;
}

int inbox_folder_stage(struct inbox *i, uint64_t number, bool fresh)
{
    struct inbox_folder *f = inbox_folder(i);
    int r = open_staged(f, number);
    if (r < 0 || !fresh || f->file_end == 0)
        return r;
    f->file_end = 0;
    file_changes(f);
    return ftruncate(f->file_fd, 0) == 0 ? 0 : -errno;
}

int inbox_folder_write(struct inbox *i, uint64_t offset, struct bytes data)
{
    struct inbox_folder *f = inbox_folder(i);
    file_changes(f);
    if (f->file_end < offset + data.len)
        f->file_end = offset + data.len;
    return content_write(f->file_fd, offset, data);
}

int inbox_folder_read(struct inbox *i, uint64_t offset, uint8_t *into, size_t room,
                      size_t *ret_n)
{
    return content_read(inbox_folder(i)->file_fd, offset, into, room, ret_n);
}

static mode_t final_mode(const struct inbox_folder *f, bool executable)
{
    return (executable ? 0777 : 0666) & ~f->umask;
}

int inbox_folder_complete(struct inbox *i, const struct transfer_entry *entry, uint64_t size)
{
    struct inbox_folder *f = inbox_folder(i);
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_NOW},
        {.tv_sec = (time_t)entry->seconds, .tv_nsec = (long)entry->nanoseconds}};
    file_changes(f);
    bool has_mode = f->file_made && !entry->executable;
    if ((f->file_end != size && ftruncate(f->file_fd, (off_t)size) != 0) ||
        (!has_mode && fchmod(f->file_fd, final_mode(f, entry->executable)) != 0) ||
        futimens(f->file_fd, times) != 0)
        return -errno;
    inbox_folder_close_fd(&f->file_fd);
    return 0;
}

int inbox_folder_drop(struct inbox *i, uint64_t number)
{
    struct inbox_folder *f = inbox_folder(i);
    bool is_open = f->file_fd >= 0 && f->file_number == number;
    if (is_open)
        inbox_folder_close_fd(&f->file_fd);
    int r = is_open && f->file_placed
                ? beneath_remove(inbox_folder_innermost(f), f->file_name.text)
                : beneath_remove(f->content_fd, inbox_folder_number(number).text);
    f->names_changed |= r == 0;
    return r == -ENOENT ? INBOX_NONE : r;
}

/* ---- the disk ---- */

/* One that is there no more was dropped. */
static int sync_closed(struct inbox_folder *f, uint64_t number)
{
    int fd = beneath_open(f->content_fd, inbox_folder_number(number).text, O_RDWR, 0);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    int r = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return r;
}

static int sync_file(struct inbox_folder *f, uint64_t number)
{
    if (f->file_fd < 0 || f->file_number != number)
        return sync_closed(f, number);
    return fsync(f->file_fd) == 0 ? 0 : -errno;
}

static int sync_files(struct inbox_folder *f)
{
    if (f->unsynced_many)
        return syncfs(f->content_fd) == 0 ? 0 : -errno;
    int r = 0;
    for (size_t i = 0; i < f->unsynced_count && r == 0; i++)
        r = sync_file(f, f->unsynced[i]);
    return r;
}

static int sync_names(struct inbox_folder *f)
{
    if (!f->names_changed)
        return 0;
    return fsync(f->content_fd) == 0 && fsync(f->staging_fd) == 0 && fsync(f->kith_fd) == 0 &&
                   fsync(f->top_fd) == 0
               ? 0
               : -errno;
}

static int sync_staged(struct inbox_folder *f)
{
    int r = sync_files(f);
    if (r == 0)
        r = sync_names(f);
    if (r < 0)
        return r;
    f->unsynced_count = 0;
    f->unsynced_many = f->names_changed = f->file_changed = false;
    return 0;
}

/* The kernel tells once that content was lost; to read it back, from its cache, would look
 * well. So the journal forgets it. */
int inbox_folder_sync(struct inbox *i)
{
    struct inbox_folder *f = inbox_folder(i);
    int r = sync_staged(f);
    if (r < 0) {
        i->ops->journal_cut(i, f->synced_len);
        return r;
    }
    if (f->journal_changed && fdatasync(f->journal_fd) != 0)
        return -errno;
    f->journal_changed = false;
    f->synced_len = f->journal_len;
    return 0;
}
