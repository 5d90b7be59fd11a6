#ifndef KITH_BASE_CHANCE_H
#define KITH_BASE_CHANCE_H

/* Random bytes for floors that read no entropy: drawn from a secret seed, which is an argument.
 * The key is replaced with each draw, so what was drawn cannot be worked out from what is left.
 * Whoever knows the seed knows all draws: a simulation can be run again. */

#include <stddef.h>
#include <stdint.h>

enum { CHANCE_SEED_BYTES = 32, CHANCE_DRAW_BYTES = 256 };

struct chance {
    uint8_t key[CHANCE_SEED_BYTES];
};

/* Several of one seed, each with a number of its own, draw different bytes. */
void chance_init(struct chance *c, const uint8_t seed[CHANCE_SEED_BYTES], uint64_t number);
void chance_fini(struct chance *c);

/* n is at most CHANCE_DRAW_BYTES. */
void chance_draw(struct chance *c, void *to, size_t n);

#endif
