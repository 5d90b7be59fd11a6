#ifndef KITH_TESTS_FAULTY_DISK_H
#define KITH_TESTS_FAULTY_DISK_H

/* A disk in memory that keeps apart what programs see and what a power cut leaves. Every write,
 * and every change of a name, stays an item of its own until a sync makes it durable;
 * faulty_disk_cut makes the disk that a machine might find after the power came back, from any
 * choice of the items.
 *
 * It can also fail an operation, be of limited size, and call a hook before each change, so
 * that a test sees the disk at every moment a crash may strike. After a sync failed, what it
 * should have written is lost: programs still see it, no later sync brings it to disk.
 *
 * Operations take a mutex, so threads may share a disk; hooks run without it. */

#include "store/disk.h"

struct faulty_disk;

/* A choice among the items that are not durable: the fate of each, in the order they came. */
enum faulty_fate {
    FAULTY_LOST,
    FAULTY_KEPT,
    FAULTY_SIZE, /* of a write: the file has grown, but its bytes are not there */
    FAULTY_TORN, /* of a write: some sectors, chosen by seed, up to some byte */
};

typedef enum faulty_fate (*faulty_choose_fn)(void *ctx, size_t item, size_t items);

/* -ENOMEM aborts: this is for tests. */
struct faulty_disk *faulty_disk_new(void);
void faulty_disk_free(struct faulty_disk *f);
struct disk *faulty_disk(struct faulty_disk *f);

/* Before each change of the disk (create, write, sync, rename, remove, sync of the folder).
 * NULL: none. */
void faulty_disk_hook(struct faulty_disk *f, void (*before)(void *ctx), void *ctx);

/* Fails the nth change from now (0: the next one), once, with that errno; a failing write has
 * written a part. 0: nothing fails. */
void faulty_disk_fail(struct faulty_disk *f, uint64_t nth, int error);

/* Bytes all files may take; past it -ENOSPC. At first without limit. */
void faulty_disk_limit(struct faulty_disk *f, uint64_t bytes);

uint64_t faulty_disk_changes(const struct faulty_disk *f); /* so far */
uint64_t faulty_disk_bytes(struct faulty_disk *f);         /* all files take */
size_t faulty_disk_items(struct faulty_disk *f);           /* not durable yet */

/* The disk after a power cut at this moment. seed decides how torn writes are torn. */
struct faulty_disk *faulty_disk_cut(struct faulty_disk *f, faulty_choose_fn choose, void *ctx,
                                    uint64_t seed);

/* The same by seed alone: any subset of the items, some torn. */
struct faulty_disk *faulty_disk_cut_random(struct faulty_disk *f, uint64_t seed);

/* Everything as programs see it: what a crash of the process alone leaves. */
struct faulty_disk *faulty_disk_copy(struct faulty_disk *f);

/* A file's bytes, to look at and to damage; NULL where there is none. */
uint8_t *faulty_disk_file(struct faulty_disk *f, const char *name, uint64_t *ret_bytes);

/* Puts a file of these bytes in, durable, in place of one of that name. */
void faulty_disk_put(struct faulty_disk *f, const char *name, const void *data, size_t n);

/* Do both hold the same files, as programs see them? */
bool faulty_disk_equal(struct faulty_disk *a, struct faulty_disk *b);

/* A small generator for tests: the next number of a seed. */
uint64_t faulty_random(uint64_t *seed);

#endif
