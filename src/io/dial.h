#ifndef KITH_IO_DIAL_H
#define KITH_IO_DIAL_H

/* One connection dialed to a hub, for programs that ask and wait: each call waits until what it
 * is for has happened. What arrives while sending is kept, up to 1 MiB. Whoever calls needs no
 * loop and gets no signal: it may be anybody's program.
 *
 * Errors are -errno, or io/lookup.h's for names; dial_problem puts both into words. */

#include "base/buffer.h"
#include "tls/tls.h"

enum {
    DIAL_END = 1,     /* the other side has sent its last byte */
    DIAL_TIMEOUT = 2, /* nothing came for so long */
    DIAL_BROKEN = 3,  /* TLS has failed: dial_tls_problem says why */
};

#define DIAL_FOREVER UINT64_MAX

struct dial;

int dial_new(struct dial **ret);

/* Closes. Takes NULL. */
void dial_free(struct dial *d);

/* Connects, once, to a host (a name, or an IPv4 or IPv6 address) or to a Unix socket. Every
 * address a name has is tried in turn; the time is for all of them. -ETIMEDOUT past it. */
int dial_open_tcp(struct dial *d, const char *host, uint16_t port, uint64_t timeout_ms);
int dial_open_unix(struct dial *d, const char *path, uint64_t timeout_ms);

/* Speaks TLS from now on, as a client; returns when both ends have agreed, and tls_peer of
 * dial_tls may be judged: nothing is to be sent before that. The config must outlive d.
 * DIAL_BROKEN, DIAL_END, -errno; -ETIMEDOUT. */
int dial_secure(struct dial *d, const struct tls_config *config, uint64_t timeout_ms);
const struct tls *dial_tls(const struct dial *d); /* NULL: plaintext */

/* After DIAL_BROKEN. Static, or the dial's. */
const char *dial_tls_problem(const struct dial *d);

/* The connection's descriptor, to wait for input on it elsewhere; negative where there is no
 * connection. */
int dial_descriptor(const struct dial *d);

/* The connection, in plaintext, is the caller's now, as a socket that blocks; what was received
 * already is thrown away. -errno: it is still the dial's. */
int dial_release(struct dial *d, int *ret_fd);

/* Returns when all of data is with the kernel. -ETIMEDOUT where for timeout_ms none of it was
 * taken: part of it is sent. DIAL_BROKEN. */
int dial_send(struct dial *d, struct bytes data, uint64_t timeout_ms);

/* Says that nothing more will be sent; receiving goes on. */
int dial_finish(struct dial *d);

/* What has arrived, at least a byte; it holds until the next call. Over TLS an end that the
 * other side did not announce is -ECONNRESET: somebody may have cut it off. DIAL_BROKEN. */
int dial_receive(struct dial *d, uint64_t timeout_ms, struct bytes *ret);

/* An error in words, for people: "connection refused". */
const char *dial_problem(int error);

#endif
