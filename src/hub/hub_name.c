#include "hub/hub_name.h"

#include "base/clean.h"
#include "base/limits.h"

static const char name_key[] = "hub.name";

struct reading {
    struct buffer *out;
    int result;
};

bool hub_name_is_valid(struct bytes name)
{
    return name.len > 0 && name.len <= LIMIT_NAME_BYTES && clean_is_clean(name) &&
           bytes_trim(name).len == name.len;
}

static void take_name(void *ctx, const struct store_value *value)
{
    struct reading *reading = ctx;
    reading->result = buffer_append_bytes(reading->out, value->bytes);
}

int hub_name_read(struct store *s, struct walltime now, struct buffer *out, uint64_t *ret_lsn)
{
    struct reading reading = {.out = out};
    int r =
        store_get(s, STORE_SYSTEM, bytes_from_str(name_key), now, take_name, &reading, ret_lsn);
    if (r == STORE_MISSING)
        return buffer_append_str(out, HUB_NAME_DEFAULT);
    return r != 0 ? r : reading.result;
}

static int put_name(void *ctx, struct store_slot *slots, size_t n)
{
    const struct bytes *name = ctx;
    if (slots[0].present && bytes_equal(slots[0].old.bytes, *name))
        return 0;
    slots[0].verdict = STORE_PUT;
    slots[0].value = *name;
    slots[0].expires = STORE_NO_EXPIRY;
    return 0;
}

int hub_name_write(struct store *s, struct walltime now, struct bytes name, uint64_t *ret_lsn)
{
    struct store_slot slot = {.key = bytes_from_str(name_key)};
    return store_update(s, STORE_SYSTEM, &slot, 1, now, put_name, &name, ret_lsn);
}
