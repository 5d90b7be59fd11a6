#include "lib/calm.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static bool pipe_is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void calm_begin(struct calm *c, bool all)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    if (all)
        sigfillset(&set);
    c->was_pending = pipe_is_pending();
    pthread_sigmask(SIG_BLOCK, &set, &c->before);
}

void calm_end(struct calm *c)
{
    const struct timespec at_once = {0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    if (!c->was_pending && pipe_is_pending())
        while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &c->before, NULL);
}
