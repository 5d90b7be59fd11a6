#ifndef KITH_IO_LISTENER_H
#define KITH_IO_LISTENER_H

/* Listening sockets: one an address, shared by all workers, each of which accepts from it on
 * its own loop. Bound first, listening later, so that a taken address is known early and nobody
 * is let in before there is something to serve. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>
#include <uv.h>

enum { LISTENER_TEXT_BYTES = sizeof(((struct sockaddr_un *)0)->sun_path) + 16 };

struct listener {
    int fd;
    bool is_unix;
    uint16_t port;                  /* the one it really has; 0 for Unix sockets */
    char text[LISTENER_TEXT_BYTES]; /* "127.0.0.1:12345", "[::1]:12345", or a path */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* to be removed at the end ... */
    dev_t device;                                           /* ... while it is this very file */
    ino_t inode;
};

/* Binds a TCP address: a number, IPv4 or IPv6, or a name. Port 0 takes a free one. -errno, or
 * libuv's UV_EAI_*; problem_text words both. */
int listener_bind_tcp(struct listener *l, const char *address, uint16_t port);

/* Binds a Unix socket, which any user of this machine may connect to; a socket left at that
 * path by a process that is gone is replaced. -EEXIST: something else is there. Sets the
 * process' umask for a moment: call it while there is one thread. */
int listener_bind_unix(struct listener *l, const char *path);

/* Does it listen on all of this machine's addresses? */
bool listener_is_everywhere(const struct listener *l);

/* Is the file at that path the listener's socket, by whatever name? Never for TCP. */
bool listener_is_at(const struct listener *l, const char *path);

/* From now on clients may connect. */
int listener_listen(struct listener *l, int backlog);

/* Closes it, and removes a Unix socket's path, unless something else is there by now. Nothing
 * for a zeroed one with fd -1. */
void listener_close(struct listener *l);

/* A worker's share in a listener: an acceptor on its own loop. */
struct acceptor {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
};

/* Starts accepting: cb as of uv_listen, whose data is uv.handle.data. 0 or -errno; on failure
 * too the handle must be closed where *ret_open. */
int acceptor_open(struct acceptor *a, const struct listener *l, uv_loop_t *loop, int backlog,
                  uv_connection_cb cb, bool *ret_open);

#endif
