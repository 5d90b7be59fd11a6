#ifndef KITH_HUB_WALK_H
#define KITH_HUB_WALK_H

/* A walk over all keys that match a pattern, in pieces: each turn of the worker does one, so
 * that nobody waits for the whole. It is an answer about the keys there are all the while, each
 * once; those that come or go meanwhile may be in it. A connection has one at most. */

#include "hub/command.h"

struct walk;

/* pattern is copied. NULL when memory is out; walk_free takes NULL. */
struct walk *walk_new(struct bytes pattern);
void walk_free(struct walk *w);

/* One piece. 0: that was the last; COMMAND_AGAIN_TURN: there are more; what store_scan returns,
 * -ENOMEM, or BUFFER_FULL where the names take more than LIMIT_REPLY_BYTES. */
int walk_on(struct walk *w, struct call *call);

/* What it has found: count keys. The answer depends on the LSN walk_on has told the reply. */
void walk_answer(const struct walk *w, struct reply *reply);

#endif
