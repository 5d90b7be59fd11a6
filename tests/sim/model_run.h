#ifndef KITH_TESTS_SIM_MODEL_RUN_H
#define KITH_TESTS_SIM_MODEL_RUN_H

/* One request, as the model runs it: what it sees of the table and makes of it, all of which
 * then happens as one. */

#include "model.h"

struct run_key {
    bool met, written; /* written: what follows is to be */
    bool present;
    uint8_t *data; /* owned */
    size_t len;
    int64_t end;
};

struct run {
    struct model *m;
    struct model_session *s;
    const struct request *r;
    const struct witness_call *call;
    struct buffer *out;
    uint64_t needs; /* of the users' table */
    uint64_t needs_always;
    struct run_key keys[MODEL_ENTRIES];
};

/* What a key holds at this point. */
struct run_value {
    bool present;
    struct bytes bytes;
    int64_t end;
};

/* model_run.c */
struct run_value run_see(struct run *x, unsigned key);
void run_put(struct run *x, unsigned key, struct bytes value, int64_t end);
void run_remove(struct run *x, unsigned key); /* what is there */

void answer_line(struct run *x, const char *text);
void answer_end_line(struct run *x);
void answer_status(struct run *x, const char *text);
void answer_integer(struct run *x, int64_t n);
void answer_null(struct run *x);
void answer_array(struct run *x, size_t n);
void answer_value(struct run *x, struct run_value v); /* or null; RESP alone */
void answer_about_key(struct run *x, const char *words, const char *reason);
void answer_error(struct run *x, const char *code, const char *reason);

/* model_transaction.c: is it put aside for EXEC? Puts it aside. MULTI, EXEC and the like. */
void model_end_transaction(struct model_session *s);
void model_see_watched(struct run *x); /* the request is about to see its keys */
bool model_queues(const struct model_session *s, const struct request *r);
void model_queue(struct run *x);
bool run_transaction(struct run *x);

/* model_push.c: FOLLOW, PUBLISH and the like. */
bool run_subscription(struct run *x);

/* model_run.c: a request without keys that a transaction may hold. */
void run_plain(struct run *x);

/* model_values.c: true where it is a request on keys, which has been run. */
bool run_values(struct run *x);

/* model_rights.c: why its client may not do that; NULL: it may. */
const char *model_refusal(const struct model *m, const struct model_session *s,
                          const struct request *r);

/* model.c: the next mutation begins; a part of it; and all of a keyspace, within one. */
void model_begin(struct model *m);
void model_change(struct model *m, unsigned key, bool present, struct bytes value, int64_t end);
bool model_has_expired(const struct model *m, const struct model_entry *e);

/* These keys have expired, and are removed by the mutation that has begun. */
void model_expire(struct model *m, const struct witness_change *change);

/* The key of a change. */
unsigned model_key_of(const struct model *m, const struct witness_change *change);

/* Is this the LSN that the newest mutation is told with? */
bool model_tells(const struct model *m, const struct witness_change *change);

#endif
