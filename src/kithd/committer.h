#ifndef KITH_KITHD_COMMITTER_H
#define KITH_KITHD_COMMITTER_H

/* The threads behind the store: one writes and syncs the log, one makes its segments, one keeps
 * it up (checkpoints, what has expired) in half of the time at most. */

#include "store/embedded.h"

enum committer_event {
    COMMITTER_MOVED,   /* more is durable, or room was made, or could not be */
    COMMITTER_STUCK,   /* a segment could not be made: error says why; it goes on trying */
    COMMITTER_UNSTUCK, /* ... and now one could be: error is why not before */
    COMMITTER_FAILED,  /* the log has failed for good: error says why; its thread ends */
    COMMITTER_UNSAVED, /* a checkpoint could not be made: error says why; it is tried again */
};

/* Called on the committer's threads. */
typedef void (*committer_fn)(void *ctx, enum committer_event event, int error);

struct committer;

/* Starts the threads; the store is the caller's and must outlive them. -errno. */
int committer_start(struct committer **ret, struct embedded *store, unsigned workers,
                    committer_fn fn, void *ctx);

/* A worker's turn: until it ends, more may be appended. What several have in hand goes to disk
 * together, as far as that can be had within a millisecond. The end of a turn is a
 * committer_wake. */
void committer_begin_turn(struct committer *c);
void committer_end_turn(struct committer *c);

/* Something may have been appended. Any thread; cheap where there is nothing to do. */
void committer_wake(struct committer *c);

/* How often COMMITTER_MOVED has been announced; it is counted before the call. Who reads it
 * before asking the store, and again before sleeping, misses none. */
uint64_t committer_moves(const struct committer *c);

/* Ends the log in good order (embedded_close), waits until all of it is durable, or has failed,
 * makes a last checkpoint, ends the threads and frees the committer. Returns the log's error,
 * 0 where there is none. */
int committer_finish(struct committer *c);

#endif
