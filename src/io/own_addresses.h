#ifndef KITH_IO_OWN_ADDRESSES_H
#define KITH_IO_OWN_ADDRESSES_H

/* The addresses of this machine's interfaces that are up, each with its subnet. */

#include "peer/candidates.h"

/* At most max, loopback among them; how many. */
size_t own_addresses(struct own_address *out, size_t max);

#endif
