#ifndef KITH_HUB_HANDSHAKES_H
#define KITH_HUB_HANDSHAKES_H

/* The TLS handshakes under way, on all workers: LIMIT_HANDSHAKES, of which one address has
 * LIMIT_HANDSHAKES_OF_ADDRESS; of IPv6, one network of 64 bits, link-local or not. Of loopback
 * each address counts by itself, but 127.0.0.1, ::1 and Unix sockets, which are one.
 *
 * Past either limit the oldest is closed, of that address or of all, and the new one is taken.
 * A handshake is over within a few round trips: who takes part in it is done long before he is
 * the oldest of a hundred, be it that many come at once from behind one address; who only holds
 * a place loses it. To refuse the new one would keep out everybody behind an address that one
 * there fills; to have it wait would, too, for as long as he fills it again.
 *
 * A lock of its own. Zeroed, there are none. */

#include "base/limits.h"
#include "base/time.h"
#include "wire/net_address.h"

#include <pthread.h>

/* One under way: memory of its connection's own. */
struct handshake {
    struct handshake *older, *newer; /* of the queue it is in */
    struct net_address source;
    size_t worker;
    void *owner; /* for that worker alone */
    enum { HANDSHAKE_NONE, HANDSHAKE_UNDER_WAY, HANDSHAKE_OUSTED } state;
};

struct handshake_queue {
    struct handshake *oldest, *newest;
    size_t count;
};

struct handshakes {
    pthread_mutex_t lock;
    struct handshake_queue under_way;
    struct handshake_queue ousted; /* their workers have not closed them yet */
    uint64_t closed, logged;       /* of those that have lost their places, since the start */
    struct instant log_after;
};

/* h, whose worker and owner the caller has set, is under way, from that address; NULL: this
 * machine. Where another one loses its place, *ret_ousted is the worker it is to be closed by,
 * and true is returned. */
bool handshakes_begin(struct handshakes *x, struct handshake *h,
                      const struct net_address *address, size_t *ret_ousted);

/* It is over, or its connection is. Nothing where it has not begun. */
void handshakes_end(struct handshakes *x, struct handshake *h);

/* The owner of one of that worker's that have lost their places, which it is to close; it is
 * over. NULL: none is left. */
void *handshakes_take_ousted(struct handshakes *x, size_t worker);

/* How many have lost their places and were taken, since the start. */
uint64_t handshakes_closed(struct handshakes *x);

/* How many of them are to be logged now, as one line: whoever floods the hub must not fill its
 * log. 0: none, or the last line was less than LIMIT_HANDSHAKES_LOG_MS ago; then the next one
 * has them. */
uint64_t handshakes_take_unlogged(struct handshakes *x, struct instant now);

size_t handshakes_count(struct handshakes *x);

#endif
