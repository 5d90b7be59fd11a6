#include "io/plain_file.h"

#include "io/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    BLOCK_BYTES = 4096, /* what direct writes are aligned to, on any disk in use */
    SPACE_BYTES = 256 * 1024,
};

#define NO_BLOCK UINT64_MAX

static uint64_t block_down(uint64_t at)
{
    return at - at % BLOCK_BYTES;
}

static uint64_t block_up(uint64_t at)
{
    return block_down(at + BLOCK_BYTES - 1);
}

/* O_NONBLOCK, since opening a pipe might wait. */
static int open_plain(int folder, const char *name, bool create)
{
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (create ? O_CREAT | O_EXCL : 0);
    int fd = openat(folder, name, flags, 0600);
    if (fd < 0 && errno == EROFS && !create)
        fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == EISDIR || errno == ELOOP || errno == ENXIO ? -EINVAL : -errno;
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    close(fd);
    return -EINVAL;
}

int plain_file_open(struct plain_file *f, int folder, const char *name, bool create)
{
    *f = (struct plain_file){.fd = open_plain(folder, name, create), .partly = NO_BLOCK};
    return f->fd < 0 ? f->fd : 0;
}

void plain_file_close(struct plain_file *f)
{
    free(f->space);
    close(f->fd);
}

int plain_file_size(struct plain_file *f, uint64_t *ret)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return -errno;
    *ret = (uint64_t)st.st_size;
    return 0;
}

/* ---- through the cache ---- */

static int through_cache(struct plain_file *f)
{
    if (!f->is_direct)
        return 0;
    f->is_direct = false;
    f->partly = NO_BLOCK;
    int flags = fcntl(f->fd, F_GETFL);
    return fcntl(f->fd, F_SETFL, flags & ~O_DIRECT) == 0 ? 0 : -errno;
}

int plain_file_read(struct plain_file *f, uint64_t at, void *to, size_t n, size_t *ret_read)
{
    int r = through_cache(f);
    return r == 0 ? content_read(f->fd, at, to, n, ret_read) : r;
}

int plain_file_write(struct plain_file *f, uint64_t at, const void *from, size_t n)
{
    f->unsynced = true;
    int r = through_cache(f);
    return r == 0 ? content_write(f->fd, at, bytes_make(from, n)) : r;
}

int plain_file_sync(struct plain_file *f)
{
    if (fdatasync(f->fd) != 0)
        return -errno;
    f->unsynced = false;
    return 0;
}

/* ---- past the cache ---- */

static int make_space(struct plain_file *f)
{
    if (f->space)
        return 0;
    f->space = aligned_alloc(BLOCK_BYTES, SPACE_BYTES);
    return f->space ? 0 : -ENOMEM;
}

/* Makes writes go past the cache, where they can. */
static int past_cache(struct plain_file *f)
{
    if (f->is_direct || f->no_direct)
        return 0;
    int r = make_space(f);
    if (r == 0)
        r = plain_file_size(f, &f->size);
    if (r < 0)
        return r;
    int flags = fcntl(f->fd, F_GETFL);
    f->is_direct = fcntl(f->fd, F_SETFL, flags | O_DIRECT) == 0;
    f->no_direct = !f->is_direct;
    return 0;
}

/* A direct write was refused for its alignment: this disk has larger blocks. */
static int give_up_direct(struct plain_file *f)
{
    f->no_direct = true;
    return through_cache(f);
}

static int append_through_cache(struct plain_file *f, uint64_t at, const void *from, size_t n,
                                bool sync)
{
    int r = plain_file_write(f, at, from, n);
    return r == 0 && sync ? plain_file_sync(f) : r;
}

/* Sees to it that the front of the space has what the file holds before `at` in its block: that
 * is written again with what is appended. */
static int load_block(struct plain_file *f, uint64_t at)
{
    uint64_t block = block_down(at);
    size_t got;
    if (block == at || f->partly == block)
        return 0;
    return content_read(f->fd, block, f->space, BLOCK_BYTES, &got);
}

/* Writes what is in the space. A write can be durable by itself, but says nothing of those
 * before it: a disk may be told to keep just this one. */
static int write_space(struct plain_file *f, uint64_t at, size_t n, bool sync)
{
    bool alone = sync && !f->unsynced;
    f->unsynced |= !alone;
    struct iovec blocks = {.iov_base = f->space, .iov_len = n};
    ssize_t put;
    do
        put = pwritev2(f->fd, &blocks, 1, (off_t)at, alone ? RWF_DSYNC : 0);
    while (put < 0 && errno == EINTR);
    if (put < 0)
        return -errno;
    int r = content_write(f->fd, at + (size_t)put, bytes_make(f->space + put, n - (size_t)put));
    bool is_short = (size_t)put < n;
    return r == 0 && sync && (is_short || !alone) ? plain_file_sync(f) : r;
}

/* Appends as much as there is space for, with zeros up to the end of its last block. */
static int append_piece(struct plain_file *f, uint64_t at, const uint8_t *from, size_t n,
                        bool sync)
{
    size_t held = at % BLOCK_BYTES, end = held + n, whole = block_up(end);
    size_t last = block_down(end);
    memcpy(f->space + held, from, n);
    memset(f->space + end, 0, whole - end);
    int r = write_space(f, at - held, whole, sync);
    if (r == 0 && last > 0 && last < end)
        memcpy(f->space, f->space + last, BLOCK_BYTES);
    f->partly = r == 0 && last < end ? at - held + last : NO_BLOCK;
    return r;
}

static int append_pieces(struct plain_file *f, uint64_t at, const uint8_t *from, size_t n,
                         bool sync)
{
    int r = load_block(f, at);
    while (r == 0 && n > 0) {
        size_t piece = SPACE_BYTES - at % BLOCK_BYTES;
        if (piece > n)
            piece = n;
        r = append_piece(f, at, from, piece, sync && piece == n);
        at += piece;
        from += piece;
        n -= piece;
    }
    return r;
}

int plain_file_append(struct plain_file *f, uint64_t at, const void *from, size_t n, bool sync)
{
    int r = past_cache(f);
    if (r < 0)
        return r;
    if (f->no_direct || block_up(at + n) > f->size)
        return append_through_cache(f, at, from, n, sync);
    r = append_pieces(f, at, from, n, sync);
    if (r != -EINVAL)
        return r;
    r = give_up_direct(f);
    return r == 0 ? append_through_cache(f, at, from, n, sync) : r;
}

/* Takes the room at once. Where the file system cannot, writing will. */
static int take_room(struct plain_file *f, uint64_t from, uint64_t to)
{
    while (fallocate(f->fd, 0, (off_t)from, (off_t)(to - from)) != 0) {
        if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO)
            return -errno;
        if (errno != EINTR)
            return 0;
    }
    return 0;
}

static int write_zeros(struct plain_file *f, uint64_t from, uint64_t to)
{
    int r = 0;
    while (r == 0 && from < to) {
        size_t n = to - from < SPACE_BYTES ? (size_t)(to - from) : SPACE_BYTES;
        r = content_write(f->fd, from, bytes_make(f->space, n));
        from += n;
    }
    return r;
}

/* Whole blocks. */
static int zero_blocks(struct plain_file *f, uint64_t from, uint64_t to)
{
    int r = past_cache(f);
    if (r == 0)
        r = write_zeros(f, from, to);
    if (r != -EINVAL || f->no_direct)
        return r;
    r = give_up_direct(f);
    return r == 0 ? write_zeros(f, from, to) : r;
}

int plain_file_zero(struct plain_file *f, uint64_t from, uint64_t to)
{
    uint64_t first = block_up(from) < to ? block_up(from) : to;
    uint64_t last = block_down(to) > first ? block_down(to) : first;
    int r = make_space(f);
    if (r == 0)
        r = take_room(f, from, to);
    if (r < 0 || from == to)
        return r;
    f->unsynced = true;
    memset(f->space, 0, SPACE_BYTES);
    r = through_cache(f);
    if (r == 0)
        r = write_zeros(f, from, first);
    if (r == 0)
        r = zero_blocks(f, first, last);
    if (r == 0)
        r = through_cache(f);
    return r == 0 ? write_zeros(f, last, to) : r;
}
