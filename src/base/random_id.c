#include "base/random_id.h"

bool random_id_equal(const struct random_id *a, const struct random_id *b)
{
    return memcmp(a->bytes, b->bytes, RANDOM_ID_BYTES) == 0;
}

void random_id_write(char out[RANDOM_ID_TEXT_LEN + 1], const struct random_id *id)
{
    base64url_write(out, id->bytes, RANDOM_ID_BYTES);
}

bool random_id_read(struct bytes text, struct random_id *ret)
{
    return base64url_read(text, ret->bytes, RANDOM_ID_BYTES);
}
