#ifndef KITH_WIRE_NET_ADDRESS_H
#define KITH_WIRE_NET_ADDRESS_H

/* The address of a machine: dotted, four numbers, or IPv6 (RFC 4291, section 2.2). A number,
 * never a name, without a zone. An IPv4 address written as an IPv6 one is the IPv4 address. */

#include "base/bytes.h"

enum {
    NET_ADDRESS_BYTES = 16,
    NET_ADDRESS_TEXT_BYTES = 46, /* a NUL included */
};

/* Zeroed, it is unspecified. */
struct net_address {
    uint8_t bytes[NET_ADDRESS_BYTES]; /* IPv4 as ::ffff:a.b.c.d (section 2.5.5.2) */
};

/* False where the text is none; ret is then as it was. */
bool net_address_read(struct bytes text, struct net_address *ret);

/* Without brackets, as RFC 5952 has it; ends in a NUL. */
void net_address_write(char out[NET_ADDRESS_TEXT_BYTES], const struct net_address *a);

bool net_address_equal(const struct net_address *a, const struct net_address *b);
/* What one machine may have all addresses of: of IPv6 the network, with zeros behind its 64
 * bits; of IPv4 the address. */
struct net_address net_address_network(const struct net_address *a);

bool net_address_is_v4(const struct net_address *a);
bool net_address_is_loopback(const struct net_address *a);

#endif
