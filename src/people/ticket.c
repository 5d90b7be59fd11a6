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
    sodium_bin2base64(ret_text, TICKET_TEXT_LEN + 1, secret, TICKET_SECRET_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return hash(secret);
}

bool ticket_read(struct bytes text, struct ticket *ret)
{
    uint8_t secret[TICKET_SECRET_BYTES];
    size_t n = 0;
    const char *end = NULL;
    bool is_one =
        text.len == TICKET_TEXT_LEN &&
        sodium_base642bin(secret, sizeof secret, (const char *)text.data, text.len, NULL, &n,
                          &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
        n == sizeof secret && end == (const char *)text.data + text.len;
    if (is_one)
        *ret = hash(secret);
    sodium_memzero(secret, sizeof secret);
    return is_one;
}

bool ticket_equal(const struct ticket *a, const struct ticket *b)
{
    return sodium_memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}
