#ifndef KITH_IO_PLAIN_FILE_H
#define KITH_IO_PLAIN_FILE_H

/* A plain file, opened: read and written through the kernel's cache, or past it, in whole
 * blocks (O_DIRECT). The latter is for files that are zeros at first and appended to: nothing
 * is copied into a cache that nobody reads from, and a sync has no more to look for than what
 * was just written. A file system that has no such writes (tmpfs) gets the others.
 *
 * One thread at a time. Functions return 0 or -errno. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plain_file {
    int fd;
    bool is_direct;  /* what fd is set to */
    bool no_direct;  /* the file system cannot */
    bool unsynced;   /* something was written and not synced */
    uint64_t size;   /* of the file, while is_direct */
    uint8_t *space;  /* blocks to write; the last one written, if not full, is the first here */
    uint64_t partly; /* where that is in the file; UINT64_MAX: there is none */
};

/* Opens a file in a folder; what is no plain file is -EINVAL. With create it is made, the
 * owner's alone, and must not exist; without, one on a file system that cannot be written to is
 * opened for reading. */
int plain_file_open(struct plain_file *f, int folder, const char *name, bool create);
void plain_file_close(struct plain_file *f);

int plain_file_size(struct plain_file *f, uint64_t *ret);

/* Fewer than n bytes only at the end of the file. */
int plain_file_read(struct plain_file *f, uint64_t at, void *to, size_t n, size_t *ret_read);
int plain_file_write(struct plain_file *f, uint64_t at, const void *from, size_t n);

/* Writes zeros, past the cache; past the end the file grows. Not durable yet. */
int plain_file_zero(struct plain_file *f, uint64_t from, uint64_t to);

/* Writes past the cache where only zeros follow in the file; with sync it is durable, and all
 * that was appended before. */
int plain_file_append(struct plain_file *f, uint64_t at, const void *from, size_t n, bool sync);

int plain_file_sync(struct plain_file *f);

#endif
