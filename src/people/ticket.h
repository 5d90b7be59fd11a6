#ifndef KITH_PEOPLE_TICKET_H
#define KITH_PEOPLE_TICKET_H

/* A secret of 256 random bits that stands for a right: a program's token, an invite, the setup
 * token. Who may has the text, TICKET_TEXT_LEN characters of base64url; the hub keeps its
 * BLAKE2b hash alone. */

#include "base/base64url.h"

enum {
    TICKET_SECRET_BYTES = 32,
    TICKET_HASH_BYTES = 32,
    TICKET_TEXT_LEN = BASE64URL_LEN(TICKET_SECRET_BYTES),
};

struct ticket {
    uint8_t hash[TICKET_HASH_BYTES];
};

/* Of 32 random bytes; the text ends in a NUL. */
struct ticket ticket_new(const uint8_t secret[TICKET_SECRET_BYTES],
                         char ret_text[TICKET_TEXT_LEN + 1]);

/* False where the text is none. */
bool ticket_read(struct bytes text, struct ticket *ret);

bool ticket_equal(const struct ticket *a, const struct ticket *b);

#endif
