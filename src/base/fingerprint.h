#ifndef KITH_BASE_FINGERPRINT_H
#define KITH_BASE_FINGERPRINT_H

/* Who somebody is: the SHA-256 of an Ed25519 public key as SubjectPublicKeyInfo (RFC 8410,
 * section 4: 12 bytes that are always the same, then the key's 32). Names and dates of a
 * certificate have no part in it. */

#include "base/bytes.h"

enum {
    PUBLIC_KEY_BYTES = 32,
    FINGERPRINT_BYTES = 32,
    FINGERPRINT_TEXT_LEN = 43, /* base64url without padding (RFC 4648, section 5) */
};

struct public_key {
    uint8_t bytes[PUBLIC_KEY_BYTES];
};

struct fingerprint {
    uint8_t bytes[FINGERPRINT_BYTES];
};

struct fingerprint fingerprint_of(const struct public_key *key);
bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b);

/* As people see it; ends in a NUL. */
void fingerprint_write(char out[FINGERPRINT_TEXT_LEN + 1], const struct fingerprint *f);

/* False where the text is none. */
bool fingerprint_read(struct bytes text, struct fingerprint *ret);

#endif
