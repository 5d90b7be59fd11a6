#include "people/ticket.h"

#include <sodium.h>

static struct ticket hash(const uint8_t secret[TICKET_SECRET_BYTES])
{
    struct ticket t;
    crypto_generichash(t.hash, sizeof t.hash, secret, TICKET_SECRET_BYTES, NULL, 0);
    return t;
}

struct ticket ticket_new(const uint8_t secret[TICKET_SECRET_BYTES],
                         char ret_text[TICKET_TEXT_LEN + 1])
{
    base64url_write(ret_text, secret, TICKET_SECRET_BYTES);
    return hash(secret);
}

bool ticket_read(struct bytes text, struct ticket *ret)
{
    uint8_t secret[TICKET_SECRET_BYTES];
    bool is_one = base64url_read(text, secret, sizeof secret);
    if (is_one)
        *ret = hash(secret);
    sodium_memzero(secret, sizeof secret);
    return is_one;
}

bool ticket_equal(const struct ticket *a, const struct ticket *b)
{
    return sodium_memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}
