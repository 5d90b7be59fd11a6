#include "peer/peer_id.h"

#include <sodium.h>

bool peer_id_equal(const struct peer_id *a, const struct peer_id *b)
{
    return memcmp(a->bytes, b->bytes, PEER_ID_BYTES) == 0;
}

void peer_id_write(char out[PEER_ID_TEXT_LEN + 1], const struct peer_id *id)
{
    sodium_bin2base64(out, PEER_ID_TEXT_LEN + 1, id->bytes, PEER_ID_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool peer_id_read(struct bytes text, struct peer_id *ret)
{
    struct peer_id id;
    size_t n;
    const char *end;
    if (text.len != PEER_ID_TEXT_LEN ||
        sodium_base642bin(id.bytes, PEER_ID_BYTES, (const char *)text.data, text.len, NULL, &n,
                          &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        n != PEER_ID_BYTES || end != (const char *)text.data + text.len)
        return false;
    *ret = id;
    return true;
}
