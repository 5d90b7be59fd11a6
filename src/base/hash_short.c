#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_short(struct bytes b, uint64_t seed)
{
    return XXH3_64bits_withSeed(b.data, b.len, seed);
}
