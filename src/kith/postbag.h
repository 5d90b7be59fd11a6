#ifndef KITH_KITH_POSTBAG_H
#define KITH_KITH_POSTBAG_H

/* What letters need of this machine (client/post.h): the device's key, entropy, whose devices
 * are known, and the profile's file letters_seen, which one kith at a time uses. */

#include "client/post.h"
#include "io/profile.h"
#include "kith/session.h"

struct postbag {
    struct session *session;
    struct profile profile;
    int lock; /* of letters_seen; -1: not held */
};

/* The bag is post_keep's ctx. */
extern const struct post_keep postbag_keep;

/* An exit code; what is wrong was said. postbag_close follows in any case; it is safe on
 * zeroed memory. seed and entropy are the caller's to wipe. */
int postbag_open(struct postbag *b, struct session *s, uint8_t seed[PEER_LETTER_SEED_BYTES],
                 uint8_t entropy[CHANCE_SEED_BYTES]);
void postbag_close(struct postbag *b);

#endif
