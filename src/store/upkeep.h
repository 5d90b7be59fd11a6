#ifndef KITH_STORE_UPKEEP_H
#define KITH_STORE_UPKEEP_H

/* What the embedded engine does in the background, on a thread of its own: checkpoints, so that
 * the log does not grow without end; the sweep of what has expired; the freeing of what a flush
 * has left; the dropping of large values that were sent in part. In small steps, so that
 * whoever runs them decides what share of the time it takes.
 *
 * A checkpoint is begun when it is asked for, when the log has grown by config.log_bytes
 * and by as much as the last checkpoint is large, or when the disk is full and dropping some of
 * the log may help. One that fails changes nothing; where nobody asked, it is tried again after
 * LIMIT_CHECKPOINT_RETRY_MS.
 *
 * States: IDLE -> COPYING -> SETTLING (until the log is on disk that far) -> IDLE; COPYING and
 * SETTLING -> IDLE where it fails. */

#include "store/checkpoint.h"
#include "store/keyspace.h"

#include <pthread.h>
#include <stdatomic.h>

enum { UPKEEP_IDLE = 1 };

enum upkeep_state { UPKEEP_RESTS, UPKEEP_COPIES, UPKEEP_SETTLES };

struct upkeep_config {
    uint64_t secret;       /* random; salts come from it */
    uint64_t log_bytes;    /* the log grows by so much, at least, before a checkpoint is due */
    uint64_t last_bytes;   /* of the checkpoint recovered; 0: none */
    struct walltime saved; /* likewise, when it was begun */
};

struct upkeep {
    struct upkeep_config config;
    struct disk *disk;
    struct wal *wal;
    struct keyspace *spaces; /* STORE_USER, STORE_SYSTEM */
    struct uploads *uploads;

    /* The upkeep's thread's alone. */
    enum upkeep_state state;
    struct checkpoint_writer writer;
    size_t space;             /* what is copied next, ... */
    struct table_place place; /* ... and where in it */
    uint64_t end_lsn;         /* the newest change that what was copied may show */
    uint64_t begun_bytes;     /* of the log, when this one began */
    uint64_t log_bytes;       /* of the log, when the last one began */
    uint64_t last_bytes;      /* size of the last one */
    struct instant retry_at, sweep_at;

    /* Anybody's. */
    atomic_bool wanted, running;
    _Atomic int64_t saved_ms; /* when the last one began; 0: none yet */
    atomic_int error;         /* why the last one failed; 0 where it did not */
    pthread_mutex_t lock;     /* of what follows */
    struct garbage_heap {
        struct table_garbage *item;
        struct garbage_heap *next;
    } * garbage;
};

void upkeep_init(struct upkeep *u, const struct upkeep_config *config, struct disk *d,
                 struct wal *w, struct keyspace *spaces, struct uploads *uploads);
void upkeep_fini(struct upkeep *u);

/* Does a piece of what is to be done. 0: there is more; UPKEEP_IDLE: not before *ret_deadline
 * or upkeep_wanted; negative: a checkpoint has failed with that, the rest goes on. */
int upkeep_step(struct upkeep *u, struct instant now, struct walltime wall,
                struct instant *ret_deadline);

/* Is there something to be done at once? Cheap; any thread. */
bool upkeep_wanted(struct upkeep *u);

/* Asks for a checkpoint. False: one is being made, or asked for. Any thread. */
bool upkeep_save(struct upkeep *u);

/* Frees it in the background. Any thread. Where memory is out, at once. */
void upkeep_take_garbage(struct upkeep *u, struct table_garbage *garbage);

/* After the log has been closed: makes a last checkpoint, all at once, where there is anything
 * that the one before does not hold. -errno; the log is whole in any case. */
int upkeep_finish(struct upkeep *u, struct walltime wall);

#endif
