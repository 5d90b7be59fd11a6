#ifndef KITH_STORE_DISK_H
#define KITH_STORE_DISK_H

/* The disk, as the store sees it: one folder of files. This is the seam between the store and
 * the world: io/folder.h is the real one, the tests have faulty ones in memory.
 *
 * What holds after a power cut: of a file, what was written before the last disk_sync that
 * succeeded; of the folder (names created, renamed, removed), what happened before the last
 * disk_sync_folder. Anything later may be there, in part, in any order, or not.
 *
 * Calls block; they are made on threads that may wait, never on a worker's. Names are plain
 * file names of at most DISK_NAME_BYTES - 1 bytes. Functions return 0 or -errno; a disk_sync
 * that failed must not be tried again: the kernel may have forgotten what it could not write.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISK_NAME_BYTES = 64 };

struct disk_file; /* an open file, the implementation's own */

struct disk;

struct disk_ops {
    int (*open)(struct disk *d, const char *name, bool create, struct disk_file **ret);
    void (*close)(struct disk *d, struct disk_file *f);
    int (*size)(struct disk *d, struct disk_file *f, uint64_t *ret);
    int (*read)(struct disk *d, struct disk_file *f, uint64_t at, void *to, size_t n,
                size_t *ret_read);
    int (*write)(struct disk *d, struct disk_file *f, uint64_t at, const void *from, size_t n);
    int (*zero)(struct disk *d, struct disk_file *f, uint64_t from, uint64_t to);
    int (*append)(struct disk *d, struct disk_file *f, uint64_t at, const void *from, size_t n,
                  bool sync);
    int (*sync)(struct disk *d, struct disk_file *f);
    int (*rename)(struct disk *d, const char *from, const char *to);
    int (*remove)(struct disk *d, const char *name);
    int (*sync_folder)(struct disk *d);
    int (*list)(struct disk *d, int (*each)(void *ctx, const char *name), void *ctx);
};

struct disk {
    const struct disk_ops *ops;
};

/* Is this -errno about room on the disk, of which there may be more later? */
static inline bool disk_error_is_full(int error)
{
    return error == -ENOSPC || error == -EDQUOT;
}

/* Opens a file. With create it is made new and must not exist (-EEXIST); without, it must
 * (-ENOENT), and be a plain one (-EINVAL). The caller closes it. */
static inline int disk_open(struct disk *d, const char *name, bool create,
                            struct disk_file **ret)
{
    return d->ops->open(d, name, create, ret);
}

static inline void disk_close(struct disk *d, struct disk_file *f)
{
    d->ops->close(d, f);
}

static inline int disk_size(struct disk *d, struct disk_file *f, uint64_t *ret)
{
    return d->ops->size(d, f, ret);
}

/* Reads up to n bytes at an offset; fewer only at the end of the file. */
static inline int disk_read(struct disk *d, struct disk_file *f, uint64_t at, void *to,
                            size_t n, size_t *ret_read)
{
    return d->ops->read(d, f, at, to, n, ret_read);
}

/* Writes all n bytes at an offset, or fails with any part of them written. */
static inline int disk_write(struct disk *d, struct disk_file *f, uint64_t at, const void *from,
                             size_t n)
{
    return d->ops->write(d, f, at, from, n);
}

/* Writes zeros from one offset to another; past its end the file grows. Once they are synced,
 * disk_append there changes nothing but content, which is the cheapest to make durable. */
static inline int disk_zero(struct disk *d, struct disk_file *f, uint64_t from, uint64_t to)
{
    return d->ops->zero(d, f, from, to);
}

/* Writes n bytes at an offset from which on the file has only zeros, and syncs it if asked to.
 * What precedes them in their block, and zeros up to the end of their last, may be written once
 * more with them. One thread at a time. */
static inline int disk_append(struct disk *d, struct disk_file *f, uint64_t at,
                              const void *from, size_t n, bool sync)
{
    return d->ops->append(d, f, at, from, n, sync);
}

/* Makes the file's content and size durable. A failure is final. */
static inline int disk_sync(struct disk *d, struct disk_file *f)
{
    return d->ops->sync(d, f);
}

/* Atomic; replaces `to` where it exists. */
static inline int disk_rename(struct disk *d, const char *from, const char *to)
{
    return d->ops->rename(d, from, to);
}

static inline int disk_remove(struct disk *d, const char *name)
{
    return d->ops->remove(d, name);
}

/* Makes names durable. A failure is final, and told from then on to whoever calls it. */
static inline int disk_sync_folder(struct disk *d)
{
    return d->ops->sync_folder(d);
}

/* Calls each for every file, in no order; stops at and returns its first non-zero result. */
static inline int disk_list(struct disk *d, int (*each)(void *ctx, const char *name), void *ctx)
{
    return d->ops->list(d, each, ctx);
}

#endif
