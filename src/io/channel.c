#include "io/channel.h"

#include "base/limits.h"
#include "io/dial.h"
#include "io/keepalive.h"
#include "io/problem.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { LAST_BYTES_MS = 1000 };

/* error is libuv's: -errno, but for names. */
static const char *in_words(int error)
{
    return error <= UV_EAI_ADDRFAMILY ? problem_text(error) : dial_problem(error);
}

/* ---- the end ---- */

static void finish_if_over(struct channel *c)
{
    if (c->state != CHANNEL_CLOSING || c->looking || c->has_handle || c->has_timer)
        return;
    tls_free(c->tls);
    c->tls = NULL;
    buffer_fini(&c->plain);
    buffer_fini(&c->out);
    buffer_fini(&c->flight);
    c->state = CHANNEL_CLOSED;
    c->handler->closed(c, c->why[0] ? c->why : NULL);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct channel *c = handle->data;
    c->has_handle = false;
    finish_if_over(c);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct channel *c = handle->data;
    c->has_timer = false;
    finish_if_over(c);
}

static void free_addresses(struct channel *c)
{
    uv_freeaddrinfo(c->addresses);
    c->addresses = c->next = NULL;
}

static void close_all(struct channel *c)
{
    if (c->looking)
        uv_cancel((uv_req_t *)&c->lookup);
    if (c->has_handle && !uv_is_closing(&c->uv.handle))
        uv_close(&c->uv.handle, on_handle_closed);
    if (c->has_timer && !uv_is_closing((uv_handle_t *)&c->timer))
        uv_close((uv_handle_t *)&c->timer, on_timer_closed);
    free_addresses(c);
}

static void fail(struct channel *c, const char *why)
{
    if (c->state == CHANNEL_DIALING || c->state == CHANNEL_OPEN)
        snprintf(c->why, sizeof c->why, "%s", why);
    c->state = CHANNEL_CLOSING;
    close_all(c);
}

static void fail_with(struct channel *c, int error)
{
    if (c->state == CHANNEL_DIALING || c->state == CHANNEL_OPEN)
        c->error = error;
    fail(c, in_words(error));
}

/* ---- writing ---- */

static void flush(struct channel *c);
static void on_time_over(uv_timer_t *timer);

static void on_shutdown(uv_shutdown_t *request, int status)
{
    close_all(request->data);
}

static void end_output(struct channel *c)
{
    c->shutdown.data = c;
    if (!c->has_handle || uv_is_closing(&c->uv.handle))
        return;
    if (uv_shutdown(&c->shutdown, &c->uv.stream, on_shutdown) < 0)
        close_all(c);
}

static void on_written(uv_write_t *request, int status)
{
    struct channel *c = request->data;
    c->writing = false;
    buffer_release(&c->flight);
    if (uv_is_closing(&c->uv.handle))
        return;
    if (status < 0)
        fail_with(c, status);
    else
        flush(c);
    if (c->state == CHANNEL_OPEN && !channel_is_full(c))
        c->handler->room(c);
}

static void write_rest(struct channel *c)
{
    struct buffer out = c->out;
    c->out = c->flight;
    c->flight = out;
    struct bytes data = buffer_view(&c->flight);
    uv_buf_t buf = {.base = (char *)(uintptr_t)data.data, .len = data.len};
    c->write.data = c;
    int r = uv_write(&c->write, &c->uv.stream, &buf, 1, on_written);
    c->writing = r == 0;
    if (r < 0)
        fail_with(c, r);
}

/* Sends what is to be sent, and the end behind it where that is next. */
static void flush(struct channel *c)
{
    if (c->writing)
        return;
    struct bytes data = buffer_view(&c->out);
    uv_buf_t buf = {.base = (char *)(uintptr_t)data.data, .len = data.len};
    int n = data.len > 0 ? uv_try_write(&c->uv.stream, &buf, 1) : 0;
    if (n < 0 && n != UV_EAGAIN) {
        fail_with(c, n);
        return;
    }
    buffer_consume(&c->out, n > 0 ? (size_t)n : 0);
    if (buffer_len(&c->out) > 0)
        write_rest(c);
    else if (c->state == CHANNEL_CLOSING)
        end_output(c);
}

bool channel_is_full(const struct channel *c)
{
    return buffer_len(&c->out) + buffer_len(&c->flight) >= LIMIT_CHANNEL_BYTES;
}

static void tls_failed(struct channel *c, int r)
{
    flush(c); /* the other end is told why */
    fail(c, r == TLS_BROKEN ? tls_problem(c->tls) : "out of memory");
}

void channel_write(struct channel *c, struct bytes data)
{
    if (c->state != CHANNEL_OPEN || data.len == 0)
        return;
    int r = c->tls ? tls_write(c->tls, data, &c->out) : buffer_append_bytes(&c->out, data);
    if (r == 0)
        flush(c);
    else if (c->tls)
        tls_failed(c, r);
    else
        fail(c, "out of memory");
}

void channel_close(struct channel *c)
{
    bool open = c->state == CHANNEL_OPEN;
    if (c->state == CHANNEL_CLOSED || c->state == CHANNEL_CLOSING)
        return;
    c->state = CHANNEL_CLOSING;
    if (!open) {
        close_all(c);
        return;
    }
    if (c->tls)
        tls_close(c->tls, &c->out);
    uv_timer_start(&c->timer, on_time_over, LAST_BYTES_MS, 0);
    flush(c);
}

/* ---- reading ---- */

static void end(struct channel *c)
{
    bool cut_off = c->tls && tls_state(c->tls) != TLS_OVER;
    fail(c,
         cut_off && c->state == CHANNEL_OPEN ? "it was cut off" : "it closed the connection");
}

static void open_up(struct channel *c)
{
    c->state = CHANNEL_OPEN;
    uv_timer_stop(&c->timer);
    free_addresses(c);
    c->handler->open(c);
}

static void take_secured(struct channel *c, struct bytes in)
{
    size_t before = buffer_len(&c->out);
    int r = tls_feed(c->tls, in, &c->plain, &c->out);
    if (r != 0) {
        tls_failed(c, r);
        return;
    }
    if (buffer_len(&c->out) > before && channel_is_full(c)) {
        fail(c, "it asks for answers and reads none");
        return;
    }
    flush(c);
    if (c->state == CHANNEL_DIALING && tls_is_open(c->tls))
        open_up(c);
    struct buffer plain = c->plain;
    buffer_init(&c->plain, LIMIT_TLS_PLAIN_BYTES);
    if (c->state == CHANNEL_OPEN && buffer_len(&plain) > 0)
        c->handler->read(c, buffer_view(&plain));
    buffer_fini(&plain);
    if (c->tls && tls_state(c->tls) == TLS_OVER && c->state == CHANNEL_OPEN)
        end(c);
}

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct channel *c = handle->data;
    *ret = uv_buf_init((char *)c->in, sizeof c->in);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct channel *c = stream->data;
    if (n == 0)
        return;
    if (c->state == CHANNEL_CLOSING) {
        if (n < 0)
            close_all(c);
        return;
    }
    if (n == UV_EOF)
        end(c);
    else if (n < 0)
        fail_with(c, (int)n);
    else if (c->tls)
        take_secured(c, bytes_make(buf->base, (size_t)n));
    else
        c->handler->read(c, bytes_make(buf->base, (size_t)n));
}

/* ---- dialing ---- */

static void dial_next(struct channel *c, int error);

static int begin_tls(struct channel *c)
{
    int r = tls_new(&c->tls, c->config);
    return r == 0 && !c->answers ? tls_begin(c->tls, &c->out) : r;
}

static void take_connection(struct channel *c)
{
    uv_os_fd_t fd;
    if (c->uv.handle.type == UV_TCP && uv_fileno(&c->uv.handle, &fd) == 0)
        keepalive_begin(fd);
    int r = uv_read_start(&c->uv.stream, on_space, on_read);
    if (r == 0 && c->config)
        r = begin_tls(c);
    if (r != 0)
        fail(c, "out of memory");
    else if (c->config)
        flush(c);
    else
        open_up(c);
}

/* An address that did not do: its handle goes, then the next is tried. */
static void on_address_closed(uv_handle_t *handle)
{
    struct channel *c = handle->data;
    c->has_handle = false;
    if (c->state == CHANNEL_DIALING)
        dial_next(c, 0);
    else
        finish_if_over(c);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct channel *c = request->data;
    if (uv_is_closing(&c->uv.handle) || c->state != CHANNEL_DIALING)
        return;
    if (status == 0)
        take_connection(c);
    else if (c->next)
        uv_close(&c->uv.handle, on_address_closed);
    else
        fail_with(c, status);
}

/* Tries the next address; error is why the last did not do. */
static void dial_next(struct channel *c, int error)
{
    const struct addrinfo *a = c->next;
    if (!a) {
        fail_with(c, error);
        return;
    }
    c->next = a->ai_next;
    int r = uv_tcp_init(c->loop, &c->uv.tcp);
    c->uv.handle.data = c;
    c->has_handle = r == 0;
    c->connect.data = c;
    if (r == 0)
        r = uv_tcp_nodelay(&c->uv.tcp, 1);
    if (r == 0)
        r = uv_tcp_connect(&c->connect, &c->uv.tcp, a->ai_addr, on_connected);
    if (r < 0 && c->has_handle && c->next)
        uv_close(&c->uv.handle, on_address_closed);
    else if (r < 0)
        fail_with(c, r);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct channel *c = request->data;
    c->looking = false;
    if (c->state != CHANNEL_DIALING) {
        uv_freeaddrinfo(addresses);
        finish_if_over(c);
        return;
    }
    c->addresses = c->next = addresses;
    dial_next(c, status < 0 ? status : UV_EAI_NONAME);
}

static void on_time_over(uv_timer_t *timer)
{
    struct channel *c = timer->data;
    if (c->state == CHANNEL_CLOSING)
        close_all(c);
    else
        fail_with(c, -ETIMEDOUT);
}

static int begin(struct channel *c, uv_loop_t *loop, const struct tls_config *config,
                 const struct channel_handler *handler)
{
    assert(c->state == CHANNEL_CLOSED);
    *c = (struct channel){.handler = handler, .loop = loop, .config = config};
    buffer_init(&c->plain, LIMIT_TLS_PLAIN_BYTES);
    buffer_init(&c->out, SIZE_MAX);
    buffer_init(&c->flight, SIZE_MAX);
    int r = uv_timer_init(loop, &c->timer);
    if (r < 0)
        return r;
    c->timer.data = c;
    c->has_timer = true;
    c->state = CHANNEL_DIALING;
    return uv_timer_start(&c->timer, on_time_over, LIMIT_CONNECT_MS, 0);
}

int channel_dial_tcp(struct channel *c, uv_loop_t *loop, const char *host, uint16_t port,
                     const struct tls_config *config, const struct channel_handler *handler)
{
    char service[8];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    snprintf(service, sizeof service, "%u", port);
    int r = begin(c, loop, config, handler);
    if (r < 0)
        return r;
    c->lookup.data = c;
    r = uv_getaddrinfo(loop, &c->lookup, on_found, host, service, &hints);
    c->looking = r == 0;
    if (r < 0)
        fail_with(c, r);
    return 0;
}

int channel_dial_unix(struct channel *c, uv_loop_t *loop, const char *path,
                      const struct channel_handler *handler)
{
    int r = begin(c, loop, NULL, handler);
    if (r < 0)
        return r;
    r = uv_pipe_init(loop, &c->uv.pipe, 0);
    c->uv.handle.data = c;
    c->has_handle = r == 0;
    c->connect.data = c;
    if (r < 0)
        fail_with(c, r);
    else
        uv_pipe_connect(&c->connect, &c->uv.pipe, path, on_connected);
    return 0;
}

int channel_take(struct channel *c, uv_loop_t *loop, int fd, const struct tls_config *config,
                 const struct channel_handler *handler)
{
    int r = begin(c, loop, config, handler);
    if (r < 0) {
        close(fd);
        return r;
    }
    c->answers = true;
    r = uv_tcp_init(c->loop, &c->uv.tcp);
    c->uv.handle.data = c;
    c->has_handle = r == 0;
    if (r == 0)
        r = uv_tcp_open(&c->uv.tcp, fd);
    if (r < 0)
        close(fd);
    else
        r = uv_tcp_nodelay(&c->uv.tcp, 1);
    if (r < 0)
        fail_with(c, r);
    else
        take_connection(c);
    return 0;
}

bool channel_other_end(const struct channel *c, struct address *ret)
{
    uv_os_fd_t fd;
    return c->has_handle && uv_fileno(&c->uv.handle, &fd) == 0 && address_of_peer(fd, ret) == 0;
}

bool channel_own_end(const struct channel *c, struct address *ret)
{
    uv_os_fd_t fd;
    return c->has_handle && uv_fileno(&c->uv.handle, &fd) == 0 && address_of_self(fd, ret) == 0;
}
