#ifndef KITH_IO_PEER_PORT_H
#define KITH_IO_PEER_PORT_H

/* The port at which other people's devices reach this one, on all addresses, IPv4 and IPv6. The
 * owner embeds it, and takes each connection that comes, or refuses it. */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct peer_port {
    uv_tcp_t tcp;
    uint16_t number;
    bool open;
    void (*arrived)(struct peer_port *p);
};

/* number 0 takes a free one. -errno: closed then. */
int peer_port_open(struct peer_port *p, uv_loop_t *loop, uint16_t number,
                   void (*arrived)(struct peer_port *p));

/* For arrived: takes the connection that waits, as a socket on no loop. -errno: it is closed,
 * or waits until somebody comes again. */
int peer_port_accept(struct peer_port *p, int *ret_fd);

/* The same: closes it. */
void peer_port_refuse(struct peer_port *p);

/* Nothing where it is closed; the memory must last until the loop has turned. */
void peer_port_close(struct peer_port *p);

#endif
