#include "io/secret_stream.h"

#include "base/limits.h"
#include "io/clock.h"
#include "io/dial.h"
#include "io/keepalive.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECORD_BYTES = 16 * 1024,
    READ_AHEAD_BYTES = 64 * 1024, /* taken from the socket at once: several records */
};

/* ---- the BIO: OpenSSL's own raises SIGPIPE, and cannot but wait ---- */

static int bio_read(BIO *b, char *to, size_t n, size_t *ret_read)
{
    struct secret_stream *s = BIO_get_data(b);
    ssize_t got;
    BIO_clear_retry_flags(b);
    do {
        got = recv(s->fd, to, n, s->waits ? 0 : MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        *ret_read = (size_t)got;
        return 1;
    }
    if (got < 0 && errno == EAGAIN)
        BIO_set_retry_read(b);
    else
        s->error = got < 0 ? -errno : -ECONNRESET;
    return 0;
}

static int bio_write(BIO *b, const char *from, size_t n, size_t *ret_written)
{
    struct secret_stream *s = BIO_get_data(b);
    ssize_t sent;
    BIO_clear_retry_flags(b);
    do {
        sent = send(s->fd, from, n, MSG_NOSIGNAL | (s->more ? MSG_MORE : 0));
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        s->error = -errno;
        return 0;
    }
    *ret_written = (size_t)sent;
    return 1;
}

static long bio_control(BIO *b, int command, long number, void *pointer)
{
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "kith");
    if (m && BIO_meth_set_read_ex(m, bio_read) && BIO_meth_set_write_ex(m, bio_write) &&
        BIO_meth_set_ctrl(m, bio_control))
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* ---- how a call ended ---- */

/* 0: a call may be made of OpenSSL. */
static int begin_call(struct secret_stream *s, bool waits)
{
    s->waits = waits;
    ERR_clear_error();
    return s->stopped ? -ECANCELED : s->error;
}

/* What follows from a call of OpenSSL that did not succeed. */
static int judge(struct secret_stream *s)
{
    if (s->stopped)
        s->error = -ECANCELED;
    if (s->error == 0)
        s->error = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE
                       ? -ENOMEM
                       : SECRET_STREAM_BROKEN;
    return s->error;
}

/* ---- begin ---- */

int secret_stream_dial(const struct net_address *to, uint16_t port, const struct preamble *p,
                       uint64_t timeout_ms, int *ret_fd)
{
    char host[NET_ADDRESS_TEXT_BYTES];
    uint8_t said[PREAMBLE_BYTES];
    struct dial *d;
    net_address_write(host, to);
    preamble_write(said, p);
    int r = dial_new(&d);
    if (r != 0)
        return r;
    r = dial_open_tcp(d, host, port, timeout_ms);
    if (r == 0)
        r = dial_send(d, bytes_make(said, sizeof said), timeout_ms);
    if (r == 0)
        r = dial_release(d, ret_fd);
    dial_free(d);
    return r;
}

static void tune(int fd)
{
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    keepalive_begin(fd);
}

static int prepare(struct secret_stream *s, bool answers)
{
    int r = psk_context(&s->context, &s->psk, answers);
    if (r != 0)
        return r;
    SSL_CTX_set_default_read_buffer_len(s->context, READ_AHEAD_BYTES);
    s->method = make_method();
    s->ssl = SSL_new(s->context);
    BIO *b = s->ssl && s->method ? BIO_new(s->method) : NULL;
    if (!b)
        return -ENOMEM;
    BIO_set_data(b, s);
    BIO_set_init(b, 1);
    SSL_set_bio(s->ssl, b, b);
    SSL_set_read_ahead(s->ssl, 1);
    if (answers)
        SSL_set_accept_state(s->ssl);
    else
        SSL_set_connect_state(s->ssl);
    return 0;
}

/* -ETIMEDOUT at the deadline. */
static int wait_for_input(const struct secret_stream *s, struct instant deadline)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    struct instant now = clock_instant();
    if (now.ns >= deadline.ns)
        return -ETIMEDOUT;
    int n = poll(&p, 1, (int)((deadline.ns - now.ns + 999999) / 1000000));
    return n < 0 && errno != EINTR ? -errno : 0;
}

static int shake_hands(struct secret_stream *s)
{
    struct instant deadline = instant_after_ms(clock_instant(), LIMIT_HANDSHAKE_MS);
    for (;;) {
        int r = begin_call(s, false);
        if (r != 0)
            return r;
        r = SSL_do_handshake(s->ssl);
        if (r == 1)
            return 0;
        if (SSL_get_error(s->ssl, r) != SSL_ERROR_WANT_READ) {
            r = judge(s);
            return r == SECRET_STREAM_BROKEN ? SECRET_STREAM_STRANGER : r;
        }
        r = wait_for_input(s, deadline);
        if (r != 0)
            return r;
    }
}

int secret_stream_open(struct secret_stream *s, int fd, const struct random_id *id,
                       const uint8_t key[PSK_KEY_BYTES], bool answers)
{
    s->fd = fd;
    s->renew_bytes = LIMIT_PEER_RENEW_BYTES;
    s->psk.id = *id;
    memcpy(s->psk.key, key, PSK_KEY_BYTES);
    s->has_fd = true;
    tune(fd);
    int r = prepare(s, answers);
    if (r == 0)
        r = shake_hands(s);
    psk_wipe(&s->psk);
    if (r != 0)
        secret_stream_close(s);
    return r;
}

/* ---- writing and reading ---- */

static int renew_key(struct secret_stream *s)
{
    if (SSL_key_update(s->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1)
        return judge(s);
    s->written = 0;
    return 0;
}

/* Without TCP_NODELAY what is said last would wait; with it alone each record would leave in
 * packets of its own, which costs a fifth of the throughput. So the last record sends all. */
static size_t but_for_the_end(size_t len)
{
    return len > RECORD_BYTES ? len - RECORD_BYTES : len;
}

int secret_stream_write(struct secret_stream *s, struct bytes data)
{
    int r = begin_call(s, true);
    while (r == 0 && data.len > 0) {
        if (s->written >= s->renew_bytes && (r = renew_key(s)) != 0)
            break;
        uint64_t left = s->renew_bytes - s->written;
        size_t done, n = but_for_the_end(data.len);
        n = n < left ? n : (size_t)left;
        s->more = n < data.len;
        if (SSL_write_ex(s->ssl, data.data, n, &done) != 1)
            return judge(s);
        s->written += n;
        data = bytes_from(data, n);
    }
    return r;
}

int secret_stream_read(struct secret_stream *s, uint8_t *into, size_t room, size_t *ret_n)
{
    assert(room > 0);
    int r = begin_call(s, true);
    if (r != 0)
        return r;
    size_t n = 0;
    r = SSL_read_ex(s->ssl, into, room, &n);
    if (r != 1 && SSL_get_error(s->ssl, r) != SSL_ERROR_ZERO_RETURN)
        return judge(s);
    *ret_n = n;
    return 0;
}

/* What has come may be no whole record, or none of data: only OpenSSL knows. */
bool secret_stream_has_input(struct secret_stream *s)
{
    uint8_t byte;
    size_t n;
    if (begin_call(s, false) != 0)
        return true;
    int r = SSL_peek_ex(s->ssl, &byte, sizeof byte, &n);
    if (r == 1)
        return true;
    int error = SSL_get_error(s->ssl, r);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_ZERO_RETURN)
        judge(s);
    return error != SSL_ERROR_WANT_READ;
}

/* ---- the end ---- */

int secret_stream_end(struct secret_stream *s)
{
    int r = begin_call(s, true);
    if (r != 0)
        return r;
    return SSL_shutdown(s->ssl) < 0 ? judge(s) : 0;
}

void secret_stream_stop(struct secret_stream *s)
{
    s->stopped = true;
    if (s->has_fd)
        shutdown(s->fd, SHUT_RDWR);
}

void secret_stream_close(struct secret_stream *s)
{
    SSL_free(s->ssl);
    SSL_CTX_free(s->context);
    BIO_meth_free(s->method);
    if (s->has_fd)
        close(s->fd);
    s->ssl = NULL;
    s->context = NULL;
    s->method = NULL;
    s->has_fd = false;
}
