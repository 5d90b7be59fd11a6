#include "people/introduction_record.h"

#include "base/number.h"

enum { VERSION = 1, HEAD_BYTES = 1 + 8, SIDE_BYTES = PUBLIC_KEY_BYTES + 1 /* and the name */ };

static size_t encode_side(uint8_t *out, const struct introduction_side *side)
{
    size_t n = strlen(side->key);
    memcpy(out, side->device.bytes, PUBLIC_KEY_BYTES);
    out[PUBLIC_KEY_BYTES] = (uint8_t)n;
    memcpy(out + SIDE_BYTES, side->key, n);
    return SIDE_BYTES + n;
}

struct bytes introduction_record_encode(uint8_t out[INTRODUCTION_RECORD_BYTES_MAX],
                                        const struct introduction *i, struct walltime since)
{
    size_t n = HEAD_BYTES;
    out[0] = VERSION;
    number_put_u64(out + 1, (uint64_t)since.ms);
    n += encode_side(out + n, &i->from);
    n += encode_side(out + n, &i->to);
    return bytes_make(out, n);
}

/* Takes a side off the front of *rest. */
static bool decode_side(struct bytes *rest, struct introduction_side *ret)
{
    if (rest->len < SIDE_BYTES)
        return false;
    size_t n = rest->data[PUBLIC_KEY_BYTES];
    struct bytes name = bytes_from(*rest, SIDE_BYTES);
    if (n > name.len || !account_name_is_valid(bytes_first(name, n)))
        return false;
    memcpy(ret->device.bytes, rest->data, PUBLIC_KEY_BYTES);
    account_name_fold(bytes_first(name, n), ret->key);
    *rest = bytes_from(name, n);
    return memcmp(ret->key, name.data, n) == 0;
}

bool introduction_record_decode(struct bytes record, struct introduction *ret,
                                struct walltime *ret_since)
{
    struct introduction i = {.from = {.candidates = NULL}};
    if (record.len < HEAD_BYTES || record.data[0] != VERSION)
        return false;
    struct walltime since = {(int64_t)number_get_u64(record.data + 1)};
    struct bytes rest = bytes_from(record, HEAD_BYTES);
    if (since.ms < 0 || !decode_side(&rest, &i.from) || !decode_side(&rest, &i.to) ||
        rest.len > 0)
        return false;
    *ret = i;
    *ret_since = since;
    return true;
}
