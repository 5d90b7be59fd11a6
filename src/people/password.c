#include "people/password.h"

#include "base/limits.h"

#include <errno.h>
#include <sodium.h>

const struct password_cost password_cost_default = {
    crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
    crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE / 1024,
};

const struct password_cost password_cost_least = {
    crypto_pwhash_argon2id_OPSLIMIT_MIN,
    crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024,
};

bool password_is_acceptable(struct bytes text)
{
    return text.len >= LIMIT_PASSWORD_BYTES_MIN && text.len <= LIMIT_PASSWORD_BYTES;
}

bool password_cost_is_valid(const struct password_cost *cost)
{
    return cost->passes >= password_cost_least.passes &&
           cost->passes <= LIMIT_PASSWORD_PASSES &&
           cost->memory_kib >= password_cost_least.memory_kib &&
           cost->memory_kib <= LIMIT_PASSWORD_MEMORY_KIB;
}

static int hash(const struct password *p, struct bytes text, uint8_t ret[PASSWORD_HASH_BYTES])
{
    assert(password_cost_is_valid(&p->cost));
    return crypto_pwhash_argon2id(ret, PASSWORD_HASH_BYTES,
                                  text.len ? (const char *)text.data : "", text.len, p->salt,
                                  p->cost.passes, (size_t)p->cost.memory_kib * 1024,
                                  crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0
               ? 0
               : -ENOMEM;
}

int password_make(struct password *p, struct bytes text)
{
    return hash(p, text, p->hash);
}

int password_check(const struct password *p, struct bytes text, bool *ret_right)
{
    uint8_t again[PASSWORD_HASH_BYTES];
    int r = hash(p, text, again);
    if (r == 0)
        *ret_right = sodium_memcmp(again, p->hash, sizeof again) == 0;
    sodium_memzero(again, sizeof again);
    return r;
}
