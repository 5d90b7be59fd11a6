#ifndef KITH_STORE_BACKUP_H
#define KITH_STORE_BACKUP_H

/* A backup: the files of a data folder as they were at one moment, kept open to be read, while
 * the hub goes on. Copied into another folder they are that moment's store: recovery reads them
 * back like after a crash that lost nothing.
 *
 * It is the checkpoint, where there is one, and the log's segments from the first that is
 * needed with it up to where the log had been written. A checkpoint that is made meanwhile
 * replaces and drops files: those of the backup stay on the disk until backup_free.
 *
 * backup_open, backup_read and backup_free block. One thread at a time. */

#include "store/disk.h"
#include "store/wal.h"

struct backup_file {
    char name[DISK_NAME_BYTES];
    uint64_t bytes; /* to be copied ... */
    uint64_t size;  /* ... into a file of this size: what follows them is zeros */
    struct disk_file *file;
};

struct backup;

/* Of the store in that folder, whose log that is. -ENOMEM. backup_free takes NULL. */
int backup_new(struct backup **ret, struct disk *d, struct wal *w);
void backup_free(struct backup *b);

/* May it be opened? Not before the log has been written as far as it went when backup_new was
 * called: WAL_BUSY. -EIO: the log has failed. Does not block. */
int backup_ready(const struct backup *b);

/* Opens the files. -errno; -EBUSY: checkpoints followed one another too fast; -ENOENT: one that
 * is needed is not in the folder any more. */
int backup_open(struct backup *b);

/* The files, once it is open, and the LSN of the last record in them. */
const struct backup_file *backup_files(const struct backup *b, size_t *ret_count);
uint64_t backup_lsn(const struct backup *b);

/* Reads n bytes of a file at an offset, all within its bytes. -errno, -EIO: the file has become
 * shorter. */
int backup_read(struct backup *b, size_t file, uint64_t at, void *to, size_t n);

#endif
