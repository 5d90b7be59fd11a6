#ifndef KITH_PEER_PREAMBLE_H
#define KITH_PEER_PREAMBLE_H

/* The first bytes of a connection that carries a transfer's data, in the clear, from who dials:
 *
 *      8 bytes  "KITHDATA"
 *     16 bytes  the transfer's id
 *     16 bytes  a token, random, said over the session with the transfer's secret
 *
 * By its first byte it is told from TLS, which begins with 22 (RFC 8446, section 5.1). It
 * proves nothing, and need not: it says which transfer is meant, and the token keeps who was
 * told of none from taking its place. TLS follows, and proves. */

#include "base/random_id.h"

enum { PREAMBLE_TOKEN_BYTES = 16, PREAMBLE_BYTES = 8 + RANDOM_ID_BYTES + PREAMBLE_TOKEN_BYTES };

struct preamble {
    struct random_id id;
    uint8_t token[PREAMBLE_TOKEN_BYTES];
};

void preamble_write(uint8_t out[PREAMBLE_BYTES], const struct preamble *p);

/* May a connection that begins with these bytes, at least one, begin with a preamble? */
bool preamble_may_begin(struct bytes in);

/* in: PREAMBLE_BYTES that may be one, as preamble_may_begin says. */
struct preamble preamble_read(struct bytes in);

/* Takes the same time wherever they differ. */
bool preamble_equal(const struct preamble *a, const struct preamble *b);

#endif
