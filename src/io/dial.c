#include "io/dial.h"

#include "base/limits.h"
#include "io/signals.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <uv.h>

/* How much may lie unread before the socket is left alone. */
#define DIAL_UNREAD_BYTES LIMIT_MIB

/* So long a connection may be idle until the other end is asked whether it is still there. */
enum { DIAL_KEEPALIVE_S = 60 };

struct dial {
    uv_loop_t loop;
    uv_timer_t timer;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } link;
    bool linked; /* link is an open handle */
    bool reading;
    bool closed; /* link's close callback has run */

    uv_getaddrinfo_t lookup;
    bool looking;

    bool expired; /* the timer has */
    bool done;    /* what the call waits for has happened */
    int status;   /* ... and how it went */

    struct buffer in;
    size_t taken; /* bytes of in handed out by the last dial_receive */
    int end;      /* 0; DIAL_END or -errno once nothing more will come */
};

int dial_new(struct dial **ret)
{
    struct dial *d = calloc(1, sizeof *d);
    if (!d)
        return -ENOMEM;
    int r = uv_loop_init(&d->loop);
    if (r < 0) {
        free(d);
        return r;
    }
    r = uv_timer_init(&d->loop, &d->timer);
    assert(r == 0);
    buffer_init(&d->in, DIAL_UNREAD_BYTES + LIMIT_READ_BYTES);
    *ret = d;
    return 0;
}

bool dial_is_stuck(const struct dial *d)
{
    return d->looking;
}

int dial_descriptor(const struct dial *d)
{
    uv_os_fd_t fd;
    return d->linked && uv_fileno((const uv_handle_t *)&d->link, &fd) == 0 ? fd : -1;
}

static void on_link_closed(uv_handle_t *handle)
{
    struct dial *d = handle->data;
    d->closed = true;
}

static void close_link(struct dial *d)
{
    if (!d->linked)
        return;
    d->closed = false;
    d->link.stream.data = d;
    uv_close((uv_handle_t *)&d->link, on_link_closed);
    while (!d->closed)
        uv_run(&d->loop, UV_RUN_ONCE);
    d->linked = d->reading = false;
}

void dial_free(struct dial *d)
{
    if (!d)
        return;
    close_link(d);
    buffer_fini(&d->in);
    if (d->looking)
        return;
    uv_close((uv_handle_t *)&d->timer, NULL);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    int r = uv_loop_close(&d->loop);
    assert(r == 0);
    free(d);
}

static void on_time(uv_timer_t *timer)
{
    struct dial *d = timer->data;
    d->expired = true;
    uv_stop(&d->loop); /* else this turn of the loop would still wait for something to come */
}

static void done(struct dial *d, int status)
{
    d->done = true;
    d->status = status;
}

/* Runs the loop until done; -ETIMEDOUT when that takes longer than timeout_ms. */
static int wait_done(struct dial *d, uint64_t timeout_ms)
{
    d->expired = false;
    d->timer.data = d;
    if (timeout_ms != DIAL_FOREVER) {
        uv_update_time(&d->loop);
        uv_timer_start(&d->timer, on_time, timeout_ms, 0);
    }
    while (!d->done && !d->expired)
        uv_run(&d->loop, UV_RUN_ONCE);
    uv_timer_stop(&d->timer);
    return d->done ? d->status : -ETIMEDOUT;
}

static void on_connected(uv_connect_t *request, int status)
{
    done(request->data, status);
}

static int connect_address(struct dial *d, const struct sockaddr *address, uint64_t timeout_ms)
{
    uv_connect_t request = {.data = d};
    int r = uv_tcp_init(&d->loop, &d->link.tcp);
    if (r < 0)
        return r;
    d->linked = true;
    d->done = false;
    r = uv_tcp_connect(&request, &d->link.tcp, address, on_connected);
    if (r == 0)
        r = wait_done(d, timeout_ms);
    if (r == 0) {
        uv_tcp_nodelay(&d->link.tcp, 1);
        uv_tcp_keepalive(&d->link.tcp, 1, DIAL_KEEPALIVE_S);
    } else {
        close_link(d); /* its request ends with it, before request's frame does */
    }
    return r;
}

/* Each address gets an equal share of the time left, so that one that swallows everything
 * does not hide the next. */
static int connect_any(struct dial *d, const struct addrinfo *list, uint64_t end_ms)
{
    uint64_t left = 0;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        left++;
    int r = -EADDRNOTAVAIL, first = 0;
    for (const struct addrinfo *a = list; a; a = a->ai_next, left--) {
        uint64_t now_ms = uv_hrtime() / 1000000;
        r = now_ms < end_ms ? connect_address(d, a->ai_addr, (end_ms - now_ms) / left)
                            : -ETIMEDOUT;
        if (r == 0)
            return 0;
        first = first ? first : r;
    }
    return first ? first : r;
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *list)
{
    struct dial *d = lookup->data;
    d->looking = false;
    done(d, status);
}

/* What is no name needs no thread to look it up. */
static bool read_numeric(const char *host, uint16_t port, struct sockaddr_storage *ret)
{
    return uv_ip4_addr(host, port, (struct sockaddr_in *)ret) == 0 ||
           uv_ip6_addr(host, port, (struct sockaddr_in6 *)ret) == 0;
}

static int look_up(struct dial *d, const char *host, const char *service)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    sigset_t before;
    d->lookup.data = d;
    signals_hold_all(&before);
    int r = uv_getaddrinfo(&d->loop, &d->lookup, on_looked_up, host, service, &hints);
    signals_restore(&before);
    d->looking = r == 0;
    return r;
}

int dial_open_tcp(struct dial *d, const char *host, uint16_t port, uint64_t timeout_ms)
{
    assert(!d->linked);
    struct sockaddr_storage numeric;
    if (read_numeric(host, port, &numeric))
        return connect_address(d, (struct sockaddr *)&numeric, timeout_ms);
    uint64_t end_ms = uv_hrtime() / 1000000 + timeout_ms;
    char service[6];
    snprintf(service, sizeof service, "%u", port);
    d->done = false;
    int r = look_up(d, host, service);
    if (r == 0)
        r = wait_done(d, timeout_ms);
    if (r < 0)
        return r;
    r = connect_any(d, d->lookup.addrinfo, end_ms);
    uv_freeaddrinfo(d->lookup.addrinfo);
    return r;
}

int dial_open_unix(struct dial *d, const char *path, uint64_t timeout_ms)
{
    assert(!d->linked);
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path) /* libuv would cut it */
        return -ENAMETOOLONG;
    uv_connect_t request = {.data = d};
    int r = uv_pipe_init(&d->loop, &d->link.pipe, 0);
    if (r < 0)
        return r;
    d->linked = true;
    d->done = false;
    uv_pipe_connect(&request, &d->link.pipe, path, on_connected);
    r = wait_done(d, timeout_ms);
    if (r < 0)
        close_link(d);
    return r;
}

static void on_space(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
    struct dial *d = handle->data;
    uint8_t *space;
    bool ok = buffer_reserve(&d->in, LIMIT_READ_BYTES, &space) == 0;
    *ret = uv_buf_init(ok ? (char *)space : NULL, ok ? LIMIT_READ_BYTES : 0);
}

static void stop_reading(struct dial *d)
{
    uv_read_stop(&d->link.stream);
    d->reading = false;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *space)
{
    struct dial *d = stream->data;
    if (n > 0)
        buffer_wrote(&d->in, (size_t)n);
    if (n < 0)
        d->end = n == UV_EOF ? DIAL_END : n == UV_ENOBUFS ? -ENOMEM : (int)n;
    if (n < 0 || buffer_len(&d->in) >= DIAL_UNREAD_BYTES)
        stop_reading(d);
}

static int keep_reading(struct dial *d)
{
    if (d->reading || d->end != 0 || buffer_len(&d->in) >= DIAL_UNREAD_BYTES)
        return 0;
    d->link.stream.data = d;
    int r = uv_read_start(&d->link.stream, on_space, on_read);
    d->reading = r == 0;
    return r;
}

static void on_written(uv_write_t *request, int status)
{
    done(request->data, status);
}

/* libuv counts a buffer in unsigned ints; a piece at a time stays well below. */
static int send_piece(struct dial *d, struct bytes piece, uint64_t timeout_ms)
{
    uv_write_t request = {.data = d};
    char *data = (char *)(uintptr_t)piece.data; /* libuv only reads it */
    uv_buf_t buf = uv_buf_init(data, (unsigned)piece.len);
    d->done = false;
    int r = uv_write(&request, &d->link.stream, &buf, 1, on_written);
    if (r == 0)
        r = wait_done(d, timeout_ms);
    if (r == -ETIMEDOUT)
        close_link(d); /* its request ends with it, before request's frame does */
    return r;
}

int dial_send(struct dial *d, struct bytes data, uint64_t timeout_ms)
{
    struct signals_pipe held;
    signals_hold_pipe(&held);
    int r = keep_reading(d);
    while (r == 0 && data.len > 0) {
        size_t n = data.len < LIMIT_MIB ? data.len : LIMIT_MIB;
        r = send_piece(d, bytes_first(data, n), timeout_ms);
        data = bytes_from(data, n);
    }
    signals_release_pipe(&held);
    return r;
}

static void on_finished(uv_shutdown_t *request, int status)
{
    done(request->data, status);
}

int dial_finish(struct dial *d)
{
    uv_shutdown_t request = {.data = d};
    d->done = false;
    int r = uv_shutdown(&request, &d->link.stream, on_finished);
    return r == 0 ? wait_done(d, DIAL_FOREVER) : r;
}

int dial_receive(struct dial *d, uint64_t timeout_ms, struct bytes *ret)
{
    buffer_consume(&d->in, d->taken);
    d->taken = 0;
    int r = keep_reading(d);
    if (r < 0)
        return r;
    d->expired = false;
    d->timer.data = d;
    if (timeout_ms != DIAL_FOREVER) {
        uv_update_time(&d->loop);
        uv_timer_start(&d->timer, on_time, timeout_ms, 0);
    }
    while (buffer_len(&d->in) == 0 && d->end == 0 && !d->expired)
        uv_run(&d->loop, UV_RUN_ONCE);
    uv_timer_stop(&d->timer);
    if (buffer_len(&d->in) == 0)
        return d->end != 0 ? d->end : DIAL_TIMEOUT;
    *ret = buffer_view(&d->in);
    d->taken = ret->len;
    return 0;
}

const char *dial_problem(int error)
{
    switch (error) {
    case -ENOENT:
        return "there is no such socket";
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
    case UV_EAI_FAIL:
        return "no such host";
    case UV_EAI_AGAIN:
        return "the name could not be looked up";
    case -ETIMEDOUT:
        return "no answer in time";
    default:
        return uv_strerror(error);
    }
}
