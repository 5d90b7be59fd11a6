#ifndef KITH_HUB_WALK_H
#define KITH_HUB_WALK_H

/* A walk over all keys that match a pattern, in pieces: each turn of the worker does one, so
 * that nobody waits for the whole. What it finds is kept, since an array's length stands before
 * it, then answered, in pieces, too. It is an answer about the keys there are all the while,
 * each once; those that come or go meanwhile may be in it. A connection has one at most. */

#include "hub/command.h"

struct walk;

/* pattern is copied; what has been found goes to the garbage, in the end. NULL when memory is
 * out; walk_free takes NULL. */
struct walk *walk_new(struct bytes pattern, struct blob_garbage *garbage);
void walk_free(struct walk *w);

/* One piece. 0: there are no more; COMMAND_AGAIN_TURN: there are; what store_scan returns,
 * -ENOMEM, or BUFFER_FULL where the names take more than LIMIT_REPLY_BYTES. */
int walk_on(struct walk *w, struct call *call);

/* Once there are no more: answers what it has found, LIMIT_PIECE_BYTES of it, or in one piece.
 * COMMAND_DONE: that was the end of it; COMMAND_AGAIN_TURN: it is not. */
int walk_answer(struct walk *w, struct reply *reply, bool in_one);

#endif
