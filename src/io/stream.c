#include "io/stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { KEPT_BYTES_MAX = 64 * 1024 };

static void on_closed(uv_handle_t *handle)
{
    struct stream *s = (struct stream *)handle;
    s->handler->closed(s);
}

int stream_accept(struct stream *s, struct acceptor *from, bool is_unix,
                  const struct stream_handler *handler, bool *ret_open)
{
    *s = (struct stream){.handler = handler};
    *ret_open = false;
    uv_loop_t *loop = from->uv.handle.loop;
    int r = is_unix ? uv_pipe_init(loop, &s->uv.pipe, 0) : uv_tcp_init(loop, &s->uv.tcp);
    if (r < 0)
        return r;
    *ret_open = true;
    r = uv_accept(&from->uv.stream, &s->uv.stream);
    if (r == 0 && !is_unix)
        r = uv_tcp_nodelay(&s->uv.tcp, 1);
    if (r < 0)
        stream_close(s, false);
    return r;
}

int stream_fd(const struct stream *s)
{
    uv_os_fd_t fd;
    return uv_fileno(&s->uv.handle, &fd) == 0 ? fd : -1;
}

/* ---- reading ---- */

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct stream *s = (struct stream *)handle;
    *ret = s->handler->space(s);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct stream *s = (struct stream *)stream;
    if (n > 0)
        s->handler->read(s, bytes_make(buf->base, (size_t)n));
    else if (n == UV_EOF)
        s->handler->end(s);
    else if (n < 0 && n != UV_ENOBUFS)
        s->handler->fail(s);
}

int stream_set_reading(struct stream *s, bool reading)
{
    if (s->closing || s->reading == reading)
        return 0;
    s->reading = reading;
    return reading ? uv_read_start(&s->uv.stream, on_space, on_read)
                   : uv_read_stop(&s->uv.stream);
}

/* ---- writing ---- */

struct kept {
    uv_write_t request;
    size_t len;
    char data[];
};

static void on_written(uv_write_t *request, int status)
{
    struct kept *kept = (struct kept *)request;
    struct stream *s = (struct stream *)request->handle;
    size_t len = kept->len;
    free(kept);
    s->writing = false;
    if (s->closing)
        return;
    if (status < 0)
        s->handler->fail(s);
    else
        s->handler->written(s, len);
}

static int keep(struct stream *s, struct bytes out)
{
    if (out.len > KEPT_BYTES_MAX)
        out.len = KEPT_BYTES_MAX;
    assert(out.data);
    struct kept *kept = malloc(sizeof *kept + out.len);
    if (!kept)
        return -ENOMEM;
    kept->len = out.len;
    memcpy(kept->data, out.data, out.len);
    uv_buf_t buf = uv_buf_init(kept->data, (unsigned)out.len);
    int r = uv_write(&kept->request, &s->uv.stream, &buf, 1, on_written);
    if (r < 0) {
        free(kept);
        return r;
    }
    s->writing = true;
    return 0;
}

int stream_write(struct stream *s, struct bytes out, size_t *ret_taken)
{
    uv_buf_t buf = {.base = (char *)(uintptr_t)out.data, .len = out.len};
    int n = uv_try_write(&s->uv.stream, &buf, 1);
    if (n < 0 && n != UV_EAGAIN)
        return n;
    *ret_taken = n < 0 ? 0 : (size_t)n;
    return *ret_taken < out.len ? keep(s, bytes_from(out, *ret_taken)) : 0;
}

/* ---- closing ---- */

/* A stream that waits for the other end to close first. */
struct stream_linger {
    uv_timer_t timer;
    uv_shutdown_t shutdown;
    struct stream *stream;
    int open; /* of the timer and the stream */
    char discarded[4096];
};

static void release_linger(struct stream_linger *linger)
{
    if (--linger->open == 0)
        free(linger);
}

static void on_timer_closed(uv_handle_t *timer)
{
    release_linger(timer->data);
}

static void on_lingered(uv_handle_t *handle)
{
    release_linger(handle->data);
    on_closed(handle);
}

static void end_linger(struct stream_linger *linger)
{
    if (uv_is_closing((uv_handle_t *)&linger->timer))
        return;
    uv_close(&linger->stream->uv.handle, on_lingered);
    uv_close((uv_handle_t *)&linger->timer, on_timer_closed);
}

static void on_linger_over(uv_timer_t *timer)
{
    end_linger(timer->data);
}

static void on_discard_space(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct stream_linger *linger = handle->data;
    *ret = uv_buf_init(linger->discarded, sizeof linger->discarded);
}

static void on_discard(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    if (n < 0)
        end_linger(stream->data);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct stream_linger *linger = request->data;
    if (status < 0 && !uv_is_closing((uv_handle_t *)&linger->timer))
        end_linger(linger);
}

static int begin_linger(struct stream *s)
{
    struct stream_linger *linger = calloc(1, sizeof *linger);
    if (!linger)
        return -ENOMEM;
    linger->stream = s;
    linger->open = 2;
    linger->timer.data = linger->shutdown.data = s->uv.handle.data = linger;
    uv_timer_init(s->uv.handle.loop, &linger->timer);
    uv_timer_start(&linger->timer, on_linger_over, STREAM_LINGER_MS, 0);
    uv_read_stop(&s->uv.stream);
    if (uv_shutdown(&linger->shutdown, &s->uv.stream, on_shutdown) < 0 ||
        uv_read_start(&s->uv.stream, on_discard_space, on_discard) < 0)
        end_linger(linger);
    return 0;
}

void stream_close(struct stream *s, bool gently)
{
    if (s->closing)
        return;
    s->closing = true;
    if (!gently || begin_linger(s) != 0)
        uv_close(&s->uv.handle, on_closed);
}
