#ifndef KITH_STORE_RECOVERY_H
#define KITH_STORE_RECOVERY_H

/* Reads checkpoint and log back after any kind of end, and makes the log ready to be written
 * again. Blocks.
 *
 * Where there is a checkpoint, its entries come first; then what the log holds after its start.
 * A log that stops short of the checkpoint's end, or begins after its start, is refused.
 *
 * Segments are read in order of id, records in order of LSN. The first bad or missing record,
 * whose LSN would have been L, is the end of the log only if nothing after it was written
 * later: where any valid record after it has a batch greater than L, or lies in a later segment
 * (a batch never spans segments), L's batch was synced, so what is bad was once good:
 * corruption. So are bytes behind the last record of a segment that another one continues, and
 * a segment that replaces others without the records it was made with. A gap in LSNs, a close
 * record with anything after it, a file of the log that is not a segment or is of a newer
 * format: corruption or refusal too. Otherwise the log ends there, and what was cut is
 * reported.
 *
 * Then, before anybody is answered: empty prepared segments and temporary files are removed;
 * the valid records of the last segment are written into a new segment with an open record in a
 * batch of its own behind them, synced, named, the name synced; and the old one is removed.
 * Where the disk is full, the new segment is as small as it can be; where not even that fits,
 * the last one stays, its valid records written once more where they are and zeros behind them,
 * and synced; then the new one, which replaces no more than the empty ones, holds the open
 * record alone. */

#include "store/disk.h"
#include "store/lookahead.h"
#include "store/wal.h"

enum {
    RECOVERY_CORRUPT = 1, /* refused: the report says what and where */
    RECOVERY_NEWER = 2,   /* refused: written by a newer kith */
};

struct recovery_report {
    char file[DISK_NAME_BYTES]; /* where it is corrupt, newer, or was cut; else empty */
    uint64_t offset;
    const char *problem; /* static; NULL where there is none */
    bool cut;            /* an unfinished write at the end was dropped */
    bool closed;         /* the log had been closed in good order */
    uint64_t changes;    /* of keys, in the log behind the checkpoint */
    uint64_t entries;    /* of the checkpoint; 0: there is none, or it is empty */
    uint64_t checkpoint_bytes;
    struct walltime checkpoint_time;
};

/* Who is told what is read. */
struct recovery_sink {
    /* Every entry of the checkpoint, with its start LSN, and then every operation of every
     * record, in order. Non-zero stops recovery with it. */
    int (*apply)(void *ctx, const struct record_op *op, uint64_t lsn);
    lookahead_fn expect; /* operations about to be applied; NULL: nobody wants to know */
    void *ctx;
};

/* Reads all of it as recovery_run does, and changes nothing. What recovery_run returns; a
 * folder without a log is corrupt. */
int recovery_check(struct disk *d, const struct recovery_sink *sink,
                   struct recovery_report *ret_report);

/* Recovers the log in a folder; an empty folder is a new log. secret and the sizes are of
 * *config. On 0 ret_position is where the log goes on (its extents are the caller's), and
 * everything applied is durable.
 * RECOVERY_CORRUPT, RECOVERY_NEWER: the folder is untouched. -errno from the disk, -ENOMEM. */
int recovery_run(struct disk *d, const struct wal_config *config, struct walltime now,
                 const struct recovery_sink *sink, struct wal_position *ret_position,
                 struct recovery_report *ret_report);

#endif
