#ifndef KITH_TLS_PSK_H
#define KITH_TLS_PSK_H

/* A key that both ends of one connection have, in place of certificates (RFC 8446, section
 * 4.2.9): 32 secret bytes, made for this connection and said over another one that is safe, and
 * the 16 bytes that name them, which are no secret.
 *
 * TLS 1.3 and TLS_AES_128_GCM_SHA256 alone, always with a fresh key exchange (psk_dhe_ke), so
 * that whoever learns the key later reads nothing. No certificates: who answers has none, and
 * who dials believes none. No tickets, no early data. An end that has another key, or names
 * another, ends the handshake, as does who has none. */

#include "base/random_id.h"

#include <openssl/ssl.h>

enum { PSK_KEY_BYTES = 32 };

struct psk {
    struct random_id id;
    uint8_t key[PSK_KEY_BYTES];
};

/* A context for connections with that key; which must outlive their handshakes. answers: as the
 * server. -ENOMEM. */
int psk_context(SSL_CTX **ret, struct psk *p, bool answers);

/* Overwrites the key. */
void psk_wipe(struct psk *p);

#endif
