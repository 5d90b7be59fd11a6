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

static void close_from(struct inbox_folder *f, unsigned depth)
{
    while (f->depth > depth)
        close(f->levels[--f->depth].fd);
}

void inbox_folder_leave_all(struct inbox_folder *f)
{
    close_from(f, 0);
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

/* ---- what was made in its place ---- */

static void remember_made(struct inbox_folder *f, uint64_t number)
{
    struct inbox_folder_run *last = f->run_count > 0 ? &f->runs[f->run_count - 1] : NULL;
    if (last && last->end == number)
        last->end++;
    else if (f->run_count < INBOX_FOLDER_RUNS)
        f->runs[f->run_count++] = (struct inbox_folder_run){number, number + 1};
}

/* False: perhaps. */
static bool is_made(const struct inbox_folder *f, uint64_t number)
{
    for (size_t i = 0; i < f->run_count; i++)
        if (number >= f->runs[i].first && number < f->runs[i].end)
            return true;
    return false;
}

/* ---- files ---- */

/* There is nothing staged: INBOX_NONE where the file is in its place. */
static int check_placed(int folder, const char *name)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -ENOENT;
    return st.st_nlink == 1 ? INBOX_NONE : -EMLINK;
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
    if (is_made(f, entry->number))
        return INBOX_NONE;
    int folder = folder_at(f, entry->depth);
    struct inbox_folder_number number = inbox_folder_number(entry->number);
    if (fstatat(f->content_fd, number.text, &staged, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? check_placed(folder, name) : -errno;
    int r = S_ISREG(staged.st_mode) ? check_links(&staged, folder, name) : -ELOOP;
    if (r == 0)
        r = beneath_move(f->content_fd, number.text, folder, name);
    return r == -EEXIST ? INBOX_TAKEN : r;
}

/* ---- before all is there ---- */

int inbox_folder_innermost(const struct inbox_folder *f)
{
    return folder_at(f, f->depth);
}

/* Is the folder open in which an entry of that depth lies? Those of earlier openings are not.
 */
static bool is_within_reach(const struct inbox_folder *f, unsigned depth)
{
    return depth == f->depth && depth < LIMIT_TRANSFER_DEPTH;
}

static bool is_made_in_place(const struct inbox_folder *f, const struct transfer_entry *entry)
{
    return f->has_many && is_within_reach(f, entry->depth) &&
           entry->size <= INBOX_FOLDER_PLACED_BYTES;
}

/* Where something of that name is, it is staged like a large one, and judged when it is placed.
 */
static int begin_file(struct inbox_folder *f, const struct transfer_entry *entry,
                      const struct beneath_name *name)
{
    int fd = is_made_in_place(f, entry)
                 ? beneath_make_file(folder_at(f, entry->depth), name->text)
                 : -EEXIST;
    if (fd == -EEXIST)
        return inbox_folder_stage(&f->inbox, entry->number, true);
    if (fd < 0)
        return fd;
    inbox_folder_close_fd(&f->file_fd);
    inbox_folder_opened(f, fd, entry->number, true);
    f->file_placed = true;
    f->file_name = *name;
    remember_made(f, entry->number);
    return 0;
}

int inbox_folder_begin(struct inbox *i, const struct transfer_entry *entry)
{
    struct inbox_folder *f = inbox_folder(i);
    struct beneath_name name;
    if (!beneath_name_read(entry->name, &name))
        return INBOX_NAME;
    int r = leave(f, entry->depth);
    if (r < 0)
        return r;
    if (entry->kind == TRANSFER_FILE)
        r = begin_file(f, entry, &name);
    else if (is_within_reach(f, entry->depth) && (r = place_folder(f, entry, name.text)) == 0)
        remember_made(f, entry->number);
    return inbox_folder_is_no_name(r) ? INBOX_NAME : r;
}

static int take_back_folder(struct inbox_folder *f, const struct transfer_entry *entry,
                            const char *name)
{
    int fd = beneath_open(folder_at(f, entry->depth), name, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0)
        f->levels[f->depth++].fd = fd;
    return fd >= 0 || fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
}

/* What is staged already stays as it is, and what was planted goes with the tree. */
static int take_back_file(struct inbox_folder *f, const struct transfer_entry *entry,
                          const char *name)
{
    if (check_placed(folder_at(f, entry->depth), name) != INBOX_NONE)
        return 0;
    int r = beneath_move(folder_at(f, entry->depth), name, f->content_fd,
                         inbox_folder_number(entry->number).text);
    if (r == 0)
        f->names_changed = f->unsynced_many = true;
    return r == -ENOENT || r == -EEXIST ? 0 : r;
}

int inbox_folder_take_back(struct inbox *i, const struct transfer_entry *entry)
{
    struct inbox_folder *f = inbox_folder(i);
    struct beneath_name name;
    f->run_count = 0;
    close_from(f, entry ? entry->depth : 0);
    if (!entry)
        return beneath_empty(f->tree_fd, "");
    if (!is_within_reach(f, entry->depth) || !beneath_name_read(entry->name, &name))
        return 0;
    return entry->kind == TRANSFER_FOLDER ? take_back_folder(f, entry, name.text)
                                          : take_back_file(f, entry, name.text);
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
