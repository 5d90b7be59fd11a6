#ifndef KITH_IO_SIGNALS_H
#define KITH_IO_SIGNALS_H

/* Signals kept from the thread that calls, for a while: for code that lives in other people's
 * processes, where what a signal does is not ours to say. */

#include <signal.h>
#include <stdbool.h>

/* All of them. What is held back comes after signals_restore; a thread made meanwhile never
 * takes one. */
void signals_hold_all(sigset_t *ret_before);
void signals_restore(const sigset_t *before);

/* SIGPIPE, as writing to a closed socket raises it in the thread that writes. One that came
 * meanwhile is forgotten, one that waited before is not. */
struct signals_pipe {
    sigset_t before;
    bool waited;
};

void signals_hold_pipe(struct signals_pipe *ret);
void signals_release_pipe(const struct signals_pipe *held);

#endif
