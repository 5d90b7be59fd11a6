#include "line.h"

#include "device.h"
#include "dial.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, BACKLOG = 64 };

static void expect(int result, const char *what)
{
    errno = result < 0 ? -result : 0;
    if (result != 0)
        dial_fail(what);
}

struct tls_config *line_config(enum tls_role role, int64_t n, const char *const *protocols)
{
    struct identity *own = NULL;
    struct tls_config *config;
    uint8_t seed[DEVICE_KEY_BYTES];
    if (n != LINE_NOBODY) {
        device_seed((uint64_t)n, seed);
        expect(identity_new(&own, seed, NULL, 0), "an identity");
    }
    expect(tls_config_new(&config, role, own, protocols), "a configuration of TLS");
    return config;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int new_socket(void)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        dial_fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int line_listen(uint16_t *ret_port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;
    int fd = new_socket();
    if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        dial_fail("listen");
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void begin(struct line *l, int fd, const struct tls_config *config)
{
    *l = (struct line){.fd = fd};
    buffer_init(&l->plain, 64 * LIMIT_MIB);
    buffer_init(&l->out, 64 * LIMIT_MIB);
    expect(tls_new(&l->tls, config), "TLS");
}

void line_dial(struct line *l, uint16_t port, const struct tls_config *config)
{
    struct sockaddr_in address = loopback(port);
    begin(l, new_socket(), config);
    if (connect(l->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        dial_fail("connect");
    expect(tls_begin(l->tls, &l->out), "TLS");
}

void line_take(struct line *l, int fd, const struct tls_config *config)
{
    int one = 1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    begin(l, fd, config);
}

void line_close(struct line *l)
{
    if (l->tls)
        close(l->fd);
    tls_free(l->tls);
    buffer_fini(&l->plain);
    buffer_fini(&l->out);
    *l = (struct line){0};
}

short line_wants(const struct line *l)
{
    return (short)(buffer_len(&l->out) > 0 ? POLLIN | POLLOUT : POLLIN);
}

void line_send(struct line *l)
{
    while (buffer_len(&l->out) > 0) {
        struct bytes out = buffer_view(&l->out);
        ssize_t n = send(l->fd, out.data, out.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            l->is_over = true;
            return;
        }
        buffer_consume(&l->out, (size_t)n);
    }
    buffer_release(&l->out);
}

static void hear_some(struct line *l)
{
    uint8_t in[READ_BYTES];
    ssize_t n = recv(l->fd, in, sizeof in, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        l->is_over = true;
        return;
    }
    errno = 0;
    if (tls_feed(l->tls, bytes_make(in, (size_t)n), &l->plain, &l->out) != 0)
        dial_fail(tls_problem(l->tls));
    if (buffer_len(&l->plain) == 0)
        buffer_release(&l->plain);
    if (tls_state(l->tls) == TLS_OVER)
        l->is_over = true;
}

void line_move(struct line *l)
{
    line_send(l);
    if (!l->is_over)
        hear_some(l);
    if (!l->is_over)
        line_send(l);
}

void line_say(struct line *l, struct bytes plain)
{
    expect(tls_write(l->tls, plain, &l->out), "TLS");
}
