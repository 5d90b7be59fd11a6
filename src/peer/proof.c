#include "peer/proof.h"

#include <sodium.h>

enum { VERSION = 1 };

static const char domain[] = "kith peer proof 1";

static void add_side(crypto_generichash_state *h, const struct pair_side *side)
{
    struct fingerprint f = fingerprint_of(&side->key);
    crypto_generichash_update(h, (const uint8_t *)side->name, sizeof side->name);
    crypto_generichash_update(h, f.bytes, sizeof f.bytes);
}

static struct proof of(const struct pair *p, enum proof_role own, enum proof_role prover,
                       const uint8_t exporter[PROOF_EXPORTER_BYTES])
{
    struct proof made = {.bytes = {VERSION}};
    uint8_t who = prover == PROOF_DIALS ? 'd' : 'a';
    crypto_generichash_state h;
    crypto_generichash_init(&h, exporter, PROOF_EXPORTER_BYTES, PROOF_BYTES - 1);
    crypto_generichash_update(&h, (const uint8_t *)domain, sizeof domain);
    crypto_generichash_update(&h, p->id.bytes, sizeof p->id.bytes);
    add_side(&h, own == PROOF_DIALS ? &p->own : &p->other);
    add_side(&h, own == PROOF_DIALS ? &p->other : &p->own);
    crypto_generichash_update(&h, &who, 1);
    crypto_generichash_final(&h, made.bytes + 1, PROOF_BYTES - 1);
    sodium_memzero(&h, sizeof h);
    return made;
}

struct proof proof_make(const struct pair *p, enum proof_role own,
                        const uint8_t exporter[PROOF_EXPORTER_BYTES])
{
    return of(p, own, own, exporter);
}

bool proof_check(const struct pair *p, enum proof_role own,
                 const uint8_t exporter[PROOF_EXPORTER_BYTES], struct bytes sent)
{
    struct proof right = of(p, own, own == PROOF_DIALS ? PROOF_ANSWERS : PROOF_DIALS, exporter);
    return sent.len == PROOF_BYTES && sodium_memcmp(sent.data, right.bytes, PROOF_BYTES) == 0;
}
