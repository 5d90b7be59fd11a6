#include "io/outbox_stream.h"

#include "base/number.h"
#include "io/content.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "kithpool";

enum {
    VERSION = 1,
    HEAD_BYTES = 4096, /* so that content begins where a block does */
    BLOCK_BYTES = 4096,
    VERSION_AT = 8,
    READING_AT = 9,
    NANOSECONDS_AT = 12,
    SECONDS_AT = 16,
    PUNCHED_AT = 24,
};

static struct outbox_stream *outbox_stream(struct outbox *o)
{
    return (struct outbox_stream *)o;
}

/* -EIO: somebody has cut the spool. */
static int get(int fd, uint8_t *into, size_t len, uint64_t at)
{
    size_t n = 0;
    int r = content_read(fd, at, into, len, &n);
    return r == 0 && n < len ? -EIO : r;
}

/* ---- the descriptor, into the spool ---- */

static int mark_reading(struct outbox_stream *s, uint8_t reading)
{
    return content_write(s->spool_fd, READING_AT, bytes_make(&reading, 1));
}

/* Until there is something to read, nothing has to be marked. */
static int wait_readable(const struct outbox_stream *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    while (poll(&p, 1, -1) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

/* What was taken and could not be spooled is lost, to this process, too. */
static int spool(struct outbox_stream *s, struct bytes taken)
{
    s->error = content_write(s->spool_fd, HEAD_BYTES + s->spooled, taken);
    if (s->error == 0)
        s->spooled += taken.len;
    return s->error;
}

static int take(struct outbox_stream *s, uint8_t *into, size_t room)
{
    int r = wait_readable(s);
    if (r == 0)
        r = mark_reading(s, 1);
    if (r < 0)
        return r;
    ssize_t n = read(s->fd, into, room);
    if (n < 0)
        r = errno == EINTR || errno == EAGAIN ? 0 : -errno;
    else if (spool(s, bytes_make(into, (size_t)n)) < 0)
        return s->error; /* the mark stays */
    s->ended = n == 0;
    int unmarked = mark_reading(s, 0);
    return r < 0 ? r : unmarked;
}

static int spool_until(struct outbox_stream *s, uint64_t end)
{
    uint8_t space[64 * 1024];
    int r = s->spooled < end ? s->error : 0;
    while (r == 0 && !s->ended && s->spooled < end) {
        uint64_t left = end - s->spooled;
        r = take(s, space, left < sizeof space ? (size_t)left : sizeof space);
    }
    return r;
}

/* ---- what the seam has ---- */

static struct transfer_entry entry_of(const struct outbox_stream *s)
{
    return (struct transfer_entry){
        .kind = TRANSFER_FILE,
        .size = s->ended ? s->spooled : TRANSFER_SIZE_UNKNOWN,
        .seconds = s->mtime.tv_sec,
        .nanoseconds = (uint32_t)s->mtime.tv_nsec,
        .name = bytes_from_str(s->name.text),
    };
}

static int stream_entry(struct outbox *o, uint64_t number, struct transfer_entry *ret)
{
    if (number > 0)
        return OUTBOX_END;
    *ret = entry_of(outbox_stream(o));
    ret->size = TRANSFER_SIZE_UNKNOWN;
    return 0;
}

static int stream_open(struct outbox *o)
{
    return 0;
}

static int stream_look(struct outbox *o, struct transfer_entry *ret)
{
    *ret = entry_of(outbox_stream(o));
    return 0;
}

static int stream_check(struct outbox *o)
{
    return 0;
}

static int stream_read(struct outbox *o, uint64_t offset, uint8_t *into, size_t room,
                       size_t *ret_n)
{
    struct outbox_stream *s = outbox_stream(o);
    if (offset < s->punched || (offset > s->spooled && !s->ended))
        return -ESTALE;
    int r = spool_until(s, offset + room);
    if (r < 0)
        return r;
    uint64_t there = s->spooled > offset ? s->spooled - offset : 0;
    size_t n = there < room ? (size_t)there : room;
    r = get(s->spool_fd, into, n, HEAD_BYTES + offset);
    if (r == 0)
        *ret_n = n;
    return r;
}

static int stream_next_data(struct outbox *o, uint64_t offset, uint64_t *ret)
{
    *ret = offset;
    return 0;
}

/* What cannot be said to be gone stays. Whole blocks alone can be given back, and not on every
 * file system. */
static void stream_kept(struct outbox *o, uint64_t number, uint64_t offset)
{
    struct outbox_stream *s = outbox_stream(o);
    uint8_t punched[8];
    uint64_t kept = number > 0 || offset > s->spooled ? s->spooled : offset;
    uint64_t end = kept - kept % BLOCK_BYTES;
    number_put_u64(punched, end);
    if (end <= s->punched || content_write(s->spool_fd, PUNCHED_AT, bytes_make(punched, 8)) < 0)
        return;
    fallocate(s->spool_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
              (off_t)(HEAD_BYTES + s->punched), (off_t)(end - s->punched));
    s->punched = end;
}

static const struct outbox_ops ops = {
    .entry = stream_entry,
    .open = stream_open,
    .look = stream_look,
    .check = stream_check,
    .read = stream_read,
    .next_data = stream_next_data,
    .kept = stream_kept,
};

/* ---- opened ---- */

static int write_head(struct outbox_stream *s)
{
    uint8_t head[HEAD_BYTES] = {0};
    clock_gettime(CLOCK_REALTIME, &s->mtime);
    memcpy(head, magic, sizeof magic);
    head[VERSION_AT] = VERSION;
    number_put_u64(head + SECONDS_AT, (uint64_t)s->mtime.tv_sec);
    number_put_u32(head + NANOSECONDS_AT, (uint32_t)s->mtime.tv_nsec);
    return content_write(s->spool_fd, 0, bytes_make(head, sizeof head));
}

static int read_head(struct outbox_stream *s)
{
    uint8_t head[HEAD_BYTES];
    int r = get(s->spool_fd, head, sizeof head, 0);
    if (r < 0)
        return r;
    s->punched = number_get_u64(head + PUNCHED_AT);
    s->mtime.tv_sec = (time_t)number_get_u64(head + SECONDS_AT);
    s->mtime.tv_nsec = (long)number_get_u32(head + NANOSECONDS_AT);
    bool is_whole = memcmp(head, magic, sizeof magic) == 0 && head[VERSION_AT] == VERSION &&
                    head[READING_AT] == 0 && s->punched <= s->spooled;
    return is_whole ? 0 : OUTBOX_STREAM_TORN;
}

static int open_spool(struct outbox_stream *s, uint64_t size)
{
    if (size == 0)
        return write_head(s);
    if (size < HEAD_BYTES)
        return OUTBOX_STREAM_TORN;
    s->spooled = size - HEAD_BYTES;
    return read_head(s);
}

int outbox_stream_open(struct outbox_stream *s, int fd, int spool_fd, struct bytes name)
{
    struct stat st;
    *s = (struct outbox_stream){.outbox = {&ops}, .fd = fd, .spool_fd = spool_fd};
    if (!beneath_name_read(name, &s->name))
        return -EINVAL;
    if (fstat(spool_fd, &st) != 0)
        return -errno;
    return open_spool(s, (uint64_t)st.st_size);
}
