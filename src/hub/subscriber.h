#ifndef KITH_HUB_SUBSCRIBER_H
#define KITH_HUB_SUBSCRIBER_H

/* A connection that is told things unasked: what it has subscribed to, and how it is told.
 *
 *     RESP2  an array, RESP3 a push of
 *         message CHANNEL MESSAGE           on a channel
 *         pmessage PATTERN CHANNEL MESSAGE  on a channel that matches
 *         change PREFIX KIND KEY VALUE      of the table: KIND is set, del, expired or flush;
 *                                           VALUE is null but for set, KEY but for those three
 *     text   CHANGED key = value, CHANGED key (where text cannot carry the value), REMOVED key,
 *            EXPIRED key, FLUSHED; the key cleaned, a line each
 *
 * A change of the table is also a message: the event (set, del, expired) on channel
 * __keyspace@0__:KEY, and the key on __keyevent@0__:EVENT, as Redis has them.
 *
 * What leaves is held like a reply, until it is durable. Who does not read what he is told is
 * closed when LIMIT_UNREAD_PUSH_BYTES wait and he is to be told more. */

#include "hub/connection.h"
#include "hub/exchange.h"

struct subscriber {
    struct list link; /* in hub.subscribers */
    struct connection *connection;
    struct subscription *first;
    size_t counts[3]; /* by kind */
};

/* Makes c a subscriber where it is none. NULL: -ENOMEM. */
struct subscriber *subscriber_of(struct connection *c);

/* Ends it, and all its subscriptions. Takes NULL. */
void subscriber_free(struct subscriber *s);

/* 0 (also where there was one already), -ENOMEM or too many: BUFFER_FULL. */
int subscriber_add(struct subscriber *s, enum subscription_kind kind, struct bytes text);

/* False where there was none. */
bool subscriber_remove(struct subscriber *s, enum subscription_kind kind, struct bytes text);

/* The first of that kind; NULL where there is none. */
const struct subscription *subscriber_first(const struct subscriber *s,
                                            enum subscription_kind kind);

/* Tells it, if it wants to know. */
void subscriber_tell(struct subscriber *s, const struct push *p);

#endif
