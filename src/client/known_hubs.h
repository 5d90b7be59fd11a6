#ifndef KITH_CLIENT_KNOWN_HUBS_H
#define KITH_CLIENT_KNOWN_HUBS_H

/* The hubs somebody has met: which fingerprint each address had. A text, one a line,
 *
 *     ADDRESS FINGERPRINT
 *
 * with the address as where_format writes it. Empty lines and those that begin with '#' are
 * kept and mean nothing. Any other line is damage, and so is the address that is looked for,
 * twice: no hub is believed then, and nothing written. */

#include "base/buffer.h"

enum { KNOWN_HUBS_DAMAGED = 100 };

/* The fingerprint of an address; no bytes where there is none. DAMAGED, in line *ret_line,
 * counted from 1. */
int known_hubs_find(struct bytes text, struct bytes address, struct bytes *ret,
                    size_t *ret_line);

/* Appends to out the text with that fingerprint for the address, in place of any other. The
 * text is one that known_hubs_find has taken. What buffer_append returns. */
int known_hubs_set(struct bytes text, struct bytes address, struct bytes fingerprint,
                   struct buffer *out);

#endif
