#include "dial.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

_Noreturn void dial_fail(const char *what)
{
    fprintf(stderr, "%s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

uint64_t dial_number(const char *argument, uint64_t min)
{
    uint64_t n;
    if (number_parse_u64(bytes_from_str(argument), &n) && n >= min)
        return n;
    errno = EINVAL;
    dial_fail(argument);
}

int dial(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        dial_fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

void dial_send(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0)
            dial_fail("send");
        data += n;
        len -= (size_t)n;
    }
}

size_t dial_receive(int fd, char *ret_data, size_t size)
{
    ssize_t n = recv(fd, ret_data, size, 0);
    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0)
        dial_fail("receive");
    return (size_t)n;
}
