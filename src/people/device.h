#ifndef KITH_PEOPLE_DEVICE_H
#define KITH_PEOPLE_DEVICE_H

/* A device of an account: a key, and perhaps the word of an older device that it is one. The
 * hub keeps both and is not believed: whoever knows one device of an account believes those
 * that it signed, and those that they signed.
 *
 * What is signed (Ed25519, RFC 8032), so that it can mean nothing else:
 *
 *     "kith device 1" NUL, the account's name folded, NUL, the signer's key, the new key
 */

#include "base/fingerprint.h"
#include "base/time.h"
#include "people/account_name.h"

enum { DEVICE_LABEL_BYTES = 64, SIGNATURE_BYTES = 64, DEVICE_SEED_BYTES = 32 };

struct signature {
    uint8_t bytes[SIGNATURE_BYTES];
};

struct device {
    struct public_key key;
    char label[DEVICE_LABEL_BYTES + 1]; /* clean text; what its owner calls it, may be empty */
    struct walltime since;
    bool is_signed;
    struct fingerprint signer;  /* where it is signed */
    struct signature signature; /* likewise */
};

bool device_label_is_valid(struct bytes label);

/* Is it signed, by another than itself? Its own word is none. */
bool device_has_word(const struct device *d);

/* The word of the device whose secret key the seed is. The account's name is valid. */
struct signature device_sign(struct bytes account, const uint8_t seed[DEVICE_SEED_BYTES],
                             const struct public_key *key);

/* Did the signer say so of that key? */
bool device_is_vouched_for(struct bytes account, const struct public_key *signer,
                           const struct public_key *key, const struct signature *signature);

/* Of the n devices of an account: is the one with that key believed by who believes `known`?
 * Itself, or by a chain of signatures within the list. n is at most LIMIT_ACCOUNT_DEVICES. */
bool device_is_believed(struct bytes account, const struct device *devices, size_t n,
                        const struct fingerprint *known, const struct public_key *key);

#endif
