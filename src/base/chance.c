#include "base/chance.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

void chance_init(struct chance *c, const uint8_t seed[CHANCE_SEED_BYTES], uint64_t number)
{
    uint8_t told_apart[sizeof number];
    for (size_t i = 0; i < sizeof number; i++)
        told_apart[i] = (uint8_t)(number >> 8 * i);
    crypto_generichash(c->key, sizeof c->key, told_apart, sizeof told_apart, seed,
                       CHANCE_SEED_BYTES);
}

void chance_fini(struct chance *c)
{
    sodium_memzero(c, sizeof *c);
}

void chance_draw(struct chance *c, void *to, size_t n)
{
    uint8_t drawn[CHANCE_SEED_BYTES + CHANCE_DRAW_BYTES];
    assert(n <= CHANCE_DRAW_BYTES);
    randombytes_buf_deterministic(drawn, CHANCE_SEED_BYTES + n, c->key);
    memcpy(c->key, drawn, CHANCE_SEED_BYTES);
    memcpy(to, drawn + CHANCE_SEED_BYTES, n);
    sodium_memzero(drawn, sizeof drawn);
}
