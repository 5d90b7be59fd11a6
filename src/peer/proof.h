#ifndef KITH_PEER_PROOF_H
#define KITH_PEER_PROOF_H

/* The first frame of every connection between two devices, both ways: it says that this
 * connection is for this introduction of these two. Nothing else is sent before one's own proof
 * was sent and the other's was found right; a wrong one ends the connection.
 *
 * A proof is a version, 1, and 32 bytes: BLAKE2b, keyed with the TLS exporter of the connection
 * (label PROOF_LABEL, no context), of a domain, the id, the names and fingerprints of the side
 * that dialed and of the side that answered, and which of them proves. No signature: mutual TLS
 * has proven both keys, and only the two ends of that very connection know its exporter, so
 * whoever knows the hash is the end whose key was shown. What TLS has not said is what both
 * mean by the connection; the hash binds that. Each side's differs, so none can be echoed. */

#include "base/bytes.h"
#include "peer/pair.h"

#define PROOF_LABEL "EXPORTER-kith-peer-proof"

enum { PROOF_BYTES = 33, PROOF_EXPORTER_BYTES = 32 };

/* Which end of the TLS connection one is. */
enum proof_role { PROOF_DIALS, PROOF_ANSWERS };

struct proof {
    uint8_t bytes[PROOF_BYTES];
};

/* What one sends. */
struct proof proof_make(const struct pair *p, enum proof_role own,
                        const uint8_t exporter[PROOF_EXPORTER_BYTES]);

/* Is what the other side sent what it must be? Takes the same time whatever it is. */
bool proof_check(const struct pair *p, enum proof_role own,
                 const uint8_t exporter[PROOF_EXPORTER_BYTES], struct bytes sent);

#endif
