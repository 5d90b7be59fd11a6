#ifndef KITH_CLIENT_KNOWN_HUBS_H
#define KITH_CLIENT_KNOWN_HUBS_H

/* The hubs somebody has met: which fingerprint each address had. A text, one a line,
 *
 *     ADDRESS FINGERPRINT
 *
 * with the address as where_format writes it. Lines that begin with '#', and what cannot be
 * understood, are kept and mean nothing. */

#include "base/buffer.h"

/* The fingerprint of an address; no bytes where there is none. */
struct bytes known_hubs_find(struct bytes text, struct bytes address);

/* Appends to out the text with that fingerprint for the address, in place of any other. What
 * buffer_append returns. */
int known_hubs_set(struct bytes text, struct bytes address, struct bytes fingerprint,
                   struct buffer *out);

#endif
