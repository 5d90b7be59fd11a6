#include "base/sum.h"

#include <xxhash.h>

void sum_bytes(struct bytes b, uint64_t seed, uint8_t ret[SUM_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(b.data, b.len, seed));
    memcpy(ret, canonical.digest, SUM_BYTES);
}
