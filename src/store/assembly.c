#include "store/assembly.h"

#include "base/buffer.h"
#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>

struct assembled {
    struct assembled *next;
    uint64_t id;
    struct buffer value;
    struct blob *blob; /* what value has become when it was taken; else NULL */
    size_t len;        /* its length */
};

/* The link that holds it, or the NULL at the end. */
static struct assembled **find(struct assembly *a, uint64_t id)
{
    struct assembled **link = &a->first;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

static void remove_at(struct assembled **link)
{
    struct assembled *gone = *link;
    *link = gone->next;
    buffer_fini(&gone->value);
    blob_unref(gone->blob);
    free(gone);
}

void assembly_fini(struct assembly *a)
{
    while (a->first)
        remove_at(&a->first);
}

int assembly_add(struct assembly *a, uint64_t id, bool starts, struct bytes part)
{
    struct assembled *value = *find(a, id);
    if (!value && !starts)
        return 0;
    if (!value) {
        value = malloc(sizeof *value);
        if (!value)
            return -ENOMEM;
        *value = (struct assembled){.next = a->first, .id = id};
        buffer_init(&value->value, LIMIT_VALUE_BYTES);
        a->first = value;
    }
    int r = buffer_append_bytes(&value->value, part);
    /* Longer than a value can be: whoever asks for it will not find it. */
    return r < 0 ? r : 0;
}

/* The value's memory becomes a blob's. */
static int become_blob(struct assembled *a)
{
    if (a->blob)
        return 0;
    a->len = buffer_len(&a->value);
    a->blob = blob_new(a->value.data, a->len, NULL);
    if (!a->blob)
        return -ENOMEM;
    a->value = (struct buffer){0};
    return 0;
}

int assembly_take(struct assembly *a, uint64_t id, size_t len, struct blob **ret)
{
    struct assembled *value = *find(a, id);
    int r = value ? become_blob(value) : ASSEMBLY_UNKNOWN;
    if (r != 0)
        return r;
    a->taken = true;
    if (value->len != len)
        return ASSEMBLY_UNKNOWN;
    *ret = blob_ref(value->blob);
    return 0;
}

void assembly_settle(struct assembly *a)
{
    if (!a->taken)
        return;
    a->taken = false;
    struct assembled **link = &a->first;
    while (*link)
        if ((*link)->blob)
            remove_at(link);
        else
            link = &(*link)->next;
}

void assembly_drop(struct assembly *a, uint64_t id)
{
    struct assembled **link = find(a, id);
    if (*link)
        remove_at(link);
}
