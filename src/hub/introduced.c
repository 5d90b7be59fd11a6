#include "hub/introduced.h"

#include "people/introduction_record.h"

#define PREFIX "introduced:"

enum {
    PREFIX_BYTES = sizeof PREFIX - 1,
    KEY_BYTES = PREFIX_BYTES + RANDOM_ID_BYTES,
};

static struct bytes write_key(uint8_t out[KEY_BYTES], const struct random_id *id)
{
    memcpy(out, PREFIX, PREFIX_BYTES);
    memcpy(out + PREFIX_BYTES, id->bytes, RANDOM_ID_BYTES);
    return bytes_make(out, KEY_BYTES);
}

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
    uint8_t keys[2][KEY_BYTES], record[INTRODUCTION_RECORD_BYTES_MAX];
    struct store_slot slots[] = {{.key = write_key(keys[0], forgotten)},
                                 {.key = write_key(keys[1], &i->id)}};
    struct keeping keeping = {introduction_record_encode(record, i, now),
                              {now.ms + (int64_t)LIMIT_INTRODUCED_MS}};
    uint64_t lsn;
    return store_update(s, STORE_SYSTEM, slots, 2, now, keep, &keeping, &lsn);
}

struct reading {
    struct introduction what;
    struct walltime since;
    bool whole;
};

static void take(void *ctx, const struct store_value *value)
{
    struct reading *r = ctx;
    r->whole = introduction_record_decode(value->bytes, &r->what, &r->since);
}

bool introduced_find(struct store *s, struct walltime now, const struct random_id *id,
                     struct introduction *ret, struct walltime *ret_since)
{
    uint8_t key[KEY_BYTES];
    uint64_t lsn;
    struct reading reading = {.whole = false};
    int r = store_get(s, STORE_SYSTEM, write_key(key, id), now, take, &reading, &lsn);
    if (r != 0 || !reading.whole)
        return false;
    *ret = reading.what;
    ret->id = *id;
    *ret_since = reading.since;
    return true;
}
