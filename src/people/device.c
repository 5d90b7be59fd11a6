#include "people/device.h"

#include "base/clean.h"
#include "base/limits.h"

#include <sodium.h>

static const char domain[] = "kith device 1"; /* its NUL is signed, too */

enum {
    MESSAGE_BYTES = sizeof domain + ACCOUNT_NAME_BYTES + 1 + PUBLIC_KEY_BYTES + PUBLIC_KEY_BYTES
};

bool device_label_is_valid(struct bytes label)
{
    return label.len <= DEVICE_LABEL_BYTES && clean_is_clean(label);
}

static size_t write_message(uint8_t out[MESSAGE_BYTES], struct bytes account,
                            const uint8_t signer[PUBLIC_KEY_BYTES],
                            const struct public_key *key)
{
    char folded[ACCOUNT_NAME_BYTES + 1];
    size_t n = sizeof domain;
    account_name_fold(account, folded);
    memcpy(out, domain, sizeof domain);
    memcpy(out + n, folded, account.len + 1);
    n += account.len + 1;
    memcpy(out + n, signer, PUBLIC_KEY_BYTES);
    n += PUBLIC_KEY_BYTES;
    memcpy(out + n, key->bytes, PUBLIC_KEY_BYTES);
    return n + PUBLIC_KEY_BYTES;
}

struct signature device_sign(struct bytes account, const uint8_t seed[DEVICE_SEED_BYTES],
                             const struct public_key *key)
{
    uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    uint8_t message[MESSAGE_BYTES];
    struct signature s;
    crypto_sign_seed_keypair(public, secret, seed);
    size_t n = write_message(message, account, public, key);
    crypto_sign_detached(s.bytes, NULL, message, n, secret);
    sodium_memzero(secret, sizeof secret);
    return s;
}

bool device_has_word(const struct device *d)
{
    struct fingerprint own = fingerprint_of(&d->key);
    return d->is_signed && !fingerprint_equal(&own, &d->signer);
}

bool device_is_vouched_for(struct bytes account, const struct public_key *signer,
                           const struct public_key *key, const struct signature *signature)
{
    uint8_t message[MESSAGE_BYTES];
    size_t n = write_message(message, account, signer->bytes, key);
    return crypto_sign_verify_detached(signature->bytes, message, n, signer->bytes) == 0;
}

/* The device with that fingerprint; n where there is none. */
static size_t find(const struct device *devices, size_t n, const struct fingerprint *f)
{
    for (size_t i = 0; i < n; i++) {
        struct fingerprint own = fingerprint_of(&devices[i].key);
        if (fingerprint_equal(&own, f))
            return i;
    }
    return n;
}

/* Follows signers from the device towards the known one; no chain is longer than the list. */
bool device_is_believed(struct bytes account, const struct device *devices, size_t n,
                        const struct fingerprint *known, const struct public_key *key)
{
    struct fingerprint f = fingerprint_of(key);
    size_t at = find(devices, n, &f);
    for (size_t steps = 0; at < n && steps < n; steps++) {
        f = fingerprint_of(&devices[at].key);
        if (fingerprint_equal(&f, known))
            return true;
        if (!devices[at].is_signed)
            return false;
        size_t signer = find(devices, n, &devices[at].signer);
        if (signer == n || !device_is_vouched_for(account, &devices[signer].key,
                                                  &devices[at].key, &devices[at].signature))
            return false;
        at = signer;
    }
    return false;
}
