#ifndef KITH_KITHD_DAEMON_H
#define KITH_KITHD_DAEMON_H

/* The daemon: listeners, data folder, store, committer and workers, put together in that order
 * and taken apart in the other. */

#include "kithd/options.h"

/* What the process exits with. */
enum {
    DAEMON_DONE = 0,       /* stopped in good order */
    DAEMON_FAILED = 1,     /* the disk failed: what was not yet answered is not promised */
    DAEMON_NOT_USABLE = 2, /* options that do not fit */
    DAEMON_NO_START = 3,   /* port taken, folder locked, log corrupt ... : one line says what */
};

/* Runs a hub until it is stopped by a signal or by a command. */
int daemon_run(const struct options *options);

#endif
