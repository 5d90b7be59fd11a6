#include "io/courier.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    struct cmsghdr head;
    uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

int courier_pair(int ret[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) == 0 ? 0 : -errno;
}

static void attach(struct msghdr *m, union control *control, int fd)
{
    m->msg_control = control->bytes;
    m->msg_controllen = sizeof control->bytes;
    control->head = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control->head), &fd, sizeof fd);
}

/* A loop has made it one that does not block. */
static void wait_writable(int courier)
{
    struct pollfd p = {.fd = courier, .events = POLLOUT};
    poll(&p, 1, -1);
}

int courier_send(int courier, struct bytes message, int fd)
{
    union control control = {.bytes = {0}};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)message.data, .iov_len = message.len};
    struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd >= 0)
        attach(&m, &control, fd);
    while (sendmsg(courier, &m, MSG_NOSIGNAL) < 0) {
        if (errno == EAGAIN)
            wait_writable(courier);
        else if (errno != EINTR)
            return errno == EPIPE || errno == ECONNRESET ? COURIER_OVER : -errno;
    }
    return 0;
}

static int descriptor_of(const struct msghdr *m)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(m);
    int fd = -1;
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

int courier_receive(int courier, bool wait, struct buffer *out, int *ret_fd)
{
    union control control;
    uint8_t *to;
    int r = buffer_reserve(out, COURIER_BYTES, &to);
    if (r != 0)
        return r;
    struct iovec piece = {.iov_base = to, .iov_len = COURIER_BYTES};
    struct msghdr m = {.msg_iov = &piece,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = CMSG_LEN(sizeof *ret_fd)}; /* not of two */
    ssize_t n;
    do
        n = recvmsg(courier, &m, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == ECONNRESET ? COURIER_OVER : -errno;
    *ret_fd = descriptor_of(&m);
    buffer_wrote(out, (size_t)n);
    return n > 0 ? 0 : COURIER_OVER;
}
