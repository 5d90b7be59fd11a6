#ifndef KITH_TLS_IDENTITY_OPENSSL_H
#define KITH_TLS_IDENTITY_OPENSSL_H

/* An identity as OpenSSL has it; for this floor alone. */

#include "tls/identity.h"

#include <openssl/x509.h>

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    struct public_key public_key;
    struct fingerprint fingerprint;
};

#endif
