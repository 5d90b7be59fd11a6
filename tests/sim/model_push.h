#ifndef KITH_TESTS_SIM_MODEL_PUSH_H
#define KITH_TESTS_SIM_MODEL_PUSH_H

/* What those are told who follow the table's changes, or listen to a channel. */

#include "model_run.h"

struct model_push {
    bool message; /* on channel `key`; else a change */
    enum store_change_kind kind;
    unsigned key;
    uint8_t *value; /* owned */
    size_t len;
    uint64_t lsn; /* on disk before anybody is told; 0: at once */
};

/* Of a change that has just been made. */
void model_push_init(struct model_push *p, const struct model *m,
                     const struct witness_change *change);
/* Of what has just been published. */
void model_push_init_message(struct model_push *p, const struct model *m);
void model_push_fini(struct model_push *p);

/* Appends what this connection is told of it, if anything. */
void model_tell(const struct model_session *s, const struct model_push *p, struct buffer *out);

#endif
