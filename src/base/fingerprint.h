#ifndef KITH_BASE_FINGERPRINT_H
#define KITH_BASE_FINGERPRINT_H

/* Who somebody is: the SHA-256 of an Ed25519 public key as SubjectPublicKeyInfo (RFC 8410,
 * section 4: 12 bytes that are always the same, then the key's 32). Names and dates of a
 * certificate have no part in it. */

#include "base/base64url.h"

enum {
    PUBLIC_KEY_BYTES = 32,
    PUBLIC_KEY_TEXT_LEN = BASE64URL_LEN(PUBLIC_KEY_BYTES),
    FINGERPRINT_BYTES = 32,
    FINGERPRINT_TEXT_LEN = BASE64URL_LEN(FINGERPRINT_BYTES),
};

struct public_key {
    uint8_t bytes[PUBLIC_KEY_BYTES];
};

struct fingerprint {
    uint8_t bytes[FINGERPRINT_BYTES];
};

struct fingerprint fingerprint_of(const struct public_key *key);
bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b);

/* As people see it, in base64url; ends in a NUL. */
void fingerprint_write(char out[FINGERPRINT_TEXT_LEN + 1], const struct fingerprint *f);
void public_key_write(char out[PUBLIC_KEY_TEXT_LEN + 1], const struct public_key *key);

/* False where the text is none. */
bool fingerprint_read(struct bytes text, struct fingerprint *ret);
bool public_key_read(struct bytes text, struct public_key *ret);

#endif
