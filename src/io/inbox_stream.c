#include "io/inbox_stream.h"

#include "io/content.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

static struct inbox_stream *inbox_stream(struct inbox *i)
{
    return (struct inbox_stream *)i;
}

/* ---- the journal ---- */

static int journal_append(struct inbox *i, struct bytes data)
{
    struct inbox_stream *s = inbox_stream(i);
    int r = content_write(s->journal_fd, s->journal_len, data);
    if (r == 0)
        s->journal_len += data.len;
    return r;
}

static int journal_read(struct inbox *i, uint64_t offset, uint8_t *into, size_t room,
                        size_t *ret_n)
{
    return content_read(inbox_stream(i)->journal_fd, offset, into, room, ret_n);
}

static int journal_cut(struct inbox *i, uint64_t len)
{
    struct inbox_stream *s = inbox_stream(i);
    if (ftruncate(s->journal_fd, (off_t)len) != 0)
        return -errno;
    s->journal_len = len;
    return 0;
}

/* ---- content ---- */

/* Whoever reads may be slow, and the descriptor such that it says so. */
static int wait_writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, -1) >= 0 || errno == EINTR ? 0 : -errno;
}

static int put(struct inbox_stream *s, struct bytes data)
{
    while (data.len > 0) {
        ssize_t n = write(s->fd, data.data, data.len);
        if (n < 0) {
            int r = errno == EAGAIN ? wait_writable(s->fd) : errno == EINTR ? 0 : -errno;
            if (r < 0)
                return r;
            continue;
        }
        s->at += (uint64_t)n;
        data = bytes_from(data, (size_t)n);
    }
    return 0;
}

static int put_zeros(struct inbox_stream *s, uint64_t end)
{
    static const uint8_t zeros[64 * 1024];
    int r = 0;
    while (r == 0 && s->at < end) {
        uint64_t left = end - s->at;
        r = put(s, bytes_make(zeros, left < sizeof zeros ? (size_t)left : sizeof zeros));
    }
    return r;
}

static int stage(struct inbox *i, uint64_t number, bool fresh)
{
    struct inbox_stream *s = inbox_stream(i);
    if (s->has_number && s->number != number)
        return INBOX_NAME;
    s->has_number = true;
    s->number = number;
    return fresh && s->at > 0 ? -ESPIPE : 0;
}

static int begin(struct inbox *i, const struct transfer_entry *entry)
{
    return entry->kind == TRANSFER_FILE ? stage(i, entry->number, true) : INBOX_NAME;
}

static int take_back(struct inbox *i, const struct transfer_entry *entry)
{
    return 0;
}

static int write_at(struct inbox *i, uint64_t offset, struct bytes data)
{
    struct inbox_stream *s = inbox_stream(i);
    if (offset < s->at)
        return -ESPIPE;
    int r = put_zeros(s, offset);
    return r == 0 ? put(s, data) : r;
}

static int read_at(struct inbox *i, uint64_t offset, uint8_t *into, size_t room, size_t *ret_n)
{
    return -ESPIPE;
}

static int complete(struct inbox *i, const struct transfer_entry *entry, uint64_t size)
{
    struct inbox_stream *s = inbox_stream(i);
    return size < s->at ? -ESPIPE : put_zeros(s, size);
}

static int drop(struct inbox *i, uint64_t number)
{
    struct inbox_stream *s = inbox_stream(i);
    if (!s->has_number || s->number != number)
        return INBOX_NONE;
    return s->at > 0 ? -ESPIPE : 0;
}

/* ---- nothing to keep safe, nothing to publish ---- */

static int sync_all(struct inbox *i)
{
    return 0;
}

static int room(struct inbox *i, uint64_t *ret)
{
    *ret = UINT64_MAX;
    return 0;
}

static int check_name(struct inbox *i, struct bytes name)
{
    return name.len > 0 && name.len <= NAME_MAX ? 0 : INBOX_NAME;
}

static int place(struct inbox *i, const struct transfer_entry *entry)
{
    struct inbox_stream *s = inbox_stream(i);
    bool is_the_file = entry->kind == TRANSFER_FILE && entry->depth == 0 && s->has_number &&
                       entry->number == s->number;
    return is_the_file ? 0 : INBOX_NAME;
}

static int publish(struct inbox *i, struct bytes name, char *ret_name)
{
    struct inbox_stream *s = inbox_stream(i);
    if (check_name(i, name) != 0)
        return INBOX_NAME;
    if (s->published)
        return INBOX_NONE;
    memcpy(ret_name, name.data, name.len);
    ret_name[name.len] = '\0';
    s->published = true;
    return 0;
}

static const struct inbox_ops ops = {
    .journal_append = journal_append,
    .journal_read = journal_read,
    .journal_cut = journal_cut,
    .stage = stage,
    .begin = begin,
    .take_back = take_back,
    .write = write_at,
    .read = read_at,
    .complete = complete,
    .drop = drop,
    .sync = sync_all,
    .room = room,
    .check_name = check_name,
    .place = place,
    .placed = sync_all,
    .publish = publish,
    .clear = sync_all,
};

int inbox_stream_open(struct inbox_stream *s, int fd)
{
    *s = (struct inbox_stream){.inbox = {&ops}, .fd = fd};
    s->journal_fd = memfd_create("kith journal", MFD_CLOEXEC);
    return s->journal_fd >= 0 ? 0 : -errno;
}

void inbox_stream_close(struct inbox_stream *s)
{
    close(s->journal_fd);
}
