#ifndef KITH_MEET_ARRIVALS_H
#define KITH_MEET_ARRIVALS_H

/* The port at which other people's devices reach this one, and who has connected there and is
 * not yet known. Each shows a key in the handshake, for which it has LIMIT_CONNECT_MS; one that
 * no talk expects is closed before a word. Its first frame then says which introduction it is
 * for (peer/proof.h), since two devices may have several: so it finds its talk, or is closed
 * after LIMIT_PEER_PROOF_MS. LIMIT_PEER_HANDSHAKES are under way at most.
 *
 * The owner embeds it, and leaves it alone until the loop has nothing more to do. */

#include "io/peer_port.h"
#include "meet/talk_link.h"

struct arrivals {
    struct peer_port port;
    const struct talk_ground *ground; /* the owner's */
    struct list *links; /* likewise: of struct talk_link, those that are expected */
    struct list paths;  /* of struct talk_path */
    size_t count;
};

/* port 0: a free one. -errno: closed then. */
int arrivals_open(struct arrivals *a, uint16_t port, const struct talk_ground *ground,
                  struct list *links);

/* Closes who is late. */
void arrivals_tick(struct arrivals *a, struct instant now);

/* Nobody gets in any more. */
void arrivals_close(struct arrivals *a);

#endif
