#ifndef KITH_STORE_CHECKPOINT_H
#define KITH_STORE_CHECKPOINT_H

/* A checkpoint: what both keyspaces hold, in one file, `checkpoint`, so that the log before it
 * can go. It is made while everything goes on: the entries are copied at different moments, all
 * between its start LSN and its end LSN. The log's records after the start, applied to it in
 * order, give the state at any LSN from the end on, and only that. Little-endian.
 *
 *     offset  bytes
 *          0      8  "kithckp" and a NUL
 *          8      4  format version, 1; a newer one is refused
 *         12      4  zero, reserved
 *         16      8  start LSN: changes up to it are in the blocks
 *         24      8  id of the first segment of the log that is still needed
 *         32      8  salt of its blocks
 *         40      8  wall clock at its start, ms since 1970, signed
 *         48      8  about how many entries there are: to make room, nothing else
 *         56      8  XXH3-64 of bytes 0 to 55, seed 0
 *         64         blocks, the last of them the end block; nothing follows it
 *
 *     block: payload length (4), kind (4): 1 entries, 2 end; number from 0 (8); XXH3-64 of the
 *            payload, seeded with the XXH3-64 of the 16 bytes before, itself seeded with the
 *            salt (8); payload
 *     payload of entries: put operations, as in a log record (store/record.h)
 *     payload of the end: end LSN (8), how many entries there are (8)
 *
 * It is written as `checkpoint.tmp`, synced, renamed when the log is on disk up to the end LSN,
 * and its name synced: under its own name it is always whole. */

#include "store/disk.h"
#include "store/lookahead.h"

#include "base/buffer.h"

enum { CHECKPOINT_HEADER_BYTES = 64, CHECKPOINT_BLOCK_BYTES = 24, CHECKPOINT_VERSION = 1 };

#define CHECKPOINT_NAME "checkpoint"
#define CHECKPOINT_TMP_NAME "checkpoint.tmp"

struct checkpoint_header {
    uint64_t start_lsn;
    uint64_t first_segment;
    uint64_t salt;
    struct walltime time;
    uint64_t entries_about;
};

/* ---- writing */

struct checkpoint_large;

struct checkpoint_writer {
    struct disk *disk;
    struct disk_file *file; /* NULL: none is being written */
    struct checkpoint_header header;
    struct buffer block;            /* entries that make the next block */
    struct checkpoint_large *large; /* those whose values lie in blobs: a block each */
    uint64_t offset, blocks, entries, unsynced_bytes;
};

/* Begins checkpoint.tmp; one left behind is replaced. -errno. */
int checkpoint_begin(struct checkpoint_writer *w, struct disk *d,
                     const struct checkpoint_header *header);

/* Adds an entry to the block in memory; one with a blob by reference: nothing large is copied.
 * -ENOMEM. */
int checkpoint_add(struct checkpoint_writer *w, const struct record_op *put);

/* Writes the large entries, and the block in memory where it is large enough, or not empty and
 * `all` is set; syncs now and then, so that no sync ever has much to do. -errno. */
int checkpoint_write(struct checkpoint_writer *w, bool all);

/* Writes what is left and the end, and syncs: all but the name is there. -errno. */
int checkpoint_end(struct checkpoint_writer *w, uint64_t end_lsn);

/* Gives it its name, durably, in place of the one before. -errno. */
int checkpoint_publish(struct checkpoint_writer *w);

/* Gives up, where it was begun; removes the file. */
void checkpoint_abandon(struct checkpoint_writer *w);

/* ---- reading */

enum {
    CHECKPOINT_NONE = 1,  /* there is no checkpoint */
    CHECKPOINT_BAD = 2,   /* damaged: *ret_offset and *ret_problem tell where and what */
    CHECKPOINT_NEWER = 3, /* of a later format version */
};

/* Who is told what is read: each entry with apply, which ends it where it returns anything but
 * 0; before that, some of them at once with expect, where that is not NULL. */
struct checkpoint_sink {
    int (*apply)(void *ctx, const struct record_op *put);
    lookahead_fn expect;
    void *ctx;
};

/* Reads the header alone, and how large the file is. */
int checkpoint_read_header(struct disk *d, struct checkpoint_header *ret, uint64_t *ret_bytes);

/* Reads all of it; also what apply returned. */
int checkpoint_read(struct disk *d, const struct checkpoint_sink *sink, uint64_t *ret_end_lsn,
                    uint64_t *ret_bytes, uint64_t *ret_offset, const char **ret_problem);

#endif
