#include "people/letter.h"

#include "base/hash.h"
#include "base/number.h"

enum {
    VERSION = 1,
    HEAD_BYTES = 1 + 8 + FINGERPRINT_BYTES + 1,
    ENTRY_BYTES = RANDOM_ID_BYTES + 8 + 4 + 8,
};

int letter_encode(const struct letter *l, struct buffer *out)
{
    uint8_t head[HEAD_BYTES] = {VERSION};
    number_put_u64(head + 1, (uint64_t)l->since.ms);
    memcpy(head + 9, l->from.bytes, FINGERPRINT_BYTES);
    head[HEAD_BYTES - 1] = (uint8_t)l->from_name.len;
    size_t before = buffer_len(out);
    int r = buffer_append(out, head, sizeof head);
    if (r == 0)
        r = buffer_append_bytes(out, l->from_name);
    if (r == 0)
        r = buffer_append_bytes(out, l->sealed);
    if (r != 0)
        buffer_truncate(out, before);
    return r;
}

bool letter_decode(struct bytes record, struct letter *ret)
{
    if (record.len < HEAD_BYTES || record.data[0] != VERSION)
        return false;
    size_t name = record.data[HEAD_BYTES - 1];
    struct bytes rest = bytes_from(record, HEAD_BYTES);
    if (name >= rest.len || rest.len - name > LIMIT_LETTER_BYTES ||
        !account_name_is_valid(bytes_first(rest, name)))
        return false;
    ret->since.ms = (int64_t)number_get_u64(record.data + 1);
    memcpy(ret->from.bytes, record.data + 9, FINGERPRINT_BYTES);
    ret->from_name = bytes_first(rest, name);
    ret->sealed = bytes_from(rest, name);
    return true;
}

/* ---- the box ---- */

static struct letterbox_entry entry_decode(const uint8_t *at)
{
    struct letterbox_entry e;
    memcpy(e.id.bytes, at, RANDOM_ID_BYTES);
    e.since.ms = (int64_t)number_get_u64(at + RANDOM_ID_BYTES);
    e.bytes = number_get_u32(at + RANDOM_ID_BYTES + 8);
    e.sender = number_get_u64(at + RANDOM_ID_BYTES + 12);
    return e;
}

bool letterbox_decode(struct bytes record, struct letterbox *ret)
{
    if (record.len < 1 || record.data[0] != VERSION || (record.len - 1) % ENTRY_BYTES != 0 ||
        (record.len - 1) / ENTRY_BYTES > LETTERBOX_ENTRIES)
        return false;
    ret->count = (record.len - 1) / ENTRY_BYTES;
    for (size_t i = 0; i < ret->count; i++)
        ret->entries[i] = entry_decode(record.data + 1 + i * ENTRY_BYTES);
    return true;
}

int letterbox_encode(const struct letterbox *b, struct buffer *out)
{
    size_t before = buffer_len(out);
    int r = buffer_append(out, &(uint8_t){VERSION}, 1);
    for (size_t i = 0; r == 0 && i < b->count; i++) {
        const struct letterbox_entry *e = &b->entries[i];
        uint8_t to[ENTRY_BYTES];
        memcpy(to, e->id.bytes, RANDOM_ID_BYTES);
        number_put_u64(to + RANDOM_ID_BYTES, (uint64_t)e->since.ms);
        number_put_u32(to + RANDOM_ID_BYTES + 8, e->bytes);
        number_put_u64(to + RANDOM_ID_BYTES + 12, e->sender);
        r = buffer_append(out, to, sizeof to);
    }
    if (r != 0)
        buffer_truncate(out, before);
    return r;
}

static void forget(struct letterbox *b, size_t i)
{
    b->count--;
    memmove(&b->entries[i], &b->entries[i + 1], (b->count - i) * sizeof *b->entries);
}

void letterbox_tidy(struct letterbox *b, struct walltime now)
{
    for (size_t i = b->count; i-- > 0;)
        if (b->entries[i].since.ms + (int64_t)LIMIT_LETTER_MS <= now.ms)
            forget(b, i);
}

static struct letterbox_entry *find(struct letterbox *b, const struct random_id *id)
{
    for (size_t i = 0; i < b->count; i++)
        if (random_id_equal(&b->entries[i].id, id))
            return &b->entries[i];
    return NULL;
}

size_t letterbox_waiting(const struct letterbox *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->count; i++)
        n += b->entries[i].bytes > 0;
    return n;
}

static bool has_room(const struct letterbox *b, size_t bytes, uint64_t sender)
{
    size_t waiting = 0, of_sender = 0;
    for (size_t i = 0; i < b->count; i++) {
        waiting += b->entries[i].bytes;
        of_sender += b->entries[i].bytes > 0 && b->entries[i].sender == sender;
    }
    return letterbox_waiting(b) < LIMIT_LETTERS && of_sender < LIMIT_LETTERS_OF_SENDER &&
           waiting + bytes <= LIMIT_LETTERS_BYTES;
}

int letterbox_add(struct letterbox *b, const struct random_id *id, struct walltime since,
                  size_t bytes, const char *sender)
{
    uint64_t hash = hash_bytes(bytes_from_str(sender), 0);
    if (find(b, id))
        return LETTERBOX_KNOWN;
    if (!has_room(b, bytes, hash))
        return LETTERBOX_FULL;
    b->entries[b->count++] = (struct letterbox_entry){
        .id = *id, .since = since, .bytes = (uint32_t)bytes, .sender = hash};
    return 0;
}

/* The first that was taken makes room for another that is. */
static void forget_taken(struct letterbox *b)
{
    size_t taken = b->count - letterbox_waiting(b);
    for (size_t i = 0; i < b->count && taken > LIMIT_LETTERS_TAKEN; i++) {
        if (b->entries[i].bytes > 0)
            continue;
        forget(b, i--);
        taken--;
    }
}

bool letterbox_take(struct letterbox *b, const struct random_id *id)
{
    struct letterbox_entry *e = find(b, id);
    if (!e || e->bytes == 0)
        return false;
    e->bytes = 0;
    forget_taken(b);
    return true;
}
