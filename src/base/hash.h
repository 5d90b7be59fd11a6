#ifndef KITH_BASE_HASH_H
#define KITH_BASE_HASH_H

/* XXH3-64 with a seed. With a seed per process it places keys in tables; with a stored seed
 * it is the checksum of what lies on disk. It guards against accident, not against forgers
 * who know the seed. */

#include "base/bytes.h"

uint64_t hash_bytes(struct bytes b, uint64_t seed);

/* The same hash, compiled in, without a call into the library: for keys. What that has for each
 * processor, for much more than a key, is not there. */
uint64_t hash_short(struct bytes b, uint64_t seed);

/* The hash of what the pieces are, one after the other. -ENOMEM. */
int hash_pieces(const struct bytes *pieces, size_t n, uint64_t seed, uint64_t *ret);

#endif
