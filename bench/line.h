#ifndef KITH_BENCH_LINE_H
#define KITH_BENCH_LINE_H

/* One TLS connection of a load program, over a socket that does not block. What fails ends the
 * program, with a message; only the other end's closing is told, by line.is_over.
 *
 * Whoever waits polls for line_wants, then calls line_move. */

#include "tls/tls.h"

#include <poll.h>

struct line {
    int fd;
    struct tls *tls;
    struct buffer plain; /* heard; the owner consumes it */
    struct buffer out;   /* encrypted, not left */
    bool is_over;
};

/* The config of the nth member of device.h in that role; it is not freed. n LINE_NOBODY:
 * without a certificate. */
enum { LINE_NOBODY = -1 };
struct tls_config *line_config(enum tls_role role, int64_t n, const char *const *protocols);

/* Listens at a port of its own of 127.0.0.1, without blocking. */
int line_listen(uint16_t *ret_port);

/* Dials 127.0.0.1, without waiting for anything. */
void line_dial(struct line *l, uint16_t port, const struct tls_config *config);

/* Takes over a socket that was accepted, and makes it one that does not block. */
void line_take(struct line *l, int fd, const struct tls_config *config);

/* Safe on a zeroed one, which it becomes. */
void line_close(struct line *l);

/* POLLIN, and POLLOUT where something is to leave. */
short line_wants(const struct line *l);

/* Sends what leaves at once, and hears once what has come. An idle line owns no buffers but the
 * plain bytes that its owner left there. */
void line_move(struct line *l);

/* Encrypts it; it leaves with line_send or line_move. */
void line_say(struct line *l, struct bytes plain);

/* Sends what leaves at once, and no more. */
void line_send(struct line *l);

#endif
