#ifndef KITH_HUB_TRANSACTION_H
#define KITH_HUB_TRANSACTION_H

/* A connection's transaction: the keys it watches, and the commands gathered since MULTI. EXEC
 * runs them as one update over all their keys, each seeing what the ones before it did; nobody
 * sees, and no crash leaves, a part of them.
 *
 * A watched key is remembered by its version (store.h); where it has another when EXEC runs,
 * nothing happens and the answer is null. One that was missing has no version: where it came
 * and went again it has changed if this connection has seen it there (transaction_saw), and
 * nobody can tell otherwise. Any error while commands are gathered spoils the transaction: EXEC
 * then refuses. Limits: LIMIT_TRANSACTION_*. */

#include "hub/command.h"

struct transaction;

/* NULL when memory is out. transaction_free takes NULL. */
struct transaction *transaction_new(void);
void transaction_free(struct transaction *t);

/* Begins to gather; false where it does already. */
bool transaction_begin(struct transaction *t);
bool transaction_gathers(const struct transaction *t);

/* Adds a command in place of running it, and answers QUEUED, or why not. COMMAND_DONE. */
int transaction_add(struct transaction *t, struct call *call, const struct command *command);

/* The blob in which a gathered argument lies, counted from the first of all; NULL: in none. */
struct blob *transaction_blob(const struct transaction *t, size_t argument);

/* Something went wrong with a command that was to be added. */
void transaction_spoil(struct transaction *t);

/* Remembers a key as it is now. -ENOMEM; BUFFER_FULL: too many. */
int transaction_watch(struct transaction *t, struct bytes key, uint64_t version);

/* Does it watch a key that was missing? Then every command of the connection on keys is told to
 * transaction_saw. */
bool transaction_watches_missing(const struct transaction *t);

/* A command has seen these keys, as they were. */
void transaction_saw(struct transaction *t, const struct store_slot *slots, size_t n);

/* Runs what was gathered, and answers. COMMAND_DONE: it is over; COMMAND_AGAIN_LOG. */
int transaction_run(struct transaction *t, struct call *call);

#endif
