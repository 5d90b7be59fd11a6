#include "peer/pair.h"

static bool set_name(char to[PAIR_NAME_BYTES + 1], struct bytes name)
{
    if (name.len == 0 || name.len > PAIR_NAME_BYTES)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        to[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    to[name.len] = '\0';
    return true;
}

int pair_init(struct pair *p, const struct random_id *id, struct bytes own_name,
              const struct public_key *own_key, struct bytes other_name,
              const struct public_key *other_key)
{
    struct pair made = {.id = *id, .own.key = *own_key, .other.key = *other_key};
    if (!set_name(made.own.name, own_name) || !set_name(made.other.name, other_name) ||
        memcmp(own_key, other_key, sizeof *own_key) == 0)
        return PAIR_INVALID;
    *p = made;
    return 0;
}

bool pair_is_first(const struct pair *p)
{
    return memcmp(p->own.key.bytes, p->other.key.bytes, PUBLIC_KEY_BYTES) < 0;
}
