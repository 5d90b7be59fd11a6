#include "io/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static void take_v6(struct address *a, const struct sockaddr_in6 *from)
{
    a->port = ntohs(from->sin6_port);
    a->is_v6 = !IN6_IS_ADDR_V4MAPPED(&from->sin6_addr);
    if (a->is_v6)
        a->v6 = from->sin6_addr;
    else
        memcpy(&a->v4, from->sin6_addr.s6_addr + 12, sizeof a->v4);
}

static int take(const union socket_address *from, struct address *ret)
{
    struct address a = {0};
    if (from->any.sa_family == AF_INET6) {
        take_v6(&a, &from->v6);
    } else if (from->any.sa_family == AF_INET) {
        a.v4 = from->v4.sin_addr;
        a.port = ntohs(from->v4.sin_port);
    } else {
        return -EAFNOSUPPORT;
    }
    *ret = a;
    return 0;
}

int address_of_self(int fd, struct address *ret)
{
    union socket_address at = {0};
    socklen_t len = sizeof at;
    return getsockname(fd, &at.any, &len) == 0 ? take(&at, ret) : -errno;
}

int address_of_peer(int fd, struct address *ret)
{
    union socket_address at = {0};
    socklen_t len = sizeof at;
    return getpeername(fd, &at.any, &len) == 0 ? take(&at, ret) : -errno;
}

void address_as_v6(const struct address *a, uint8_t out[16])
{
    static const uint8_t v4_head[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (a->is_v6) {
        memcpy(out, &a->v6, 16);
        return;
    }
    memcpy(out, v4_head, sizeof v4_head);
    memcpy(out + sizeof v4_head, &a->v4, 4);
}

bool address_is_loopback(const struct address *a)
{
    return a->is_v6 ? IN6_IS_ADDR_LOOPBACK(&a->v6) : ntohl(a->v4.s_addr) >> 24 == 127;
}

void address_host(const struct address *a, char out[ADDRESS_TEXT_BYTES])
{
    const void *bytes = a->is_v6 ? (const void *)&a->v6 : &a->v4;
    out[0] = '\0';
    inet_ntop(a->is_v6 ? AF_INET6 : AF_INET, bytes, out, ADDRESS_TEXT_BYTES);
}

void address_format(const struct address *a, char out[ADDRESS_TEXT_BYTES])
{
    char host[ADDRESS_TEXT_BYTES];
    address_host(a, host);
    snprintf(out, ADDRESS_TEXT_BYTES, a->is_v6 ? "[%.*s]:%u" : "%.*s:%u", INET6_ADDRSTRLEN,
             host, a->port);
}
