#ifndef KITH_HUB_MAILBOX_H
#define KITH_HUB_MAILBOX_H

/* What other threads have for a worker: pushes, in order. Whoever puts the first one in wakes
 * the worker, which takes all of them. Where LIMIT_MAILBOX_BYTES wait, what comes next is lost,
 * and the worker is told so. A zeroed mailbox is empty. */

#include "hub/push.h"

#include <pthread.h>

struct mail;

struct mailbox {
    pthread_mutex_t lock;
    struct mail *first, *last;
    size_t bytes;
    bool lost;
    void (*wake)(void *ctx); /* on any thread, under locks: it must be quick; NULL: nobody */
    void *ctx;
};

void mailbox_fini(struct mailbox *m);

/* Puts a push in, which it takes a reference of. NULL: there was no memory to make it. */
void mailbox_put(struct mailbox *m, struct push *p);

/* Wakes the worker all the same: there is something else for it to look at. */
void mailbox_wake(struct mailbox *m);

/* True with the next push, whose reference is the caller's; false when there is none. */
bool mailbox_take(struct mailbox *m, struct push **ret);

/* Has something been lost since the last call? */
bool mailbox_has_lost(struct mailbox *m);

#endif
