#include "hub/introduced.h"

#include "base/number.h"

#define PREFIX "introduced:"

enum {
    VERSION = 1,
    PREFIX_BYTES = sizeof PREFIX - 1,
    KEY_BYTES = PREFIX_BYTES + RANDOM_ID_BYTES,
    HEAD_BYTES = 1 + 8,
    SIDE_BYTES = PUBLIC_KEY_BYTES + 1, /* and the name */
    RECORD_BYTES_MAX = HEAD_BYTES + 2 * (SIDE_BYTES + ACCOUNT_NAME_BYTES),
};

static struct bytes write_key(uint8_t out[KEY_BYTES], const struct random_id *id)
{
    memcpy(out, PREFIX, PREFIX_BYTES);
    memcpy(out + PREFIX_BYTES, id->bytes, RANDOM_ID_BYTES);
    return bytes_make(out, KEY_BYTES);
}

/* ---- the record ---- */

static size_t encode_side(uint8_t *out, const struct introduction_side *side)
{
    size_t n = strlen(side->key);
    memcpy(out, side->device.bytes, PUBLIC_KEY_BYTES);
    out[PUBLIC_KEY_BYTES] = (uint8_t)n;
    memcpy(out + SIDE_BYTES, side->key, n);
    return SIDE_BYTES + n;
}

static struct bytes encode(uint8_t out[RECORD_BYTES_MAX], const struct introduction *i,
                           struct walltime since)
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
    return true;
}

struct reading {
    struct introduction what;
    struct walltime since;
    bool whole;
};

static void decode(void *ctx, const struct store_value *value)
{
    struct reading *r = ctx;
    struct bytes rest = value->bytes;
    if (rest.len < HEAD_BYTES || rest.data[0] != VERSION)
        return;
    r->since.ms = (int64_t)number_get_u64(rest.data + 1);
    rest = bytes_from(rest, HEAD_BYTES);
    r->whole =
        decode_side(&rest, &r->what.from) && decode_side(&rest, &r->what.to) && rest.len == 0;
}

/* ---- the keyspace ---- */

struct keeping {
    struct bytes record;
    struct walltime expires;
};

/* The last slot wins where both are the same. */
static int keep(void *ctx, struct store_slot *slots, size_t n)
{
    const struct keeping *k = ctx;
    slots[0].verdict = STORE_REMOVE;
    slots[1].verdict = STORE_PUT;
    slots[1].value = k->record;
    slots[1].expires = k->expires;
    return 0;
}

int introduced_keep(struct store *s, struct walltime now, const struct introduction *i,
                    const struct random_id *forgotten)
{
    uint8_t keys[2][KEY_BYTES], record[RECORD_BYTES_MAX];
    struct store_slot slots[] = {{.key = write_key(keys[0], forgotten)},
                                 {.key = write_key(keys[1], &i->id)}};
    struct keeping keeping = {encode(record, i, now), {now.ms + (int64_t)LIMIT_INTRODUCED_MS}};
    uint64_t lsn;
    return store_update(s, STORE_SYSTEM, slots, 2, now, keep, &keeping, &lsn);
}

bool introduced_find(struct store *s, struct walltime now, const struct random_id *id,
                     struct introduction *ret, struct walltime *ret_since)
{
    uint8_t key[KEY_BYTES];
    uint64_t lsn;
    struct reading reading = {.what = {.id = *id}};
    int r = store_get(s, STORE_SYSTEM, write_key(key, id), now, decode, &reading, &lsn);
    if (r != 0 || !reading.whole)
        return false;
    *ret = reading.what;
    *ret_since = reading.since;
    return true;
}
