#include "io/outbox_files.h"

#include "io/content.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    READ_AHEAD_BYTES = 1024 * 1024 /* a file of less is read ahead by the kernel anyway */
};

static struct outbox_files *outbox_files(struct outbox *o)
{
    return (struct outbox_files *)o;
}

static void close_file(struct outbox_files *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}

/* ---- the folders on the way ---- */

static void close_levels(struct outbox_files *o, unsigned depth)
{
    while (o->depth > depth)
        close(o->levels[--o->depth].fd);
}

static int open_top(struct bytes path)
{
    char text[PATH_MAX];
    memcpy(text, path.data, path.len);
    text[path.len] = '\0';
    return open(text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_level(struct outbox_files *o, unsigned depth)
{
    struct outbox_record folder;
    struct beneath_name name;
    int r = outbox_list_folder(&o->list, depth, &folder);
    if (r != 0 || !beneath_name_read(folder.name, &name))
        return r < 0 ? r : -EUCLEAN; /* it was whole when it was opened */
    int fd = depth == 0 ? open_top(folder.path)
                        : openat(o->levels[depth - 1].fd, name.text,
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    o->levels[o->depth++] = (struct outbox_files_level){fd, o->list.here.folders[depth].number};
    return 0;
}

/* Those that the next file lies in, too, stay open. */
static int open_levels(struct outbox_files *o, unsigned depth)
{
    unsigned kept = 0;
    while (kept < depth && kept < o->depth &&
           o->levels[kept].number == o->list.here.folders[kept].number)
        kept++;
    close_levels(o, kept);
    int r = 0;
    while (r == 0 && o->depth < depth)
        r = open_level(o, o->depth);
    return r;
}

/* ---- content ---- */

static int open_record(struct outbox_files *o)
{
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    unsigned depth = o->record.depth;
    int r = open_levels(o, depth);
    if (r != 0)
        return r;
    int fd = depth == 0 ? open(o->path, flags)
                        : openat(o->levels[depth - 1].fd, o->name.text, flags | O_NOFOLLOW);
    return fd >= 0 ? fd : -errno;
}

static bool is_gone(int r)
{
    return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ENXIO; /* a socket, a device */
}

static int look_at_open(struct outbox_files *o)
{
    mode_t mode;
    int r = outbox_state_look(o->fd, "", AT_EMPTY_PATH, &o->state, &mode);
    return r == 0 && !S_ISREG(mode) ? OUTBOX_GONE : r;
}

static int files_open(struct outbox *outbox)
{
    struct outbox_files *o = outbox_files(outbox);
    close_file(o);
    int fd = open_record(o);
    if (fd < 0)
        return is_gone(fd) ? OUTBOX_GONE : fd;
    o->fd = fd;
    int r = look_at_open(o);
    if (r != 0) {
        close_file(o);
        return r;
    }
    if (o->state.size > READ_AHEAD_BYTES)
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return outbox_state_same(&o->state, &o->record.state) ? 0 : OUTBOX_CHANGED;
}

static struct transfer_entry entry_of(const struct outbox_files *o, uint64_t number,
                                      const struct outbox_state *state)
{
    return (struct transfer_entry){
        .number = number,
        .kind = o->record.kind,
        .executable = state->executable,
        .depth = o->record.depth,
        .size = state->size,
        .seconds = state->mtime.tv_sec,
        .nanoseconds = (uint32_t)state->mtime.tv_nsec,
        .name = o->record.name,
    };
}

static int files_entry(struct outbox *outbox, uint64_t number, struct transfer_entry *ret)
{
    struct outbox_files *o = outbox_files(outbox);
    struct outbox_record record;
    int r = outbox_list_get(&o->list, number, &record);
    if (r != 0)
        return r == OUTBOX_LIST_END ? OUTBOX_END : r < 0 ? r : -EUCLEAN;
    memcpy(o->path, record.path.data, record.path.len);
    o->path[record.path.len] = '\0';
    beneath_name_read(record.name, &o->name);
    o->record = record;
    o->record.name = bytes_from_str(o->name.text);
    *ret = entry_of(o, number, &record.state);
    return 0;
}

static int files_look(struct outbox *outbox, struct transfer_entry *ret)
{
    struct outbox_files *o = outbox_files(outbox);
    int r = look_at_open(o);
    if (r == 0)
        *ret = entry_of(o, o->list.here.next.number - 1, &o->state);
    return r;
}

static int files_check(struct outbox *outbox)
{
    struct outbox_files *o = outbox_files(outbox);
    struct outbox_state now;
    mode_t mode;
    int r = outbox_state_look(o->fd, "", AT_EMPTY_PATH, &now, &mode);
    return r < 0 || outbox_state_same(&now, &o->state) ? r : OUTBOX_CHANGED;
}

static int files_read(struct outbox *outbox, uint64_t offset, uint8_t *into, size_t room,
                      size_t *ret_n)
{
    return content_read(outbox_files(outbox)->fd, offset, into, room, ret_n);
}

static int files_next_data(struct outbox *outbox, uint64_t offset, uint64_t *ret)
{
    struct outbox_files *o = outbox_files(outbox);
    off_t at = o->state.dense ? (off_t)offset : lseek(o->fd, (off_t)offset, SEEK_DATA);
    if (at >= 0)
        *ret = (uint64_t)at;
    else if (errno == ENXIO)
        *ret = o->state.size;
    else
        *ret = offset; /* the file system has no holes, or does not tell */
    return 0;
}

static void files_kept(struct outbox *outbox, uint64_t number, uint64_t offset)
{
}

static const struct outbox_ops ops = {
    .entry = files_entry,
    .open = files_open,
    .look = files_look,
    .check = files_check,
    .read = files_read,
    .next_data = files_next_data,
    .kept = files_kept,
};

/* ---- opened and closed ---- */

int outbox_files_open(struct outbox_files *o, int list_fd)
{
    o->outbox.ops = &ops;
    o->depth = 0;
    o->fd = -1;
    return outbox_list_open(&o->list, list_fd);
}

void outbox_files_close(struct outbox_files *o)
{
    close_file(o);
    close_levels(o, 0);
    outbox_list_close(&o->list);
}
