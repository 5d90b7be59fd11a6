#include "hub/letters.h"

#include <errno.h>
#include <stdlib.h>

enum {
    KEY_BYTES = 64,
    BOX_BYTES_MAX = 64 * 1024,
    RECORD_BYTES_MAX = LIMIT_LETTER_BYTES + 256,
};

struct key {
    uint8_t bytes[KEY_BYTES];
    size_t len;
};

static struct bytes view(const struct key *k)
{
    return bytes_make(k->bytes, k->len);
}

static void add(struct key *k, const void *bytes, size_t n)
{
    memcpy(k->bytes + k->len, bytes, n);
    k->len += n;
}

static struct key box_key(const struct fingerprint *device)
{
    struct key k = {.len = 0};
    add(&k, "letters:", 8);
    add(&k, device->bytes, FINGERPRINT_BYTES);
    return k;
}

static struct key letter_key(const struct fingerprint *device, const struct random_id *id)
{
    struct key k = {.len = 0};
    add(&k, "letter:", 7);
    add(&k, device->bytes, FINGERPRINT_BYTES);
    add(&k, id->bytes, RANDOM_ID_BYTES);
    return k;
}

/* A change of a box, and of letters in it. */
struct change {
    struct letterbox box;
    struct buffer box_record, letter_record;
    struct walltime now;
    const struct random_id *ids; /* those concerned; slots follow the box's, one each */
    size_t bytes;                /* of the letter that comes */
    const char *sender;
    size_t taken;
};

static struct change *change_new(struct walltime now, const struct random_id *ids)
{
    struct change *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->now = now;
    c->ids = ids;
    buffer_init(&c->box_record, BOX_BYTES_MAX);
    buffer_init(&c->letter_record, RECORD_BYTES_MAX);
    return c;
}

static void change_free(struct change *c)
{
    buffer_fini(&c->box_record);
    buffer_fini(&c->letter_record);
    free(c);
}

static struct walltime end_of(struct walltime since)
{
    return (struct walltime){since.ms + (int64_t)LIMIT_LETTER_MS};
}

/* The box as it is; empty where there is none. */
static bool open_box(struct change *c, const struct store_slot *slot)
{
    c->box.count = 0;
    if (slot->present && !letterbox_decode(slot->old.bytes, &c->box))
        return false;
    letterbox_tidy(&c->box, c->now);
    return true;
}

static int close_box(struct change *c, struct store_slot *slot)
{
    buffer_truncate(&c->box_record, 0);
    if (letterbox_encode(&c->box, &c->box_record) != 0)
        return -ENOMEM;
    slot->verdict = STORE_PUT;
    slot->value = buffer_view(&c->box_record);
    slot->expires = end_of(c->now);
    return 0;
}

static int put(void *ctx, struct store_slot *slots, size_t n)
{
    struct change *c = ctx;
    if (!open_box(c, &slots[0]))
        return LETTERS_DAMAGED;
    int r = letterbox_add(&c->box, c->ids, c->now, c->bytes, c->sender);
    if (r != 0)
        return r == LETTERBOX_KNOWN ? LETTERS_KNOWN : LETTERS_FULL;
    slots[1].verdict = STORE_PUT;
    slots[1].value = buffer_view(&c->letter_record);
    slots[1].expires = end_of(c->now);
    return close_box(c, &slots[0]);
}

int letters_put(struct store *s, struct walltime now, const struct fingerprint *device,
                const struct random_id *id, const struct letter *letter, const char *sender,
                uint64_t *ret_lsn)
{
    struct change *c = change_new(now, id);
    if (!c)
        return -ENOMEM;
    c->bytes = letter->sealed.len;
    c->sender = sender;
    struct key keys[] = {box_key(device), letter_key(device, id)};
    struct store_slot slots[] = {{.key = view(&keys[0])}, {.key = view(&keys[1])}};
    int r = letter_encode(letter, &c->letter_record);
    if (r == 0)
        r = store_update(s, STORE_SYSTEM, slots, 2, now, put, c, ret_lsn);
    change_free(c);
    return r;
}

static int take(void *ctx, struct store_slot *slots, size_t n)
{
    struct change *c = ctx;
    c->taken = 0;
    if (!open_box(c, &slots[0]))
        return LETTERS_DAMAGED;
    for (size_t i = 1; i < n; i++) {
        if (!letterbox_take(&c->box, &c->ids[i - 1]))
            continue;
        slots[i].verdict = STORE_REMOVE;
        c->taken++;
    }
    return c->taken > 0 ? close_box(c, &slots[0]) : 0;
}

int letters_take(struct store *s, struct walltime now, const struct fingerprint *device,
                 const struct random_id *ids, size_t n, size_t *ret_taken, uint64_t *ret_lsn)
{
    struct change *c = change_new(now, ids);
    struct key *keys = calloc(n + 1, sizeof *keys);
    struct store_slot *slots = calloc(n + 1, sizeof *slots);
    int r = -ENOMEM;
    if (c && keys && slots) {
        for (size_t i = 0; i <= n; i++) {
            keys[i] = i == 0 ? box_key(device) : letter_key(device, &ids[i - 1]);
            slots[i].key = view(&keys[i]);
        }
        r = store_update(s, STORE_SYSTEM, slots, n + 1, now, take, c, ret_lsn);
        *ret_taken = c->taken;
    }
    free(slots);
    free(keys);
    if (c)
        change_free(c);
    return r;
}

/* ---- reading ---- */

struct reading {
    struct letterbox box;
    bool damaged;
    const struct random_id *id;
    letters_see_fn see;
    void *ctx;
};

static void read_box(void *ctx, const struct store_value *value)
{
    struct reading *r = ctx;
    r->damaged = !letterbox_decode(value->bytes, &r->box);
}

static void read_letter(void *ctx, const struct store_value *value)
{
    struct reading *r = ctx;
    struct letter letter;
    if (letter_decode(value->bytes, &letter))
        r->see(r->ctx, r->id, &letter);
    else
        r->damaged = true;
}

static int read_all(struct reading *reading, struct store *s, struct walltime now,
                    const struct fingerprint *device, uint64_t *ret_lsn)
{
    struct key key = box_key(device);
    int r = store_get(s, STORE_SYSTEM, view(&key), now, read_box, reading, ret_lsn);
    for (size_t i = 0; (r == 0 || r == STORE_MISSING) && i < reading->box.count; i++) {
        uint64_t lsn = 0;
        if (reading->box.entries[i].bytes == 0)
            continue;
        reading->id = &reading->box.entries[i].id;
        key = letter_key(device, reading->id);
        r = store_get(s, STORE_SYSTEM, view(&key), now, read_letter, reading, &lsn);
        if (lsn > *ret_lsn)
            *ret_lsn = lsn;
    }
    if (r != 0 && r != STORE_MISSING)
        return r;
    return reading->damaged ? LETTERS_DAMAGED : 0;
}

int letters_each(struct store *s, struct walltime now, const struct fingerprint *device,
                 letters_see_fn see, void *ctx, uint64_t *ret_lsn)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return -ENOMEM;
    reading->see = see;
    reading->ctx = ctx;
    int r = read_all(reading, s, now, device, ret_lsn);
    free(reading);
    return r;
}
