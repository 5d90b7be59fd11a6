#ifndef KITH_PEER_PEER_ID_H
#define KITH_PEER_PEER_ID_H

/* What an introduction and a letter are known by: 128 random bits, 22 characters of base64url
 * (RFC 4648, section 5, without padding) where they are text. */

#include "base/bytes.h"

enum { PEER_ID_BYTES = 16, PEER_ID_TEXT_LEN = 22 };

struct peer_id {
    uint8_t bytes[PEER_ID_BYTES];
};

bool peer_id_equal(const struct peer_id *a, const struct peer_id *b);

/* Ends in a NUL. */
void peer_id_write(char out[PEER_ID_TEXT_LEN + 1], const struct peer_id *id);

/* False where the text is none. */
bool peer_id_read(struct bytes text, struct peer_id *ret);

#endif
