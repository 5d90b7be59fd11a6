#ifndef KITH_TESTS_SIM_MODEL_H
#define KITH_TESTS_SIM_MODEL_H

/* What a hub ought to answer, written as plainly as can be: one table, changed by one request
 * after the other, in the order in which the hubs ran them. Every mutation is counted as the
 * log counts them, and remembered with what it replaced, so the table as of any earlier one
 * can be told. */

#include "request.h"
#include "trace.h"

#include "hub/access.h"
#include "store/store.h"

enum { MODEL_ENTRIES = REQUEST_KEYS + 1, MODEL_NAME = REQUEST_KEYS };

struct model_entry {
    bool present;
    uint8_t *data; /* owned */
    size_t len;
    uint64_t lsn; /* of its last change, a removal included; 0: never */
};

struct model_change {
    uint64_t lsn;
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
    bool saving;        /* a checkpoint is being made, or asked for */
    bool stop_granted;  /* somebody who may has asked a hub to stop */
};

/* What the model knows of a connection. */
struct model_session {
    struct access_peer peer; /* the user as it will be found */
    uint64_t id;
    bool resp, full;
    int version;
    bool over; /* answered its last request */
};

void model_init(struct model *m, const struct trace *trace, const struct hub_config *config);
void model_fini(struct model *m);

/* Runs a request. Appends the answer; returns the mutation that has to be on disk before the
 * answer may leave, 0 for none. outcome is what the store said where the request updates. */
uint64_t model_run(struct model *m, struct model_session *s, const struct request *r,
                   int outcome, struct buffer *out);

/* Does it call store_update, where its client may do what it asks? */
bool model_updates(const struct model *m, const struct model_session *s,
                   const struct request *r);

/* Is this store as the table was after the mutation lsn? */
void model_compare(const struct model *m, struct store *s, struct walltime now, uint64_t lsn);

/* What came after lsn is lost; the log goes on behind `last`. */
void model_recover(struct model *m, uint64_t lsn, uint64_t last);

#endif
