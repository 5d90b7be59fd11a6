#include "hub/push.h"

#include <stdlib.h>

static struct push *make(enum push_kind kind, struct bytes name, struct bytes value,
                         struct blob *blob)
{
    size_t copied = blob ? 0 : value.len;
    struct push *p = malloc(sizeof *p + name.len + copied);
    if (!p)
        return NULL;
    *p = (struct push){.kind = kind, .blob = blob ? blob_ref(blob) : NULL};
    atomic_init(&p->references, 1);
    if (name.len)
        memcpy(p->bytes, name.data, name.len);
    if (copied)
        memcpy(p->bytes + name.len, value.data, copied);
    p->name = bytes_make(p->bytes, name.len);
    p->value = blob ? value : bytes_make(p->bytes + name.len, copied);
    return p;
}

struct push *push_new_message(struct bytes channel, struct bytes message)
{
    return make(PUSH_MESSAGE, channel, message, NULL);
}

struct push *push_new_account(struct bytes folded)
{
    return make(PUSH_ACCOUNT, folded, bytes_make(NULL, 0), NULL);
}

struct push *push_new_change(const struct store_change *change)
{
    struct push *p = make(PUSH_CHANGE, change->key, change->value, change->blob);
    if (p) {
        p->change = change->kind;
        p->lsn = change->lsn;
    }
    return p;
}

struct push *push_new_notice(struct bytes account, struct bytes words)
{
    return make(PUSH_NOTICE, account, words, NULL);
}

struct push *push_ref(struct push *p)
{
    atomic_fetch_add_explicit(&p->references, 1, memory_order_relaxed);
    return p;
}

void push_unref(struct push *p)
{
    if (atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel) > 1)
        return;
    blob_unref(p->blob);
    free(p);
}

size_t push_bytes(const struct push *p)
{
    return sizeof *p + p->name.len + p->value.len;
}
