#ifndef KITH_STORE_LOOKAHEAD_H
#define KITH_STORE_LOOKAHEAD_H

/* The operations of a record's payload, or of a checkpoint's block, read some ahead: who they
 * are for hears of them before they come, and can fetch what all of them need at the same time,
 * instead of waiting for one after the other. */

#include "store/record.h"

enum { LOOKAHEAD_OPS = 32 };

/* These come next, in this order; at most LOOKAHEAD_OPS, and no fewer than two. */
typedef void (*lookahead_fn)(void *ctx, const struct record_op *ops, size_t n);

struct lookahead {
    struct bytes rest; /* of the payload, not read yet */
    lookahead_fn expect;
    void *ctx;
    struct record_op ops[LOOKAHEAD_OPS];
    size_t count, next; /* ops from next to count come next */
    int end;            /* what record_op_read said behind those; 0: nothing yet */
};

/* expect may be NULL: nobody wants to know. The payload must outlive l. */
void lookahead_begin(struct lookahead *l, struct bytes payload, lookahead_fn expect, void *ctx);

/* The next operation, with what record_op_read says of it; it holds until the next call. */
int lookahead_next(struct lookahead *l, const struct record_op **ret);

/* Is there nothing behind the last operation, not even what is no operation? */
bool lookahead_is_at_end(const struct lookahead *l);

#endif
