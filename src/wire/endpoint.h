#ifndef KITH_WIRE_ENDPOINT_H
#define KITH_WIRE_ENDPOINT_H

/* Where a device may be reached: an address and a port, as members tell them to each other
 * through the hub. The text is ADDR:PORT for IPv4 and [ADDR]:PORT for IPv6, less than
 * ENDPOINT_TEXT_BYTES. Below ENDPOINT_PORT_MIN are a system's own services, to which nobody is
 * to be sent: who takes endpoints from others refuses those. */

#include "wire/net_address.h"

enum { ENDPOINT_TEXT_BYTES = 64, ENDPOINT_PORT_MIN = 1024 };

struct endpoint {
    struct net_address address;
    uint16_t port; /* from 1 */
};

/* False where the text is none; ret is then as it was. */
bool endpoint_read(struct bytes text, struct endpoint *ret);

/* Ends in a NUL. */
void endpoint_write(char out[ENDPOINT_TEXT_BYTES], const struct endpoint *e);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

#endif
