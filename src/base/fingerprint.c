#include "base/fingerprint.h"

#include <sodium.h>
#include <string.h>

/* SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes } */
static const uint8_t spki_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

struct fingerprint fingerprint_of(const struct public_key *key)
{
    uint8_t spki[sizeof spki_head + PUBLIC_KEY_BYTES];
    memcpy(spki, spki_head, sizeof spki_head);
    memcpy(spki + sizeof spki_head, key->bytes, PUBLIC_KEY_BYTES);
    struct fingerprint f;
    crypto_hash_sha256(f.bytes, spki, sizeof spki);
    return f;
}

bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return memcmp(a->bytes, b->bytes, FINGERPRINT_BYTES) == 0;
}

void fingerprint_write(char out[FINGERPRINT_TEXT_LEN + 1], const struct fingerprint *f)
{
    base64url_write(out, f->bytes, FINGERPRINT_BYTES);
}

bool fingerprint_read(struct bytes text, struct fingerprint *ret)
{
    return base64url_read(text, ret->bytes, FINGERPRINT_BYTES);
}

void public_key_write(char out[PUBLIC_KEY_TEXT_LEN + 1], const struct public_key *key)
{
    base64url_write(out, key->bytes, PUBLIC_KEY_BYTES);
}

bool public_key_read(struct bytes text, struct public_key *ret)
{
    return base64url_read(text, ret->bytes, PUBLIC_KEY_BYTES);
}
