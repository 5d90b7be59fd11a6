#ifndef KITH_IO_OWN_ADDRESSES_H
#define KITH_IO_OWN_ADDRESSES_H

/* The addresses of this machine's interfaces that are up, each with its subnet. */

#include "io/channel.h"
#include "peer/candidates.h"

/* At most max, loopback among them; how many. */
size_t own_addresses(struct own_address *out, size_t max);

bool own_addresses_equal(const struct own_address *a, size_t a_count,
                         const struct own_address *b, size_t b_count);

/* Of those, the first at which other machines may find this one: neither loopback nor
 * link-local, IPv6 or IPv4 as asked for. False where there is none. */
bool own_addresses_for_others(const struct own_address *own, size_t count, bool is_v6,
                              struct net_address *ret);

/* Is this end of a connection at none of them any more? False where that cannot be told. */
bool own_addresses_lack(const struct own_address *own, size_t count, const struct channel *c);

#endif
