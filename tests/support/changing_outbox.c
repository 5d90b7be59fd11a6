#include "support/changing_outbox.h"

#include "support/faulty_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct changing_outbox *of(struct outbox *o)
{
    return (struct changing_outbox *)o;
}

static struct changing_file *current(struct changing_outbox *o)
{
    return &o->files[o->asked];
}

static bool draws(struct changing_outbox *o, unsigned one_in)
{
    return one_in > 0 && faulty_random(&o->seed) % one_in == 0;
}

static bool is_fixed(const struct changing_file *f)
{
    return f->entry.kind != TRANSFER_FILE || f->entry.size == TRANSFER_SIZE_UNKNOWN;
}

void changing_outbox_change(struct changing_file *f)
{
    if (!is_fixed(f))
        f->version = f->versions++;
}

/* Before each call for the open file. */
static int call(struct changing_outbox *o)
{
    if (draws(o, o->change_in))
        changing_outbox_change(current(o));
    return draws(o, o->fail_in) ? -EIO : 0;
}

static uint64_t size_of(const struct changing_file *f, uint64_t version)
{
    if (version == 0)
        return f->size;
    uint64_t seed = f->seed + version;
    uint64_t n = faulty_random(&seed);
    uint64_t max =
        2 * f->size + 10 < CHANGING_FILE_BYTES ? 2 * f->size + 10 : CHANGING_FILE_BYTES;
    return n % 4 == 0 ? f->size : n % max;
}

static void make_content(struct changing_outbox *o, const struct changing_file *f,
                         uint64_t version)
{
    uint64_t seed = f->seed * 31 + version;
    uint64_t chunk_seed = seed;
    bool hole = false;
    o->made_len = (size_t)size_of(f, version);
    memset(o->scratch, 0, o->made_len);
    for (size_t at = 0; at < o->made_len; at += sizeof seed) {
        if (at % TRANSFER_CHUNK_BYTES == 0)
            hole = f->sparse && faulty_random(&chunk_seed) % 2 == 0;
        size_t left = o->made_len - at;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (!hole)
            memcpy(o->scratch + at, &seed, left < sizeof seed ? left : sizeof seed);
    }
}

struct bytes changing_outbox_content(struct changing_outbox *o, uint64_t number,
                                     uint64_t version)
{
    if (o->made_file != (int64_t)number || o->made_version != (int64_t)version)
        make_content(o, &o->files[number], version);
    o->made_file = (int64_t)number;
    o->made_version = (int64_t)version;
    return bytes_make(o->scratch, o->made_len);
}

static int do_entry(struct outbox *i, uint64_t number, struct transfer_entry *ret)
{
    struct changing_outbox *o = of(i);
    if (number >= o->count)
        return OUTBOX_END;
    o->asked = number;
    *ret = o->files[number].entry;
    return 0;
}

static int do_open(struct outbox *i)
{
    struct changing_outbox *o = of(i);
    int r = call(o);
    if (r != 0)
        return r;
    if (current(o)->gone)
        return OUTBOX_GONE;
    o->opened = current(o)->version;
    return o->opened == 0 ? 0 : OUTBOX_CHANGED;
}

static int do_look(struct outbox *i, struct transfer_entry *ret)
{
    struct changing_outbox *o = of(i);
    int r = call(o);
    if (r != 0)
        return r;
    o->opened = current(o)->version;
    *ret = current(o)->entry;
    ret->size = size_of(current(o), o->opened);
    ret->seconds = (int64_t)o->opened;
    return 0;
}

static int do_check(struct outbox *i)
{
    struct changing_outbox *o = of(i);
    int r = call(o);
    return r == 0 && current(o)->version != o->opened ? OUTBOX_CHANGED : r;
}

static int do_read(struct outbox *i, uint64_t offset, uint8_t *into, size_t room, size_t *ret_n)
{
    struct changing_outbox *o = of(i);
    int r = call(o);
    if (r != 0)
        return r;
    struct bytes data = changing_outbox_content(o, o->asked, current(o)->version);
    size_t n = offset < data.len ? data.len - (size_t)offset : 0;
    *ret_n = n < room ? n : room;
    if (*ret_n > 0)
        memcpy(into, data.data + offset, *ret_n);
    return 0;
}

static int do_next_data(struct outbox *i, uint64_t offset, uint64_t *ret)
{
    struct changing_outbox *o = of(i);
    int r = call(o);
    if (r != 0)
        return r;
    struct bytes data = changing_outbox_content(o, o->asked, current(o)->version);
    size_t at = (size_t)offset;
    while (current(o)->sparse && at < data.len && data.data[at] == 0)
        at++;
    *ret = at < data.len ? at : data.len;
    return 0;
}

static void do_kept(struct outbox *i, uint64_t number, uint64_t offset)
{
}

static const struct outbox_ops ops = {
    .entry = do_entry,
    .open = do_open,
    .look = do_look,
    .check = do_check,
    .read = do_read,
    .next_data = do_next_data,
    .kept = do_kept,
};

void changing_outbox_init(struct changing_outbox *o, uint64_t seed)
{
    *o = (struct changing_outbox){
        .outbox.ops = &ops, .seed = seed, .made_file = -1, .made_version = -1};
    o->scratch = malloc(CHANGING_FILE_BYTES);
    if (!o->scratch)
        abort();
}

void changing_outbox_fini(struct changing_outbox *o)
{
    free(o->scratch);
}

struct changing_file *changing_outbox_add(struct changing_outbox *o, enum transfer_kind kind,
                                          unsigned depth, const char *name, uint64_t size)
{
    if (o->count == CHANGING_ENTRIES)
        abort();
    struct changing_file *f = &o->files[o->count];
    *f = (struct changing_file){.seed = o->seed + o->count, .size = size, .versions = 1};
    snprintf(f->name, sizeof f->name, "%s", name);
    f->entry = (struct transfer_entry){.number = o->count++,
                                       .kind = kind,
                                       .depth = depth,
                                       .size = size,
                                       .name = bytes_from_str(f->name)};
    return f;
}
