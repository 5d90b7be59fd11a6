#include "peer/transfer_path.h"

int transfer_path_enter(struct transfer_path *p, const struct transfer_entry *entry)
{
    bool folder = entry->kind == TRANSFER_FOLDER;
    if (entry->depth > p->depth || (folder && entry->depth >= LIMIT_TRANSFER_DEPTH))
        return TRANSFER_PATH_BEYOND;
    size_t len = entry->depth > 0 ? p->ends[entry->depth - 1] + (size_t)1 : 0;
    if (len > sizeof p->text || entry->name.len > sizeof p->text - len)
        return TRANSFER_PATH_BEYOND;
    if (len > 0)
        p->text[len - 1] = '/';
    memcpy(p->text + len, entry->name.data, entry->name.len);
    p->len = len + entry->name.len;
    p->depth = entry->depth;
    if (folder)
        p->ends[p->depth++] = (uint16_t)p->len;
    return 0;
}

struct bytes transfer_path_view(const struct transfer_path *p)
{
    return bytes_make(p->text, p->len);
}
