#include "io/dial.h"

#include "base/limits.h"
#include "io/clock.h"
#include "io/keepalive.h"
#include "io/lookup.h"
#include "io/problem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* How much may lie unread before the socket is left alone. */
#define DIAL_UNREAD_BYTES LIMIT_MIB

/* Decrypted at once, at most: what was read, and a record that was not whole before. */
#define DIAL_PLAIN_BYTES (4 * LIMIT_READ_BYTES)

/* So long a connection may be idle until the other end is asked whether it is still there. */

struct dial {
    int fd; /* -1: no connection */
    struct buffer in;
    size_t taken;    /* bytes of in handed out by the last dial_receive */
    int end;         /* 0; DIAL_END, DIAL_BROKEN or -errno once nothing more will come */
    struct tls *tls; /* NULL: plaintext */
    struct buffer raw_in, raw_out; /* encrypted: just come, to be sent */
};

int dial_new(struct dial **ret)
{
    struct dial *d = calloc(1, sizeof *d);
    if (!d)
        return -ENOMEM;
    d->fd = -1;
    buffer_init(&d->in, DIAL_UNREAD_BYTES + DIAL_PLAIN_BYTES);
    buffer_init(&d->raw_in, LIMIT_READ_BYTES);
    buffer_init(&d->raw_out, LIMIT_MIB);
    *ret = d;
    return 0;
}

void dial_free(struct dial *d)
{
    if (!d)
        return;
    if (d->fd >= 0)
        close(d->fd);
    tls_free(d->tls);
    buffer_fini(&d->in);
    buffer_fini(&d->raw_in);
    buffer_fini(&d->raw_out);
    free(d);
}

int dial_descriptor(const struct dial *d)
{
    return d->fd;
}

int dial_release(struct dial *d, int *ret_fd)
{
    assert(d->fd >= 0 && !d->tls);
    int flags = fcntl(d->fd, F_GETFL);
    if (flags < 0 || fcntl(d->fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
        return -errno;
    *ret_fd = d->fd;
    d->fd = -1;
    return 0;
}

/* ---- waiting ---- */

static struct instant after(uint64_t timeout_ms)
{
    return timeout_ms == DIAL_FOREVER ? INSTANT_NEVER
                                      : instant_after_ms(clock_instant(), timeout_ms);
}

/* As poll takes it, rounded up. */
static int left_ms(struct instant deadline)
{
    if (deadline.ns == INSTANT_NEVER.ns)
        return -1;
    struct instant now = clock_instant();
    uint64_t left = now.ns < deadline.ns ? (deadline.ns - now.ns + 999999) / 1000000 : 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

/* What of the events has come; 0 at the deadline. */
static int wait_for(int fd, short events, struct instant deadline)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int ms = left_ms(deadline);
        int n = poll(&p, 1, ms);
        if (n > 0)
            return p.revents;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0 && ms < INT_MAX)
            return 0;
    }
}

/* ---- connecting ---- */

static int connect_within(int fd, const struct addrinfo *a, struct instant deadline)
{
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS && errno != EINTR)
        return -errno;
    int r = wait_for(fd, POLLOUT, deadline);
    if (r <= 0)
        return r < 0 ? r : -ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

static void tune(int fd)
{
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    keepalive_begin(fd);
}

static int connect_address(struct dial *d, const struct addrinfo *a, struct instant deadline)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = connect_within(fd, a, deadline);
    if (r < 0) {
        close(fd);
        return r;
    }
    tune(fd);
    d->fd = fd;
    return 0;
}

/* Each address gets an equal share of the time left, so that one that swallows everything
 * does not hide the next. */
static int connect_any(struct dial *d, const struct addrinfo *list, struct instant deadline)
{
    uint64_t count = 0;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        count++;
    int first = 0;
    for (const struct addrinfo *a = list; a; a = a->ai_next, count--) {
        int ms = left_ms(deadline);
        int r = connect_address(d, a, ms < 0 ? deadline : after((uint64_t)ms / count));
        if (r == 0)
            return 0;
        first = first ? first : r;
    }
    return first ? first : -EADDRNOTAVAIL;
}

int dial_open_tcp(struct dial *d, const char *host, uint16_t port, uint64_t timeout_ms)
{
    assert(d->fd < 0);
    struct instant deadline = after(timeout_ms);
    struct addrinfo *list;
    int r = lookup_host(host, port, deadline, &list);
    if (r < 0)
        return r;
    r = connect_any(d, list, deadline);
    freeaddrinfo(list);
    return r;
}

/* Connecting to a Unix socket waits only while the hub's queue is full, which no poll tells:
 * the kernel waits, for as long as a send may take. */
static int connect_unix(int fd, const struct sockaddr_un *address, struct instant deadline)
{
    for (;;) {
        int ms = left_ms(deadline);
        struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
        if (ms == 0)
            wait.tv_usec = 1; /* 0 would be for ever */
        if (ms >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) < 0)
            return -errno;
        if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
            return 0;
        if (errno != EINTR)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
    }
}

int dial_open_unix(struct dial *d, const char *path, uint64_t timeout_ms)
{
    assert(d->fd < 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = connect_unix(fd, &address, after(timeout_ms));
    if (r == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        r = -errno;
    if (r < 0)
        close(fd);
    else
        d->fd = fd;
    return r;
}

/* ---- receiving and sending ---- */

static bool can_read(const struct dial *d)
{
    return d->end == 0 && buffer_len(&d->in) < DIAL_UNREAD_BYTES;
}

static void decrypt(struct dial *d)
{
    int r = tls_feed(d->tls, buffer_view(&d->raw_in), &d->in, &d->raw_out);
    buffer_truncate(&d->raw_in, 0);
    if (r != 0)
        d->end = r < 0 ? r : DIAL_BROKEN;
    else if (tls_state(d->tls) == TLS_OVER)
        d->end = DIAL_END;
}

/* Takes what is there; d->end says when there is no more to come. */
static int read_some(struct dial *d)
{
    ssize_t n = LIMIT_READ_BYTES;
    struct buffer *to = d->tls ? &d->raw_in : &d->in;
    while (n == LIMIT_READ_BYTES && can_read(d)) {
        uint8_t *space;
        if (buffer_reserve(to, LIMIT_READ_BYTES, &space) != 0)
            return -ENOMEM;
        n = recv(d->fd, space, LIMIT_READ_BYTES, 0);
        if (n > 0)
            buffer_wrote(to, (size_t)n);
        else if (n == 0)
            d->end = d->tls ? -ECONNRESET : DIAL_END;
        else if (errno != EAGAIN && errno != EINTR)
            d->end = -errno;
        if (n > 0 && d->tls)
            decrypt(d);
    }
    return 0;
}

/* Waits until more can be sent, and takes what arrives meanwhile. */
static int wait_to_send(struct dial *d, struct instant deadline)
{
    short events = can_read(d) ? POLLIN | POLLOUT : POLLOUT;
    int r = wait_for(d->fd, events, deadline);
    if (r <= 0)
        return r < 0 ? r : -ETIMEDOUT;
    return r & POLLIN ? read_some(d) : 0;
}

static int send_raw(struct dial *d, struct bytes data, uint64_t timeout_ms)
{
    struct instant deadline = after(timeout_ms);
    int r = 0;
    while (r == 0 && data.len > 0) {
        ssize_t n = send(d->fd, data.data, data.len, MSG_NOSIGNAL);
        if (n >= 0) {
            data = bytes_from(data, (size_t)n);
            deadline = after(timeout_ms);
        } else if (errno == EAGAIN) {
            r = wait_to_send(d, deadline);
        } else if (errno != EINTR) {
            r = -errno;
        }
    }
    return r;
}

static int send_encrypted(struct dial *d, uint64_t timeout_ms)
{
    int r = send_raw(d, buffer_view(&d->raw_out), timeout_ms);
    buffer_truncate(&d->raw_out, 0);
    return r;
}

int dial_send(struct dial *d, struct bytes data, uint64_t timeout_ms)
{
    enum { PIECE_BYTES = 64 * 1024 };
    if (!d->tls)
        return send_raw(d, data, timeout_ms);
    int r = 0;
    while (r == 0 && data.len > 0) {
        size_t n = data.len < PIECE_BYTES ? data.len : PIECE_BYTES;
        r = tls_write(d->tls, bytes_first(data, n), &d->raw_out);
        if (r > 0)
            r = DIAL_BROKEN;
        if (r == 0)
            r = send_encrypted(d, timeout_ms);
        data = bytes_from(data, n);
    }
    return r;
}

/* ---- TLS ---- */

static int shake_hands(struct dial *d, uint64_t timeout_ms)
{
    struct instant deadline = after(timeout_ms);
    int r = tls_begin(d->tls, &d->raw_out);
    while (r == 0 && tls_state(d->tls) == TLS_HANDSHAKE && d->end == 0) {
        r = send_encrypted(d, timeout_ms);
        if (r < 0)
            return r;
        r = wait_for(d->fd, POLLIN, deadline);
        if (r <= 0)
            return r < 0 ? r : -ETIMEDOUT;
        r = read_some(d);
    }
    if (r == 0 && buffer_len(&d->raw_out) > 0)
        r = send_encrypted(d, timeout_ms);
    if (tls_state(d->tls) == TLS_FAILED)
        return DIAL_BROKEN;
    return r != 0 || tls_state(d->tls) != TLS_HANDSHAKE ? r : d->end;
}

int dial_secure(struct dial *d, const struct tls_config *config, uint64_t timeout_ms)
{
    assert(d->fd >= 0 && !d->tls && buffer_len(&d->in) == 0);
    int r = tls_new(&d->tls, config);
    return r == 0 ? shake_hands(d, timeout_ms) : r;
}

const struct tls *dial_tls(const struct dial *d)
{
    return d->tls;
}

const char *dial_tls_problem(const struct dial *d)
{
    return tls_problem(d->tls);
}

int dial_finish(struct dial *d)
{
    if (d->tls && tls_close(d->tls, &d->raw_out) == 0)
        send_encrypted(d, 0);
    return shutdown(d->fd, SHUT_WR) < 0 ? -errno : 0;
}

int dial_receive(struct dial *d, uint64_t timeout_ms, struct bytes *ret)
{
    struct instant deadline = after(timeout_ms);
    buffer_consume(&d->in, d->taken);
    d->taken = 0;
    while (buffer_len(&d->in) == 0 && d->end == 0) {
        int r = wait_for(d->fd, POLLIN, deadline);
        if (r == 0)
            return DIAL_TIMEOUT;
        r = r > 0 ? read_some(d) : r;
        if (r < 0)
            return r;
    }
    if (buffer_len(&d->in) == 0)
        return d->end;
    *ret = buffer_view(&d->in);
    d->taken = ret->len;
    return 0;
}

const char *dial_problem(int error)
{
    switch (error) {
    case LOOKUP_NO_HOST:
        return "no such host";
    case LOOKUP_FAILED:
        return "the name could not be looked up";
    case DIAL_BROKEN:
        return "what it says over TLS cannot be understood";
    case -ENOENT:
        return "there is no such socket";
    case -ETIMEDOUT:
        return "no answer in time";
    case -ECONNREFUSED:
        return "connection refused";
    case -ECONNRESET:
    case -EPIPE:
        return "the other end closed it";
    default:
        return problem_text(error);
    }
}
