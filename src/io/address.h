#ifndef KITH_IO_ADDRESS_H
#define KITH_IO_ADDRESS_H

/* One end of a TCP connection: an IPv4 or IPv6 address and a port. An IPv4 address that comes
 * inside an IPv6 one (::ffff:127.0.0.1), as a socket for both tells it, is IPv4 here. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { ADDRESS_TEXT_BYTES = INET6_ADDRSTRLEN + 8 };

struct address {
    bool is_v6;
    struct in_addr v4;
    struct in6_addr v6;
    uint16_t port;
};

/* A connected or bound socket's own end, or its peer's. -errno; -EAFNOSUPPORT for other kinds.
 */
int address_of_self(int fd, struct address *ret);
int address_of_peer(int fd, struct address *ret);

/* The address alone, as one of IPv6: an IPv4 one inside it, ::ffff:a.b.c.d. */
void address_as_v6(const struct address *a, uint8_t out[16]);

bool address_is_loopback(const struct address *a);

/* "127.0.0.1", "::1" */
void address_host(const struct address *a, char out[ADDRESS_TEXT_BYTES]);

/* "127.0.0.1:12345", "[::1]:12345" */
void address_format(const struct address *a, char out[ADDRESS_TEXT_BYTES]);

#endif
