#include "io/peer_port.h"

#include "io/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { BACKLOG = 16 };

static void on_arrival(uv_stream_t *stream, int status)
{
    struct peer_port *p = stream->data;
    if (status == 0)
        p->arrived(p);
}

static int bind_to(struct peer_port *p, bool v6, uint16_t number)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {0};
    int r = v6 ? uv_ip6_addr("::", number, &at.v6) : uv_ip4_addr("0.0.0.0", number, &at.v4);
    return r < 0 ? r : uv_tcp_bind(&p->tcp, &at.any, 0);
}

static int read_number(struct peer_port *p)
{
    uv_os_fd_t fd;
    struct address at;
    int r = uv_fileno((uv_handle_t *)&p->tcp, &fd);
    if (r == 0)
        r = address_of_self(fd, &at);
    if (r == 0)
        p->number = at.port;
    return r;
}

int peer_port_open(struct peer_port *p, uv_loop_t *loop, uint16_t number,
                   void (*arrived)(struct peer_port *p))
{
    *p = (struct peer_port){.arrived = arrived};
    int r = uv_tcp_init(loop, &p->tcp);
    if (r < 0)
        return r;
    p->tcp.data = p;
    p->open = true;
    r = bind_to(p, true, number);
    if (r == -EAFNOSUPPORT)
        r = bind_to(p, false, number); /* a system without IPv6 */
    if (r == 0)
        r = uv_listen((uv_stream_t *)&p->tcp, BACKLOG, on_arrival);
    if (r == 0)
        r = read_number(p);
    if (r < 0)
        peer_port_close(p);
    return r;
}

static void on_handle_closed(uv_handle_t *handle)
{
    free(handle);
}

/* libuv hands out a connection as a handle of its loop; only a copy of the descriptor can leave
 * it. */
int peer_port_accept(struct peer_port *p, int *ret_fd)
{
    uv_tcp_t *tcp = malloc(sizeof *tcp);
    uv_os_fd_t fd;
    int r = tcp ? uv_tcp_init(p->tcp.loop, tcp) : -ENOMEM;
    if (r < 0) {
        free(tcp);
        return r;
    }
    r = uv_accept((uv_stream_t *)&p->tcp, (uv_stream_t *)tcp);
    if (r == 0)
        r = uv_fileno((uv_handle_t *)tcp, &fd);
    int copy = r == 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : r;
    if (r == 0 && copy < 0)
        r = -errno;
    if (r == 0)
        *ret_fd = copy;
    uv_close((uv_handle_t *)tcp, on_handle_closed);
    return r;
}

void peer_port_refuse(struct peer_port *p)
{
    int fd;
    if (peer_port_accept(p, &fd) == 0)
        close(fd);
}

void peer_port_close(struct peer_port *p)
{
    if (p->open)
        uv_close((uv_handle_t *)&p->tcp, NULL);
    p->open = false;
}
