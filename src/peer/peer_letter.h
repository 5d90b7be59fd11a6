#ifndef KITH_PEER_PEER_LETTER_H
#define KITH_PEER_PEER_LETTER_H

/* A message for a device of someone who is not there: signed by the sender's device, then
 * sealed for the recipient's, so that the hub that keeps it can neither read nor make one
 * (docs/peer-protocol.md).
 *
 * The signature covers a domain and everything else, both names and both keys among it: a
 * letter cannot be passed on as one to somebody else. It does not say that it is new: who takes
 * letters remembers the ids it has seen. That the sender's key is the sender's is for the
 * caller to judge, too: by the devices it knows of that name.
 *
 * Text is UTF-8, 1 to PEER_LETTER_TEXT_BYTES, so that what is sealed is at most
 * LIMIT_LETTER_BYTES; to be cleaned before it reaches a terminal. */

#include "base/buffer.h"
#include "base/limits.h"
#include "base/time.h"
#include "peer/pair.h"

enum {
    PEER_LETTER_SEED_BYTES = 32,    /* RFC 8032's private key, as of tls/identity.h */
    PEER_LETTER_ENTROPY_BYTES = 32, /* new random bytes for every letter: the seal's own key */
    PEER_LETTER_OVERHEAD_BYTES = 48 + 64 + 1 + 16 + 8 + 2 * (1 + PAIR_NAME_BYTES + 32),
    PEER_LETTER_TEXT_BYTES = LIMIT_LETTER_BYTES - PEER_LETTER_OVERHEAD_BYTES,
};

enum {
    PEER_LETTER_INVALID =
        2, /* no text, or no such names, or a key that nothing can be sealed for */
    PEER_LETTER_WRONG = 3 /* not a letter, not for this device, or its signature is wrong */
};

struct peer_letter {
    struct random_id id; /* of random bytes */
    struct walltime written;
    struct pair_side from, to; /* names in lower case, as in a struct pair */
    struct bytes text;
};

/* Seals a letter: pair says from whom and to whom, its id is the letter's; seed is the
 * sender's. Appended to out. PEER_LETTER_INVALID, -ENOMEM, BUFFER_FULL. */
int peer_letter_seal(const struct pair *pair, struct walltime written, struct bytes text,
                     const uint8_t seed[PEER_LETTER_SEED_BYTES],
                     const uint8_t entropy[PEER_LETTER_ENTROPY_BYTES], struct buffer *out);

/* Opens one that came for the device of that seed. The opened text is kept in plain, which is
 * emptied first; ret->text lies there. PEER_LETTER_WRONG, -ENOMEM, BUFFER_FULL. */
int peer_letter_open(struct bytes sealed, struct bytes own_name,
                     const uint8_t seed[PEER_LETTER_SEED_BYTES], struct buffer *plain,
                     struct peer_letter *ret);

#endif
