#include "io/signals.h"

#include <errno.h>
#include <time.h>

void signals_hold_all(sigset_t *ret_before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, ret_before);
}

void signals_restore(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

static sigset_t only_pipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void signals_hold_pipe(struct signals_pipe *ret)
{
    sigset_t waiting, pipe = only_pipe();
    pthread_sigmask(SIG_BLOCK, &pipe, &ret->before);
    ret->waited = sigpending(&waiting) == 0 && sigismember(&waiting, SIGPIPE) == 1;
}

void signals_release_pipe(const struct signals_pipe *held)
{
    static const struct timespec at_once;
    sigset_t pipe = only_pipe();
    while (!held->waited && sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
        continue;
    pthread_sigmask(SIG_SETMASK, &held->before, NULL);
}
