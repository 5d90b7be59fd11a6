#ifndef KITH_IO_CHANNEL_H
#define KITH_IO_CHANNEL_H

/* A connection on a libuv loop, made from here or one that has come. To make one, a
 * host's addresses are looked up and tried in turn, or a Unix socket is; where a config for TLS
 * is given, both ends agree on that; then bytes go out and come in. Nothing waits.
 *
 *   DIALING -> OPEN -> CLOSING -> closed     DIALING, too, is one that was taken
 *
 * LIMIT_CONNECT_MS is the time for all up to OPEN. What is written is kept until the other end
 * takes it, at most LIMIT_CHANNEL_BYTES beyond one channel_write: who writes more asks
 * channel_is_full first, and goes on at handler.room. Where the other end makes TLS itself say
 * something while so much waits, it is closed.
 *
 * The owner embeds the channel and leaves it alone until handler.closed, which always comes,
 * last, and never from within a call of the owner's. Then it may be dialed again. */

#include "base/buffer.h"
#include "io/address.h"
#include "tls/tls.h"

#include <uv.h>

struct channel;

struct channel_handler {
    /* OPEN. Over TLS: channel_tls has the other end's key, and nothing was sent yet. */
    void (*open)(struct channel *c);
    void (*read)(struct channel *c, struct bytes in);
    void (*room)(struct channel *c);
    /* why: NULL where channel_close was called; else in words. */
    void (*closed)(struct channel *c, const char *why);
};

enum channel_state { CHANNEL_CLOSED, CHANNEL_DIALING, CHANNEL_OPEN, CHANNEL_CLOSING };

struct channel {
    const struct channel_handler *handler;
    enum channel_state state;
    uv_loop_t *loop;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct addrinfo *addresses, *next; /* all; the next to be tried */
    bool looking;                      /* a lookup is under way */
    bool has_handle;                   /* uv is open */
    bool has_timer;
    bool answers; /* the other end has made it */
    bool writing; /* flight is on its way */
    const struct tls_config *config;
    struct tls *tls;           /* NULL: none */
    struct buffer plain;       /* decrypted, while it is handed on */
    struct buffer out, flight; /* to be written; being written */
    int error;                 /* CLOSING: libuv's, where one ended it; else 0 */
    char why[200];             /* it was closed; empty: it was meant */
    uint8_t in[16 * 1024];
};

/* Begins. config NULL: no TLS; else it must outlive the channel. -errno where it cannot even
 * begin: closed does not follow then. */
int channel_dial_tcp(struct channel *c, uv_loop_t *loop, const char *host, uint16_t port,
                     const struct tls_config *config, const struct channel_handler *handler);
int channel_dial_unix(struct channel *c, uv_loop_t *loop, const char *path,
                      const struct channel_handler *handler);

/* Takes fd, a connection that has come, whatever becomes of it; of handshakes the answering
 * side. */
int channel_take(struct channel *c, uv_loop_t *loop, int fd, const struct tls_config *config,
                 const struct channel_handler *handler);

/* Where the other end is, or this one; false where that cannot be told, as of a Unix socket. */
bool channel_other_end(const struct channel *c, struct address *ret);
bool channel_own_end(const struct channel *c, struct address *ret);

/* OPEN only; elsewhere nothing. What cannot be sent ends it. */
void channel_write(struct channel *c, struct bytes data);

bool channel_is_full(const struct channel *c);

/* NULL: plaintext. */
static inline struct tls *channel_tls(const struct channel *c)
{
    return c->tls;
}

/* Closes: what was written still leaves, for a second at most. */
void channel_close(struct channel *c);

#endif
