#include "hub/hub_key.h"

#include <errno.h>
#include <string.h>

static const char key_key[] = "hub.key";

struct obtaining {
    const uint8_t *fresh;
    uint8_t *ret;
};

static int obtain(void *ctx, struct store_slot *slots, size_t n)
{
    const struct obtaining *o = ctx;
    struct bytes kept = bytes_make(o->fresh, IDENTITY_SEED_BYTES);
    if (slots[0].present) {
        kept = slots[0].old.bytes;
    } else {
        slots[0].verdict = STORE_PUT;
        slots[0].value = kept;
        slots[0].expires = STORE_NO_EXPIRY;
    }
    if (kept.len != IDENTITY_SEED_BYTES)
        return -EBADMSG;
    memcpy(o->ret, kept.data, IDENTITY_SEED_BYTES);
    return 0;
}

int hub_key_obtain(struct store *s, struct walltime now,
                   const uint8_t fresh[IDENTITY_SEED_BYTES], uint8_t ret[IDENTITY_SEED_BYTES],
                   uint64_t *ret_lsn)
{
    struct obtaining o = {fresh, ret};
    struct store_slot slot = {.key = bytes_from_str(key_key)};
    return store_update(s, STORE_SYSTEM, &slot, 1, now, obtain, &o, ret_lsn);
}
