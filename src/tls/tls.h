#ifndef KITH_TLS_TLS_H
#define KITH_TLS_TLS_H

/* TLS 1.3 (RFC 8446) as a machine: bytes in, bytes out. OpenSSL does the work, over a BIO of
 * ours that reads from what is fed and writes where the caller says, so that an idle connection
 * holds no buffers but a broken-off record.
 *
 * The other end shows one certificate, of an Ed25519 key, or none where it is a client and the
 * config allows that; anything else ends the handshake. Whether that key is the right one is
 * for the caller to judge, by tls_peer, before it says or believes anything. No tickets, no
 * renegotiation, no early data.
 *
 * States: HANDSHAKE -> OPEN -> OVER     the other end will send no more
 *         any       -> FAILED           final; tls_problem says why
 *
 * Functions return 0, TLS_BROKEN (FAILED now; what is in `out` should still be sent), -ENOMEM
 * (FAILED, too), or BUFFER_FULL (likewise) where a buffer's ceiling is reached. */

#include "base/buffer.h"
#include "tls/identity.h"

enum { TLS_BROKEN = 2 };

enum tls_state { TLS_HANDSHAKE, TLS_OPEN, TLS_OVER, TLS_FAILED };

enum tls_role {
    TLS_HUB,          /* a server; clients need no certificate, and none of the protocols */
    TLS_CLIENT,       /* of a hub */
    TLS_PEER_ANSWERS, /* a server; the client must show a certificate and speak a protocol */
    TLS_PEER_DIALS,
};

/* What many connections share. It may be used by several threads. */
struct tls_config;

/* protocols: names for ALPN (RFC 7301), in order of preference, ended by NULL; a client offers
 * them, a server takes the first of them that is offered, and refuses who offers others only.
 * The identity and the names must outlive the config; own NULL: a client without one. -ENOMEM.
 * tls_config_free takes NULL. */
int tls_config_new(struct tls_config **ret, enum tls_role role, const struct identity *own,
                   const char *const *protocols);
void tls_config_free(struct tls_config *c);

struct tls;

/* The config must outlive it. -ENOMEM. tls_free takes NULL. */
int tls_new(struct tls **ret, const struct tls_config *c);
void tls_free(struct tls *t);

/* A client's first word: appended to out. */
int tls_begin(struct tls *t, struct buffer *out);

/* Takes all of in; what was said is appended to plain, what must be sent to out. */
int tls_feed(struct tls *t, struct bytes in, struct buffer *plain, struct buffer *out);

/* Encrypts all of plain; OPEN or OVER only. */
int tls_write(struct tls *t, struct bytes plain, struct buffer *out);

/* Says that nothing more will be sent. */
int tls_close(struct tls *t, struct buffer *out);

enum tls_state tls_state(const struct tls *t);

/* OPEN or OVER: something may be said. */
static inline bool tls_is_open(const struct tls *t)
{
    return tls_state(t) == TLS_OPEN || tls_state(t) == TLS_OVER;
}

/* Why it FAILED; static or the tls's own. */
const char *tls_problem(const struct tls *t);

/* The other end's key, once OPEN; NULL where it showed none. */
const struct public_key *tls_peer(const struct tls *t);

/* The protocol agreed on, once OPEN; NULL: none. */
const char *tls_protocol(const struct tls *t);

/* Bytes that only the two ends of this connection know (RFC 8446, section 7.5); once OPEN. */
int tls_export(struct tls *t, const char *label, uint8_t *to, size_t n);

#endif
