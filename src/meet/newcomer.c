#include "meet/newcomer.h"

#include "io/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Off the loop; the memory goes when that has turned. */
static int release(struct newcomer *n)
{
    uv_close((uv_handle_t *)&n->poll, on_poll_closed);
    return n->fd;
}

void newcomer_close(struct newcomer *n)
{
    close(release(n));
}

static void leave(struct newcomer *n)
{
    newcomer_close(n);
    n->handler->gone(n);
}

static void read_preamble(struct newcomer *n)
{
    ssize_t got = recv(n->fd, n->said + n->said_len, sizeof n->said - n->said_len, 0);
    n->said_len += got > 0 ? (size_t)got : 0;
    struct bytes said = bytes_make(n->said, n->said_len);
    if (!preamble_may_begin(said)) {
        leave(n);
    } else if (n->said_len == sizeof n->said) {
        struct preamble p = preamble_read(said);
        n->handler->data(n, &p, release(n));
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct newcomer *n = poll->data;
    uint8_t next;
    ssize_t got = status < 0 ? 0 : recv(n->fd, &next, 1, MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        leave(n);
    else if (n->said_len > 0 || preamble_may_begin(bytes_make(&next, 1)))
        read_preamble(n);
    else
        n->handler->tls(n, release(n));
}

int newcomer_new(struct newcomer **ret, uv_loop_t *loop, int fd,
                 const struct newcomer_handler *handler, void *owner)
{
    struct newcomer *n = calloc(1, sizeof *n);
    int r = n ? uv_poll_init(loop, &n->poll, fd) : -ENOMEM;
    if (r < 0) {
        close(fd);
        free(n);
        return r;
    }
    n->handler = handler;
    n->owner = owner;
    n->fd = fd;
    n->since = clock_instant();
    n->poll.data = n;
    r = uv_poll_start(&n->poll, UV_READABLE, on_readable);
    if (r < 0) {
        newcomer_close(n);
        return r;
    }
    *ret = n;
    return 0;
}
