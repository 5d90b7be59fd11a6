#ifndef KITH_PEER_PAIR_H
#define KITH_PEER_PAIR_H

/* Two devices that were introduced, as one of them sees it: under which id, who oneself is, who
 * the other is. What is proven, shown as words, or talked about is always of one pair.
 *
 * Names are as the hub gave them, 1 to PAIR_NAME_BYTES; they are kept in lower case, so that
 * both sides mean the same bytes however a name was typed. */

#include "base/fingerprint.h"
#include "base/random_id.h"

enum { PAIR_NAME_BYTES = 32 };

enum { PAIR_INVALID = 1 }; /* a name of the wrong length, or both with one key */

struct pair_side {
    char name[PAIR_NAME_BYTES + 1];
    struct public_key key;
};

struct pair {
    struct random_id id;
    struct pair_side own, other;
};

int pair_init(struct pair *p, const struct random_id *id, struct bytes own_name,
              const struct public_key *own_key, struct bytes other_name,
              const struct public_key *other_key);

/* The side with the smaller key, byte by byte, takes the decisions that one side must take. */
bool pair_is_first(const struct pair *p);

#endif
