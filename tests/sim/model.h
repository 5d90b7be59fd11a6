#ifndef KITH_TESTS_SIM_MODEL_H
#define KITH_TESTS_SIM_MODEL_H

/* What a hub ought to answer, written as plainly as can be: one table, changed by one request
 * after the other, in the order in which the hubs ran them. Every mutation is counted as the
 * log counts them, and remembered with what it replaced, so the table as of any earlier one
 * can be told.
 *
 * What has expired is missing at its very moment, whatever the clock does then. When it is
 * removed is the store's to say (witness.h): the model checks that its time had come, and that
 * nobody meets it without removing it, but where nothing can be written. */

#include "request.h"
#include "trace.h"
#include "witness.h"

#include "hub/access.h"
#include "store/embedded.h"

enum { MODEL_ENTRIES = REQUEST_KEYS + 1, MODEL_NAME = REQUEST_KEYS };

struct model_entry {
    bool present;  /* what has expired is, until it is removed */
    bool doubtful; /* has expired, and may have been left out by a checkpoint */
    uint8_t *data; /* owned */
    size_t len;
    int64_t end;  /* 0: never */
    uint64_t lsn; /* of its last change, a removal included; 0: never */
};

struct model_change {
    uint64_t lsn;
    int64_t time; /* of the log then */
    unsigned key;
    struct model_entry old;
};

struct model {
    const struct trace *trace;
    const struct hub_config *config;
    struct model_entry entries[MODEL_ENTRIES];
    struct model_change *changes; /* since the last recovery, oldest first */
    size_t count, capacity;
    uint64_t lsn;       /* of the last mutation */
    uint64_t count_lsn; /* of the last that made a key or removed one */
    uint64_t told;      /* the newest mutation that somebody knows of who was promised it */
    int64_t wall;       /* the clock, which may jump */
    int64_t log_time;   /* the latest time in the log, which never goes back, ... */
    int64_t log_began;  /* ... and what it was after the last recovery */
    size_t listeners[REQUEST_CHANNELS]; /* of each channel */
    const struct request *published;    /* by the request just run; NULL: nothing */
    bool disk_full;                     /* making room has failed ... */
    bool disk_strikes;                  /* ... and for another reason */
    bool saving;                        /* a checkpoint is being made, or asked for */
    bool stop_granted;                  /* somebody who may has asked a hub to stop */
};

/* A watched key, as it was. */
struct model_watch {
    unsigned key;
    uint64_t lsn;   /* 0: it was missing ... */
    uint64_t since; /* ... when this was the last mutation */
};

struct model_transaction {
    bool gathers, spoiled;
    struct request *queue;
    size_t count, capacity;
    struct model_watch *watches;
    size_t watch_count;
    bool came; /* a watched key that was missing has been seen there */
};

/* What the model knows of a connection. */
struct model_session {
    struct access_peer peer; /* the user as it will be found */
    uint64_t id;
    bool resp, full;
    int version;
    bool over; /* answered its last request */
    struct model_transaction transaction;
    unsigned prefixes[REQUEST_KEYS + 1]; /* it follows, in their order: 0: all keys */
    size_t prefix_count;
    bool listens[REQUEST_CHANNELS];
    size_t channel_count;
};

void model_session_fini(struct model *m, struct model_session *s);

void model_init(struct model *m, const struct trace *trace, const struct hub_config *config);
void model_fini(struct model *m);

/* The time that counts. */
int64_t model_now(const struct model *m);

/* Runs a request. Appends the answer; returns the mutation that has to be on disk before the
 * answer may leave, 0 for none. call is what the store did, where model_calls. */
uint64_t model_run(struct model *m, struct model_session *s, const struct request *r,
                   const struct witness_call *call, struct buffer *out);

/* Does it call the store? */
bool model_calls(const struct model *m, const struct model_session *s, const struct request *r);

/* These have been swept, as one. */
void model_swept(struct model *m, const struct witness_change *changes, size_t n);

/* The log has taken a mark of its own, its end. */
void model_mark(struct model *m, struct embedded *e);

/* Is everything gone that had ended at that time? After a whole sweep. */
bool model_is_swept(struct model *m, int64_t time);

/* Is this store as the table was after the mutation lsn? It is changed, where it holds what has
 * expired. */
void model_compare(const struct model *m, struct embedded *e, struct walltime now,
                   uint64_t lsn);

/* What came after lsn is lost; this store is what is left. */
void model_recover(struct model *m, uint64_t lsn, struct embedded *e);

#endif
