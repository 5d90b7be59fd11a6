#include "base/hash.h"

#include <errno.h>
#include <xxhash.h>

uint64_t hash_bytes(struct bytes b, uint64_t seed)
{
    return XXH3_64bits_withSeed(b.data, b.len, seed);
}

int hash_pieces(const struct bytes *pieces, size_t n, uint64_t seed, uint64_t *ret)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return -ENOMEM;
    XXH3_64bits_reset_withSeed(state, seed);
    for (size_t i = 0; i < n; i++)
        if (pieces[i].len)
            XXH3_64bits_update(state, pieces[i].data, pieces[i].len);
    *ret = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return 0;
}
