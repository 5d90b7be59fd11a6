#ifndef KITH_IO_SECRET_STREAM_H
#define KITH_IO_SECRET_STREAM_H

/* Bytes to and from another device, encrypted with a key that both have (tls/psk.h), for a
 * process that may wait: over a connected TCP socket, which it owns.
 *
 *   zeroed -> OPEN -> ended     error says how; every call returns that from then on
 *
 * What is said at one end comes out at the other, in order, all of it or an end that is no
 * proper one. Each way is ended by itself, by secret_stream_end; whoever wants to know that all
 * has arrived says so, and reads until the other side has ended its way, too.
 *
 * The key of what is written is renewed every LIMIT_PEER_RENEW_BYTES (RFC 8446, section 4.6.3).
 * A machine that is gone without a word ends it after about LIMIT_GONE_MS (io/keepalive.h); one
 * that is there and silent does not. No signal is raised, whatever becomes of the socket.
 *
 * One thread at a time, but for secret_stream_stop. Functions return 0; -errno, among them
 * -ECANCELED once it is stopped and -ECONNRESET where the connection ended before the other
 * side had said so: somebody may have cut it off; or one of the below. */

#include "peer/preamble.h"
#include "tls/psk.h"
#include "wire/net_address.h"

#include <stdatomic.h>

enum {
    SECRET_STREAM_STRANGER = 1, /* the other end has not this key under this id */
    SECRET_STREAM_BROKEN = 2,   /* what came is not what the other end has sent */
};

/* Zeroed before secret_stream_open. */
struct secret_stream {
    int fd;
    struct psk psk; /* until both ends have agreed */
    SSL_CTX *context;
    SSL *ssl;
    BIO_METHOD *method;
    int error;  /* what ended it; 0: nothing yet */
    bool waits; /* reading waits until something comes */
    bool more;  /* what is sent may wait for what follows at once */
    uint64_t
        renew_bytes;  /* written with one key: LIMIT_PEER_RENEW_BYTES, or less to be tested */
    uint64_t written; /* with the present one */
    atomic_bool has_fd, stopped;
};

/* Connects to a device, for a transfer it expects, and says so: the preamble. -errno;
 * -ETIMEDOUT past that time. The socket is the caller's, and blocks. */
int secret_stream_dial(const struct net_address *to, uint16_t port, const struct preamble *p,
                       uint64_t timeout_ms, int *ret_fd);

/* Takes fd, a socket that blocks, whatever becomes of it, and agrees with the other end, which
 * has LIMIT_HANDSHAKE_MS for that. answers: the other end has dialed. STRANGER; -ETIMEDOUT,
 * -ENOMEM. Where it does not return 0 it is closed. */
int secret_stream_open(struct secret_stream *s, int fd, const struct random_id *id,
                       const uint8_t key[PSK_KEY_BYTES], bool answers);

/* Returns when all of data is with the kernel. Much at once costs less. BROKEN. */
int secret_stream_write(struct secret_stream *s, struct bytes data);

/* Waits for a byte at least, and takes what is there of one record, 16 KiB at most; room: not
 * 0. *ret_n is 0 where the other side has ended its way. BROKEN. */
int secret_stream_read(struct secret_stream *s, uint8_t *into, size_t room, size_t *ret_n);

/* Would secret_stream_read return at once? */
bool secret_stream_has_input(struct secret_stream *s);

/* Says that nothing more will be written; reading goes on. BROKEN. */
int secret_stream_end(struct secret_stream *s);

/* Whoever waits in one of the above returns, and so does every later call: -ECANCELED. From any
 * thread or signal handler, from before secret_stream_open until secret_stream_close is called.
 * The other side sees an end that is no proper one. */
void secret_stream_stop(struct secret_stream *s);

/* Nothing where it is zeroed or closed. What the other side has sent and nobody has read makes
 * the kernel throw away what is still on its way there. */
void secret_stream_close(struct secret_stream *s);

#endif
