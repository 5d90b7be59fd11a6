#ifndef KITH_MEET_POSTBAG_H
#define KITH_MEET_POSTBAG_H

/* What letters need of this machine (client/post.h): the device's key, entropy, whose devices
 * are known, and the profile's file letters_seen, which one kith at a time uses. */

#include "client/post.h"
#include "io/profile.h"
#include "meet/chronicle.h"

struct postbag {
    const struct self *self;
    struct profile profile;
    int lock;                    /* of letters_seen; -1: not held */
    struct trouble why;          /* of the last device that could not be judged */
    struct chronicle *chronicle; /* the owner's, where letters are to be kept; NULL: nowhere */
};

/* The bag is post_keep's ctx. */
extern const struct post_keep postbag_keep;

/* postbag_close follows in any case; it is safe on zeroed memory. The key goes to seed, and new
 * random bytes to entropy, which are the caller's to wipe. */
enum trouble_kind postbag_open(struct postbag *b, const struct self *self,
                               uint8_t seed[PEER_LETTER_SEED_BYTES],
                               uint8_t entropy[CHANCE_SEED_BYTES], struct trouble *ret);
void postbag_close(struct postbag *b);

#endif
