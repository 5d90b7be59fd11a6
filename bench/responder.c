#include "responder.h"

#include "base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void responder_check(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-result));
    exit(1);
}

uint16_t responder_number(const char *argument, uint16_t max)
{
    uint64_t n;
    if (!number_parse_u64(bytes_from_str(argument), &n) || n == 0 || n > max)
        responder_check(-EINVAL, argument);
    return (uint16_t)n;
}

static size_t count_commands(const char *data, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += data[i] == '*';
    return n;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void connection_close(struct responder_connection *c)
{
    if (uv_is_closing((uv_handle_t *)&c->tcp))
        return;
    if (c->waits)
        TAILQ_REMOVE(&c->responder->waiting, c, waiting);
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_written(uv_write_t *write, int status)
{
    free(write);
}

/* The rest of the replies, once the socket takes them; the bytes are the responder's. */
static void write_later(struct responder_connection *c, uv_buf_t rest)
{
    uv_write_t *write = malloc(sizeof *write);
    responder_check(write ? 0 : -ENOMEM, "write");
    if (uv_write(write, (uv_stream_t *)&c->tcp, &rest, 1, on_written) < 0) {
        free(write);
        connection_close(c);
    }
}

static void connection_answer(struct responder_connection *c)
{
    uv_buf_t replies = uv_buf_init(c->responder->replies, (unsigned)(c->owed * 5));
    c->owed = 0;
    int n = uv_try_write((uv_stream_t *)&c->tcp, &replies, 1);
    if (n == UV_EAGAIN)
        n = 0;
    if (n < 0) {
        connection_close(c);
        return;
    }
    replies.base += n;
    replies.len -= (size_t)n;
    if (replies.len > 0)
        write_later(c, replies);
}

static void connection_wait(struct responder_connection *c, uint64_t position)
{
    if (c->waits)
        TAILQ_REMOVE(&c->responder->waiting, c, waiting);
    c->position = position;
    c->waits = true;
    TAILQ_INSERT_TAIL(&c->responder->waiting, c, waiting);
}

void responder_kept(struct responder *r, uint64_t position)
{
    struct responder_connection *c;
    while ((c = TAILQ_FIRST(&r->waiting)) && c->position <= position) {
        TAILQ_REMOVE(&r->waiting, c, waiting);
        c->waits = false;
        connection_answer(c);
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct responder_connection *c = stream->data;
    struct responder *r = c->responder;
    if (n < 0) {
        connection_close(c);
        return;
    }
    c->owed += count_commands(buf->base, (size_t)n);
    if (c->owed > RESPONDER_READ_BYTES) { /* a client that never waits is none of ours */
        connection_close(c);
        return;
    }
    if (r->keep && n > 1 && buf->base[0] == '*' && buf->base[1] == '3')
        connection_wait(c, r->keep(r->context, buf->base, (size_t)n));
    else if (r->keep && c->waits)
        connection_wait(c, r->keep(r->context, buf->base, (size_t)n));
    else if (c->owed > 0)
        connection_answer(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct responder_connection *c = handle->data;
    *buf = uv_buf_init(c->responder->input, RESPONDER_READ_BYTES);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct responder *r = listener->data;
    struct responder_connection *c = calloc(1, sizeof *c);
    responder_check(c ? status : -ENOMEM, "listener");
    c->responder = r;
    responder_check(uv_tcp_init(&r->loop, &c->tcp), "connection");
    c->tcp.data = c;
    responder_check(uv_accept(listener, (uv_stream_t *)&c->tcp), "accept");
    uv_tcp_nodelay(&c->tcp, 1);
    responder_check(uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read), "read");
}

void responder_init(struct responder *r)
{
    memset(r, 0, sizeof *r);
    TAILQ_INIT(&r->waiting);
    for (size_t i = 0; i < sizeof r->replies; i += 5)
        memcpy(r->replies + i, "+OK\r\n", 5);
    responder_check(uv_loop_init(&r->loop), "loop");
}

int responder_bind(uint16_t port)
{
    struct sockaddr_in address;
    responder_check(uv_ip4_addr("127.0.0.1", port, &address), "address");
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    responder_check(s < 0 ? -errno : 0, "socket");
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    responder_check(bind(s, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0,
                    "bind");
    return s;
}

void responder_listen(struct responder *r, int socket)
{
    int copy = dup(socket);
    responder_check(copy < 0 ? -errno : 0, "socket");
    responder_check(uv_tcp_init(&r->loop, &r->listener), "listener");
    r->listener.data = r;
    responder_check(uv_tcp_open(&r->listener, copy), "listener");
    responder_check(uv_listen((uv_stream_t *)&r->listener, 511, on_connection), "listen");
}

void responder_run(struct responder *r)
{
    uv_run(&r->loop, UV_RUN_DEFAULT);
}
