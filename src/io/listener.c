#include "io/listener.h"

#include "io/address.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PORT_CHARS = 6 };

/* ---- TCP ---- */

static int name_error(int error)
{
    switch (error) {
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
        return UV_EAI_AGAIN;
    case EAI_SYSTEM:
        return -errno;
    default:
        return UV_EAI_NONAME;
    }
}

static int describe_tcp(struct listener *l)
{
    struct address bound;
    int r = address_of_self(l->fd, &bound);
    if (r < 0)
        return r;
    l->port = bound.port;
    address_format(&bound, l->text);
    return 0;
}

static int bind_to(struct listener *l, const struct addrinfo *to)
{
    int on = 1;
    l->fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return -errno;
    /* Lets a new hub take the port of one that has just ended, never of one that listens. */
    if (setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(l->fd, to->ai_addr, to->ai_addrlen) != 0)
        return -errno;
    return describe_tcp(l);
}

int listener_bind_tcp(struct listener *l, const char *address, uint16_t port)
{
    *l = (struct listener){.fd = -1};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    char service[PORT_CHARS];
    snprintf(service, sizeof service, "%u", port);
    int r = getaddrinfo(address, service, &hints, &found);
    if (r != 0)
        return name_error(r);
    r = bind_to(l, found);
    freeaddrinfo(found);
    if (r < 0)
        listener_close(l);
    return r;
}

/* ---- Unix ---- */

static bool is_socket(const struct sockaddr_un *at)
{
    struct stat st;
    return lstat(at->sun_path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* A socket at a path that nobody answers at was left by a process that is gone. */
static bool is_left_over(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused =
        connect(fd, (const struct sockaddr *)at, sizeof *at) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/* Anybody on this machine may connect, as to a port; who may not is kept out by the folder. */
static int bind_for_all(int fd, const struct sockaddr_un *at)
{
    mode_t mask = umask(S_IXUSR | S_IXGRP | S_IXOTH);
    int r = bind(fd, (const struct sockaddr *)at, sizeof *at) == 0 ? 0 : -errno;
    umask(mask);
    return r;
}

static int bind_path(int fd, const struct sockaddr_un *at)
{
    int r = bind_for_all(fd, at);
    if (r != -EADDRINUSE)
        return r;
    if (!is_socket(at))
        return -EEXIST;
    if (!is_left_over(at))
        return r;
    return unlink(at->sun_path) == 0 ? bind_for_all(fd, at) : -errno;
}

static void remember_path(struct listener *l, const char *path, size_t len)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return;
    memcpy(l->path, path, len + 1);
    l->device = st.st_dev;
    l->inode = st.st_ino;
}

bool listener_is_everywhere(const struct listener *l)
{
    return !l->is_unix &&
           (strncmp(l->text, "0.0.0.0:", 8) == 0 || strncmp(l->text, "[::]:", 5) == 0);
}

bool listener_is_at(const struct listener *l, const char *path)
{
    struct stat st;
    return l->path[0] && lstat(path, &st) == 0 && st.st_dev == l->device &&
           st.st_ino == l->inode;
}

int listener_bind_unix(struct listener *l, const char *path)
{
    *l = (struct listener){.fd = -1, .is_unix = true};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof at.sun_path)
        return -ENAMETOOLONG;
    memcpy(at.sun_path, path, len + 1);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return -errno;
    int r = bind_path(l->fd, &at);
    if (r < 0) {
        listener_close(l);
        return r;
    }
    remember_path(l, path, len);
    snprintf(l->text, sizeof l->text, "%s", path);
    return 0;
}

int listener_listen(struct listener *l, int backlog)
{
    return listen(l->fd, backlog) == 0 ? 0 : -errno;
}

void listener_close(struct listener *l)
{
    if (l->fd < 0)
        return;
    close(l->fd);
    l->fd = -1;
    /* Somebody may have put something of his own in its place meanwhile. */
    if (listener_is_at(l, l->path))
        unlink(l->path);
}

/* ---- acceptors ---- */

int acceptor_open(struct acceptor *a, const struct listener *l, uv_loop_t *loop, int backlog,
                  uv_connection_cb cb, bool *ret_open)
{
    *ret_open = false;
    int r = l->is_unix ? uv_pipe_init(loop, &a->uv.pipe, 0) : uv_tcp_init(loop, &a->uv.tcp);
    if (r < 0)
        return r;
    *ret_open = true;
    int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    r = l->is_unix ? uv_pipe_open(&a->uv.pipe, fd) : uv_tcp_open(&a->uv.tcp, fd);
    if (r < 0) {
        close(fd);
        return r;
    }
    return uv_listen(&a->uv.stream, backlog, cb);
}
