#ifndef KITH_LIB_CALM_H
#define KITH_LIB_CALM_H

/* What libuv does, done so that the program the library is in notices nothing of it: writing to
 * a connection that has gone raises SIGPIPE, and threads it starts take any signal. Between
 * calm_begin and calm_end there is neither; each begin has its end on the same thread. */

#include <signal.h>
#include <stdbool.h>

struct calm {
    sigset_t before;
    bool was_pending; /* a SIGPIPE of the program's own */
};

/* all: blocks every signal, for as long as threads may be started; else SIGPIPE alone. */
void calm_begin(struct calm *c, bool all);
void calm_end(struct calm *c);

#endif
