#ifndef KITH_WIRE_ENDPOINT_H
#define KITH_WIRE_ENDPOINT_H

/* Where a device may be reached: an address and a port, as members tell them to each other
 * through the hub. The text is ADDR:PORT for IPv4 (dotted, four numbers) and [ADDR]:PORT for
 * IPv6 (RFC 4291, section 2.2; no zone), at most ENDPOINT_TEXT_BYTES. Ports begin at
 * ENDPOINT_PORT_MIN, so that nobody is sent to a system's own services. */

#include "base/bytes.h"

enum {
    ENDPOINT_TEXT_BYTES = 64,
    ENDPOINT_PORT_MIN = 1024,
    ENDPOINT_ADDRESS_BYTES = 16,
    ENDPOINT_ADDRESS_TEXT_BYTES = 46, /* of an address alone, a NUL included */
};

struct endpoint {
    uint8_t address[ENDPOINT_ADDRESS_BYTES]; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t port;
};

/* False where the text is none, or its port too low. */
bool endpoint_read(struct bytes text, struct endpoint *ret);

/* The address alone, without brackets, as RFC 5952 has it; ends in a NUL. */
void endpoint_write_address(char out[ENDPOINT_ADDRESS_TEXT_BYTES],
                            const uint8_t address[ENDPOINT_ADDRESS_BYTES]);

#endif
