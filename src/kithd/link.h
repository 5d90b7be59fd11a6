#ifndef KITH_KITHD_LINK_H
#define KITH_KITHD_LINK_H

/* A connection's two halves tied together: the hub's side (hub/connection.h) and the socket's
 * (io/stream.h). */

#include "hub/hub.h"
#include "io/stream.h"

struct link;

enum { LINK_INPUTS = 16 }; /* that wait for each other, at most */

/* What a link needs of its worker. */
struct link_owner {
    struct hub *hub;

    /* LIMIT_READ_BYTES, shared by all links of the worker. Small inputs stay at its beginning
     * and wait for others, to be fed at once. */
    uint8_t *read_space;
    size_t waiting_bytes;
    struct hub_input waiting[LINK_INPUTS];
    size_t waiting_count;

    int descriptors_max;                    /* from this one on they are kept for files */
    void (*turn)(struct link_owner *owner); /* called before anything happens: tells the time */
    void (*gone)(struct link_owner *owner); /* a link has ended and is freed */
};

/* Takes a connection that waits at an acceptor. -errno: that connection is lost; owner->gone
 * follows where *ret_counts. */
int link_accept(struct link_owner *owner, struct acceptor *from,
                const struct listener *listener, bool replies_full, bool *ret_counts);

/* Feeds what waits; before the turn ends. */
void link_feed_waiting(struct link_owner *owner);

/* Acts on what the hub says of a connection: HUB_EVENT_OUTPUT, HUB_EVENT_IDENTIFY. */
void link_flush(struct connection *c);
void link_identify(struct connection *c);

#endif
