#include "client/agreed.h"

void agreed_add(struct agreed *a, struct bytes id, struct bytes name)
{
    struct random_id read;
    if (!random_id_read(id, &read) || !account_name_is_valid(name))
        return;
    size_t at = a->next++ % LIMIT_AGREED;
    a->list[at].id = read;
    memcpy(a->list[at].name, name.data, name.len);
    a->list[at].name[name.len] = '\0';
}

bool agreed_take(struct agreed *a, const struct notice *introduced)
{
    struct random_id id;
    if (introduced->kind != NOTICE_INTRODUCED || !random_id_read(introduced->id, &id))
        return false;
    for (size_t i = 0; i < LIMIT_AGREED; i++) {
        struct bytes name = bytes_from_str(a->list[i].name);
        if (name.len == 0 || !random_id_equal(&a->list[i].id, &id) ||
            !account_name_equal(name, introduced->name))
            continue;
        a->list[i].name[0] = '\0';
        return true;
    }
    return false;
}
