#ifndef KITH_HUB_EXCHANGE_H
#define KITH_HUB_EXCHANGE_H

/* Where pushes go: which worker's connections want what. What is wanted is a subscription; a
 * push goes into the mailbox of each worker where some subscription may match, and that worker
 * finds out which. The table's changes come in the order of their LSNs and stay in it.
 *
 * Shared by all workers. A zeroed exchange is empty. */

#include "hub/mailbox.h"

#include "base/limits.h"

enum subscription_kind {
    SUBSCRIPTION_CHANNEL, /* messages on the channel of this name */
    SUBSCRIPTION_PATTERN, /* messages on channels that match */
    SUBSCRIPTION_PREFIX,  /* changes of keys that begin so */
};

/* A connection's wish; in its own list, and in the exchange's. */
struct subscription {
    struct subscription *next;         /* the connection's next */
    struct subscription *left, *right; /* the exchange's */
    enum subscription_kind kind;
    size_t worker;
    size_t len;
    uint8_t text[];
};

struct exchange {
    struct mailbox *_Atomic boxes[LIMIT_WORKERS];
    atomic_size_t box_count;
    atomic_size_t wanted[LIMIT_WORKERS];    /* subscriptions of each worker */
    atomic_size_t attending[LIMIT_WORKERS]; /* those present on each (hub/attendant.h) */
    atomic_size_t table_wanted;             /* those that a change of the table may match */
    pthread_mutex_t lock;                   /* of what follows; never taken under the store's */
    struct subscription *first;
    size_t count;
};

/* Adds a worker's mailbox and returns the worker's number. At most LIMIT_WORKERS. */
size_t exchange_join(struct exchange *x, struct mailbox *box);

/* That worker's hub ends: nothing is put into its mailbox any more. */
void exchange_leave(struct exchange *x, size_t worker);

/* Adds a subscription. NULL: -ENOMEM or more than LIMIT_SUBSCRIPTIONS. */
struct subscription *exchange_subscribe(struct exchange *x, size_t worker,
                                        enum subscription_kind kind, struct bytes text);
void exchange_unsubscribe(struct exchange *x, struct subscription *s);

/* Puts a push into a worker's mailbox; see mailbox_put. */
void exchange_put(struct exchange *x, size_t worker, struct push *p);

/* Wakes a worker, which looks after what concerns all of them (hub_take_mail). */
void exchange_wake(struct exchange *x, size_t worker);

struct bytes subscription_text(const struct subscription *s);

/* Does a channel's name match? Of a prefix: never. */
bool subscription_matches(const struct subscription *s, struct bytes channel);

/* Publishes; returns how many subscriptions match. -ENOMEM. */
int64_t exchange_publish(struct exchange *x, struct bytes channel, struct bytes message);

/* Every worker is to look after an account, by its name folded, that has changed
 * (hub/login.h). */
void exchange_tell_account(struct exchange *x, struct bytes folded);

/* The store's watch function (store.h); ctx is the exchange. */
void exchange_on_change(void *ctx, const struct store_change *change);

/* Calls each for every subscription, in no order, under the exchange's lock. */
void exchange_each(struct exchange *x, void (*each)(void *ctx, const struct subscription *s),
                   void *ctx);

#endif
