#ifndef KITH_TLS_IDENTITY_H
#define KITH_TLS_IDENTITY_H

/* A key of one's own, and the certificate that shows it to others in TLS: an Ed25519 key and a
 * self-signed certificate of it, which is the same each time it is made of the same key and
 * names. It is valid for ever: whoever knows the fingerprint needs no dates. */

#include "base/buffer.h"
#include "base/fingerprint.h"

enum { IDENTITY_SEED_BYTES = 32, IDENTITY_NAMES = 16 };

struct identity;

/* Makes the identity that a secret seed stands for, RFC 8032's private key. names are host
 * names and addresses a client may know it by, at most IDENTITY_NAMES, for clients that look
 * at such things; what is neither is passed over. -ENOMEM. identity_free takes NULL. */
int identity_new(struct identity **ret, const uint8_t seed[IDENTITY_SEED_BYTES],
                 const char *const *names, size_t name_count);
void identity_free(struct identity *i);

const struct public_key *identity_key(const struct identity *i);
const struct fingerprint *identity_fingerprint(const struct identity *i);

/* The certificate as PEM, for clients that want a file of it. -ENOMEM, BUFFER_FULL. */
int identity_certificate(const struct identity *i, struct buffer *out);

#endif
