#ifndef KITH_HUB_READING_H
#define KITH_HUB_READING_H

/* A command that reads many keys, answered in pieces of at most LIMIT_PIECE_KEYS, and about
 * LIMIT_PIECE_BYTES, not counting what goes by reference: each turn of the worker does one, so
 * that others are served meanwhile, and the next waits while too much of the reply is unread.
 * What fits one piece is as of one moment; of more, each piece is as of its own. */

#include <stddef.h>

struct call;

/* How far a connection's is; zeroed: none is under way. */
struct reading {
    size_t answered; /* keys */
    size_t at_once;  /* keys to look for in the next piece */
};

/* Reads the keys that are the arguments, all of them, and answers an array of their values. A
 * connection that is told things unasked gets it in one piece. */
int reading_run(struct call *call);

#endif
