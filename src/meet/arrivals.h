#ifndef KITH_MEET_ARRIVALS_H
#define KITH_MEET_ARRIVALS_H

/* The port at which other people's devices reach this one, and who has connected there and is
 * not yet known. Each has LIMIT_CONNECT_MS to say what it wants (meet/newcomer.h).
 *
 * TLS: it shows a key in the handshake, for which it has LIMIT_CONNECT_MS once more; one that
 * no talk expects is closed before a word. Its first frame then says which introduction it is
 * for (peer/proof.h), since two devices may have several: so it finds its talk, or is closed
 * after LIMIT_PEER_PROOF_MS.
 *
 * To carry a transfer's data: it goes to who expects a connection with that preamble, or is
 * closed.
 *
 * LIMIT_PEER_HANDSHAKES are under way at most. The owner embeds it, and leaves it alone until
 * the loop has nothing more to do. */

#include "io/peer_port.h"
#include "meet/newcomer.h"
#include "meet/talk_link.h"

/* A connection with data that is expected. Who expects it embeds this, zeroed at first, and
 * leaves it alone until it has come or is expected no more. */
struct arrivals_expected {
    struct list link;
    struct preamble preamble;
    void (*came)(void *context, int fd);
    void *context;
};

struct arrivals {
    struct peer_port port;
    const struct talk_ground *ground; /* the owner's */
    struct list *links;    /* likewise: of struct talk_link, those that are expected */
    struct list newcomers; /* of struct newcomer, the first to come is the first */
    struct list paths;     /* of struct talk_path */
    size_t count;          /* of both */
    struct list expected;  /* of struct arrivals_expected */
};

/* port 0: a free one. -errno: closed then. */
int arrivals_open(struct arrivals *a, uint16_t port, const struct talk_ground *ground,
                  struct list *links);

/* Closes who is late. */
void arrivals_tick(struct arrivals *a, struct instant now);

/* A connection that begins with this preamble is handed to came: a socket that blocks, of which
 * nothing more was read, and which is came's. It uses the expectation up; came may renew it. */
void arrivals_expect(struct arrivals *a, struct arrivals_expected *e, const struct preamble *p,
                     void (*came)(void *context, int fd), void *context);

/* Nothing where it has come, or was never expected. */
void arrivals_unexpect(struct arrivals_expected *e);

/* Nobody gets in any more; nothing is expected any more. */
void arrivals_close(struct arrivals *a);

#endif
