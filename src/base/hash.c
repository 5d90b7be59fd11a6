#include "base/hash.h"

#include <xxhash.h>

uint64_t hash_bytes(struct bytes b, uint64_t seed)
{
    return XXH3_64bits_withSeed(b.data, b.len, seed);
}
