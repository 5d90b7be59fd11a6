#ifndef KITH_STORE_EMBEDDED_H
#define KITH_STORE_EMBEDDED_H

/* The embedded engine behind store.h: two keyspaces, a write-ahead log, checkpoints, in a
 * folder on a disk.
 *
 * What blocks belongs on threads of their own: embedded_open (before anybody is served),
 * embedded_log_step (the log's thread), embedded_segment_step, embedded_upkeep_step and
 * embedded_finish. They never wait for one another; whoever runs them waits for something to be
 * wanted, or for a deadline, in between. */

#include "store/disk.h"
#include "store/recovery.h"
#include "store/store.h"
#include "store/wal.h"

enum embedded_durability {
    EMBEDDED_COMMIT, /* an answer waits until what it says is on disk */
    EMBEDDED_SECOND, /* synced every second; only the system keyspace waits */
};

struct embedded_config {
    enum embedded_durability durability;
    uint64_t secret; /* random, of this process: hash seed and salts come from it */
    /* 0: from limits.h */
    size_t segment_first_bytes, segment_bytes_max, buffered_bytes_max, checkpoint_bytes,
        part_bytes;
};

enum { EMBEDDED_IDLE = 1 };

struct embedded;

/* Opens or makes the store in a folder: recovers it and applies what it finds. Returns what
 * recovery_run returns; ret_report is set in every case. */
int embedded_open(struct embedded **ret, const struct embedded_config *config, struct disk *d,
                  struct walltime now, struct recovery_report *ret_report);
/* What is in a folder. */
struct embedded_findings {
    struct recovery_report report;
    size_t keys[2]; /* of each keyspace, by enum store_space; expired ones apart */
    size_t memory;  /* about what a hub needs for them */
};

/* Reads a folder and changes nothing. What recovery_check returns; the report is set in every
 * case. */
int embedded_check(struct disk *d, struct walltime now, struct embedded_findings *ret);

void embedded_free(struct embedded *e); /* takes NULL; does not close in good order */

struct store *embedded_store(struct embedded *e);
struct wal *embedded_wal(struct embedded *e);

/* Writes, and where due syncs, one chunk. 0: something became durable or was written, call
 * again; EMBEDDED_IDLE: wait for embedded_log_wanted or *ret_deadline; negative: the log has
 * failed for good. */
int embedded_log_step(struct embedded *e, struct instant now, struct instant *ret_deadline);

/* May embedded_log_step have something to do? Cheap; any thread. */
bool embedded_log_wanted(struct embedded *e);

/* Makes a segment where one is wanted. 0: made one; EMBEDDED_IDLE: none is wanted before
 * *ret_deadline; negative: making one failed with that, it will be wanted again. */
int embedded_segment_step(struct embedded *e, struct instant now, struct instant *ret_deadline);

/* Has embedded_segment_step something to do now, no deadline waited for? Cheap; any thread. */
bool embedded_segment_wanted(struct embedded *e);

/* Does a piece of what there is to do in the background: checkpoints, the sweep of what has
 * expired, the freeing of what was flushed. 0: there is more; EMBEDDED_IDLE: not before
 * *ret_deadline or embedded_upkeep_wanted; negative: a checkpoint has failed with that (-ENOSPC
 * ...), and will be tried again. */
int embedded_upkeep_step(struct embedded *e, struct instant now, struct walltime wall,
                         struct instant *ret_deadline);
bool embedded_upkeep_wanted(struct embedded *e);

/* Ends in good order: no mutation is accepted any more; embedded_log_step then makes the rest
 * durable, after which wal_state is WAL_CLOSED. */
void embedded_close(struct embedded *e, struct walltime now);

/* After that, when no other step is run any more: makes a last checkpoint, where it has
 * anything to say. -errno; nothing is lost then. */
int embedded_finish(struct embedded *e, struct walltime now);

#endif
