#include "support/faulty_disk.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512 };

struct content {
    uint8_t *data;
    uint64_t size, capacity;
};

struct inode {
    size_t references;    /* names, items and open files */
    struct content seen;  /* what programs read */
    struct content solid; /* what a power cut leaves, items apart */
};

struct name {
    char text[DISK_NAME_BYTES];
    struct inode *inode;
};

struct names {
    struct name *list;
    size_t count, capacity;
};

enum item_kind { ITEM_WRITE, ITEM_LINK, ITEM_RENAME, ITEM_REMOVE };

struct item {
    enum item_kind kind;
    struct inode *inode;
    char name[DISK_NAME_BYTES], to[DISK_NAME_BYTES];
    uint64_t at;
    uint8_t *data;
    size_t n;
};

struct faulty_disk {
    struct disk disk;
    pthread_mutex_t lock;
    struct names seen, solid;
    struct item *items;
    size_t item_count, item_capacity;
    void (*before)(void *ctx);
    void *before_ctx;
    uint64_t changes, fail_in, limit;
    int fail_error;
};

struct disk_file {
    struct inode *inode;
};

uint64_t faulty_random(uint64_t *seed)
{
    uint64_t x = *seed += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void name_copy(char to[DISK_NAME_BYTES], const char *from)
{
    snprintf(to, DISK_NAME_BYTES, "%s", from);
}

/* ---- contents */

static void content_resize(struct content *c, uint64_t size)
{
    if (size > c->capacity) {
        c->capacity = size < 2 * c->capacity ? 2 * c->capacity : size;
        c->data = must(realloc(c->data, c->capacity));
    }
    if (size > c->size)
        memset(c->data + c->size, 0, size - c->size);
    c->size = size;
}

static void content_write(struct content *c, uint64_t at, const uint8_t *data, size_t n)
{
    if (n == 0)
        return;
    if (at + n > c->size)
        content_resize(c, at + n);
    memcpy(c->data + at, data, n);
}

static void content_copy(struct content *to, const struct content *from)
{
    to->size = 0;
    content_write(to, 0, from->data, from->size);
}

static struct inode *inode_new(void)
{
    return must(calloc(1, sizeof(struct inode)));
}

static struct inode *inode_ref(struct inode *i)
{
    i->references++;
    return i;
}

static void inode_unref(struct inode *i)
{
    if (--i->references > 0)
        return;
    free(i->seen.data);
    free(i->solid.data);
    free(i);
}

/* ---- names */

static struct name *names_find(struct names *s, const char *text)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->list[i].text, text) == 0)
            return &s->list[i];
    return NULL;
}

static void names_remove(struct names *s, struct name *n)
{
    inode_unref(n->inode);
    *n = s->list[--s->count];
}

static void names_set(struct names *s, const char *text, struct inode *inode)
{
    inode_ref(inode);
    struct name *n = names_find(s, text);
    if (n) {
        inode_unref(n->inode);
    } else {
        if (s->count == s->capacity) {
            s->capacity = s->capacity ? 2 * s->capacity : 8;
            s->list = must(realloc(s->list, s->capacity * sizeof *s->list));
        }
        n = &s->list[s->count++];
        name_copy(n->text, text);
    }
    n->inode = inode;
}

static bool names_hold(const struct names *s, const struct inode *inode)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].inode == inode)
            return true;
    return false;
}

static void names_fini(struct names *s)
{
    while (s->count)
        names_remove(s, &s->list[0]);
    free(s->list);
}

/* What a change of a name does. It is about one file: where the name has come to mean another,
 * because an earlier change was lost, it does nothing to that. */
static void names_apply(struct names *s, const struct item *item, struct inode *inode)
{
    struct name *n = names_find(s, item->name);
    switch (item->kind) {
    case ITEM_LINK:
        names_set(s, item->name, inode);
        break;
    case ITEM_RENAME:
        if (n && n->inode == inode)
            names_remove(s, n);
        names_set(s, item->to, inode);
        break;
    case ITEM_REMOVE:
        if (n && n->inode == inode)
            names_remove(s, n);
        break;
    case ITEM_WRITE:
        break;
    }
}

/* ---- items */

static struct item *add_item(struct faulty_disk *f, enum item_kind kind, struct inode *inode)
{
    if (f->item_count == f->item_capacity) {
        f->item_capacity = f->item_capacity ? 2 * f->item_capacity : 16;
        f->items = must(realloc(f->items, f->item_capacity * sizeof *f->items));
    }
    struct item *item = &f->items[f->item_count++];
    *item = (struct item){.kind = kind, .inode = inode_ref(inode)};
    return item;
}

static void item_fini(struct item *item)
{
    inode_unref(item->inode);
    free(item->data);
}

/* Removes those items for which it says so, in their order. */
static void take_items(struct faulty_disk *f,
                       bool (*take)(struct faulty_disk *f, const struct item *, const void *),
                       const void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->item_count; i++) {
        struct item item = f->items[i];
        if (take(f, &item, ctx))
            item_fini(&item);
        else
            f->items[kept++] = item;
    }
    f->item_count = kept;
}

static bool lose_write(struct faulty_disk *f, const struct item *item, const void *inode)
{
    return item->kind == ITEM_WRITE && item->inode == inode;
}

static bool settle_write(struct faulty_disk *f, const struct item *item, const void *inode)
{
    if (!lose_write(f, item, inode))
        return false;
    content_write(&item->inode->solid, item->at, item->data, item->n);
    return true;
}

static bool lose_name(struct faulty_disk *f, const struct item *item, const void *ctx)
{
    return item->kind != ITEM_WRITE;
}

static bool settle_name(struct faulty_disk *f, const struct item *item, const void *ctx)
{
    if (item->kind == ITEM_WRITE)
        return false;
    names_apply(&f->solid, item, item->inode);
    return true;
}

static bool is_nameless(struct faulty_disk *f, const struct item *item, const void *ctx)
{
    return !names_hold(&f->seen, item->inode) && !names_hold(&f->solid, item->inode);
}

/* ---- disk_ops */

static struct faulty_disk *of(struct disk *d)
{
    return (struct faulty_disk *)(void *)d;
}

/* Begins a change: the hook, then the lock. Returns the error it is to fail with. */
static int begin_change(struct faulty_disk *f)
{
    if (f->before)
        f->before(f->before_ctx);
    pthread_mutex_lock(&f->lock);
    f->changes++;
    int error = f->fail_error;
    if (error == 0 || f->fail_in-- > 0)
        return 0;
    f->fail_error = 0;
    return -error;
}

static int end_change(struct faulty_disk *f, int result)
{
    pthread_mutex_unlock(&f->lock);
    return result;
}

static uint64_t bytes_taken(const struct faulty_disk *f)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < f->seen.count; i++)
        bytes += f->seen.list[i].inode->seen.size;
    return bytes;
}

static int create_file(struct faulty_disk *f, const char *name, struct inode **ret)
{
    int r = begin_change(f);
    if (r == 0 && names_find(&f->seen, name))
        r = -EEXIST;
    if (r == 0) {
        struct inode *inode = inode_new();
        names_set(&f->seen, name, inode);
        name_copy(add_item(f, ITEM_LINK, inode)->name, name);
        *ret = inode_ref(inode);
    }
    return end_change(f, r);
}

static int op_open(struct disk *d, const char *name, bool create, struct disk_file **ret)
{
    struct faulty_disk *f = of(d);
    struct inode *inode = NULL;
    if (create) {
        int r = create_file(f, name, &inode);
        if (r < 0)
            return r;
    } else {
        pthread_mutex_lock(&f->lock);
        struct name *n = names_find(&f->seen, name);
        if (n)
            inode = inode_ref(n->inode);
        pthread_mutex_unlock(&f->lock);
        if (!inode)
            return -ENOENT;
    }
    *ret = must(malloc(sizeof **ret));
    (*ret)->inode = inode;
    return 0;
}

static void op_close(struct disk *d, struct disk_file *file)
{
    struct faulty_disk *f = of(d);
    pthread_mutex_lock(&f->lock);
    inode_unref(file->inode);
    pthread_mutex_unlock(&f->lock);
    free(file);
}

static int op_size(struct disk *d, struct disk_file *file, uint64_t *ret)
{
    struct faulty_disk *f = of(d);
    pthread_mutex_lock(&f->lock);
    *ret = file->inode->seen.size;
    pthread_mutex_unlock(&f->lock);
    return 0;
}

static int op_read(struct disk *d, struct disk_file *file, uint64_t at, void *to, size_t n,
                   size_t *ret_read)
{
    struct faulty_disk *f = of(d);
    pthread_mutex_lock(&f->lock);
    const struct content *c = &file->inode->seen;
    size_t left = at < c->size ? (size_t)(c->size - at) : 0;
    if (n > left)
        n = left;
    if (n)
        memcpy(to, c->data + at, n);
    *ret_read = n;
    pthread_mutex_unlock(&f->lock);
    return 0;
}

/* How many of n bytes fit on the disk. */
static size_t bytes_that_fit(const struct faulty_disk *f, const struct inode *inode,
                             uint64_t at, size_t n)
{
    uint64_t taken = bytes_taken(f);
    uint64_t end = inode->seen.size + (f->limit > taken ? f->limit - taken : 0);
    if (at + n <= end)
        return n;
    return end > at ? (size_t)(end - at) : 0;
}

static int op_write(struct disk *d, struct disk_file *file, uint64_t at, const void *from,
                    size_t n)
{
    struct faulty_disk *f = of(d);
    int r = begin_change(f);
    size_t written = r < 0 ? n / 2 : bytes_that_fit(f, file->inode, at, n);
    if (r == 0 && written < n)
        r = -ENOSPC;
    if (written) {
        content_write(&file->inode->seen, at, from, written);
        struct item *item = add_item(f, ITEM_WRITE, file->inode);
        item->at = at;
        item->n = written;
        item->data = must(malloc(written));
        memcpy(item->data, from, written);
    }
    return end_change(f, r);
}

static int op_sync(struct disk *d, struct disk_file *file)
{
    struct faulty_disk *f = of(d);
    int r = begin_change(f);
    take_items(f, r < 0 ? lose_write : settle_write, file->inode);
    return end_change(f, r);
}

static int op_zero(struct disk *d, struct disk_file *file, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[256 * 1024];
    int r = 0;
    while (r == 0 && from < to) {
        size_t n = to - from < sizeof zeros ? (size_t)(to - from) : sizeof zeros;
        r = op_write(d, file, from, zeros, n);
        from += n;
    }
    return r;
}

/* Whole sectors, as a real one does it: what was there before is written once more. */
static int op_append(struct disk *d, struct disk_file *file, uint64_t at, const void *from,
                     size_t n, bool sync)
{
    uint64_t begin = at - at % SECTOR_BYTES;
    uint64_t end = (at + n + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
    if (end > file->inode->seen.size)
        end = file->inode->seen.size > at + n ? file->inode->seen.size : at + n;
    uint8_t *sectors = must(calloc(1, end - begin));
    memcpy(sectors, file->inode->seen.data + begin, at - begin);
    memcpy(sectors + (at - begin), from, n);
    int r = op_write(d, file, begin, sectors, end - begin);
    free(sectors);
    return r == 0 && sync ? op_sync(d, file) : r;
}

static int op_rename(struct disk *d, const char *from, const char *to)
{
    struct faulty_disk *f = of(d);
    int r = begin_change(f);
    struct name *n = names_find(&f->seen, from);
    if (r == 0 && !n)
        r = -ENOENT;
    if (r == 0) {
        struct item *item = add_item(f, ITEM_RENAME, n->inode);
        name_copy(item->name, from);
        name_copy(item->to, to);
        names_apply(&f->seen, item, item->inode);
    }
    return end_change(f, r);
}

static int op_remove(struct disk *d, const char *name)
{
    struct faulty_disk *f = of(d);
    int r = begin_change(f);
    struct name *n = names_find(&f->seen, name);
    if (r == 0 && !n)
        r = -ENOENT;
    if (r == 0) {
        struct item *item = add_item(f, ITEM_REMOVE, n->inode);
        name_copy(item->name, name);
        names_apply(&f->seen, item, item->inode);
    }
    return end_change(f, r);
}

static int op_sync_folder(struct disk *d)
{
    struct faulty_disk *f = of(d);
    int r = begin_change(f);
    take_items(f, r < 0 ? lose_name : settle_name, NULL);
    take_items(f, is_nameless, NULL);
    return end_change(f, r);
}

static int op_list(struct disk *d, int (*each)(void *ctx, const char *name), void *ctx)
{
    struct faulty_disk *f = of(d);
    int r = 0;
    for (size_t i = 0; i < f->seen.count && r == 0; i++)
        r = each(ctx, f->seen.list[i].text);
    return r;
}

static const struct disk_ops ops = {
    .open = op_open,
    .close = op_close,
    .size = op_size,
    .read = op_read,
    .write = op_write,
    .zero = op_zero,
    .append = op_append,
    .sync = op_sync,
    .rename = op_rename,
    .remove = op_remove,
    .sync_folder = op_sync_folder,
    .list = op_list,
};

/* ---- the disk */

struct faulty_disk *faulty_disk_new(void)
{
    struct faulty_disk *f = must(calloc(1, sizeof *f));
    f->disk.ops = &ops;
    f->limit = UINT64_MAX;
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

void faulty_disk_free(struct faulty_disk *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->item_count; i++)
        item_fini(&f->items[i]);
    free(f->items);
    names_fini(&f->seen);
    names_fini(&f->solid);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

struct disk *faulty_disk(struct faulty_disk *f)
{
    return &f->disk;
}

void faulty_disk_hook(struct faulty_disk *f, void (*before)(void *ctx), void *ctx)
{
    f->before = before;
    f->before_ctx = ctx;
}

void faulty_disk_fail(struct faulty_disk *f, uint64_t nth, int error)
{
    f->fail_in = nth;
    f->fail_error = error;
}

void faulty_disk_limit(struct faulty_disk *f, uint64_t bytes)
{
    pthread_mutex_lock(&f->lock);
    f->limit = bytes;
    pthread_mutex_unlock(&f->lock);
}

uint64_t faulty_disk_changes(const struct faulty_disk *f)
{
    return f->changes;
}

uint64_t faulty_disk_bytes(struct faulty_disk *f)
{
    pthread_mutex_lock(&f->lock);
    uint64_t bytes = bytes_taken(f);
    pthread_mutex_unlock(&f->lock);
    return bytes;
}

size_t faulty_disk_items(struct faulty_disk *f)
{
    pthread_mutex_lock(&f->lock);
    size_t n = f->item_count;
    pthread_mutex_unlock(&f->lock);
    return n;
}

/* ---- power cuts */

/* Which file of the cut disk stands for which of the old one. */
struct twins {
    struct inode **old, **made;
    size_t count;
};

static struct inode *twin_of(struct twins *t, struct inode *old)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->old[i] == old)
            return t->made[i];
    struct inode *made = inode_ref(inode_new());
    content_copy(&made->solid, &old->solid);
    t->old[t->count] = old;
    t->made[t->count++] = made;
    return made;
}

/* Some sectors of a write, the rest as it was; the file's end may have moved or not. */
static void tear(struct content *c, const struct item *item, uint64_t *seed)
{
    uint64_t shape = faulty_random(seed);
    uint64_t end = item->at + item->n;
    if (shape & 1 && end > c->size)
        content_resize(c, end);
    if (shape & 2) {
        content_write(c, item->at, item->data, (size_t)(faulty_random(seed) % item->n));
        return;
    }
    for (uint64_t at = item->at; at < end;) {
        uint64_t next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
        if (next > end)
            next = end;
        if (faulty_random(seed) & 1)
            content_write(c, at, item->data + (at - item->at), (size_t)(next - at));
        at = next;
    }
}

static void apply_write(struct content *c, const struct item *item, enum faulty_fate fate,
                        uint64_t *seed)
{
    if (fate == FAULTY_KEPT)
        content_write(c, item->at, item->data, item->n);
    else if (fate == FAULTY_TORN)
        tear(c, item, seed);
    else if (fate == FAULTY_SIZE && item->at + item->n > c->size)
        content_resize(c, item->at + item->n);
}

static void apply_fates(struct faulty_disk *f, struct faulty_disk *made, struct twins *twins,
                        faulty_choose_fn choose, void *ctx, uint64_t seed)
{
    for (size_t i = 0; i < f->item_count; i++) {
        const struct item *item = &f->items[i];
        enum faulty_fate fate = choose(ctx, i, f->item_count);
        if (item->kind == ITEM_WRITE)
            apply_write(&twin_of(twins, item->inode)->solid, item, fate, &seed);
        else if (fate == FAULTY_KEPT)
            names_apply(&made->solid, item, twin_of(twins, item->inode));
    }
}

struct faulty_disk *faulty_disk_cut(struct faulty_disk *f, faulty_choose_fn choose, void *ctx,
                                    uint64_t seed)
{
    struct faulty_disk *made = faulty_disk_new();
    pthread_mutex_lock(&f->lock);
    size_t most = f->solid.count + f->item_count + 1;
    struct twins twins = {.old = must(malloc(most * sizeof(struct inode *))),
                          .made = must(malloc(most * sizeof(struct inode *)))};
    for (size_t i = 0; i < f->solid.count; i++)
        names_set(&made->solid, f->solid.list[i].text, twin_of(&twins, f->solid.list[i].inode));
    apply_fates(f, made, &twins, choose, ctx, seed);
    pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < made->solid.count; i++)
        names_set(&made->seen, made->solid.list[i].text, made->solid.list[i].inode);
    for (size_t i = 0; i < twins.count; i++) {
        content_copy(&twins.made[i]->seen, &twins.made[i]->solid);
        inode_unref(twins.made[i]);
    }
    free(twins.old);
    free(twins.made);
    return made;
}

static enum faulty_fate choose_random(void *ctx, size_t item, size_t items)
{
    uint64_t r = faulty_random(ctx) % 8;
    return r < 3 ? FAULTY_LOST : r < 6 ? FAULTY_KEPT : r == 6 ? FAULTY_TORN : FAULTY_SIZE;
}

struct faulty_disk *faulty_disk_cut_random(struct faulty_disk *f, uint64_t seed)
{
    uint64_t choices = seed ^ 0x5bd1e995;
    return faulty_disk_cut(f, choose_random, &choices, seed);
}

struct faulty_disk *faulty_disk_copy(struct faulty_disk *f)
{
    struct faulty_disk *made = faulty_disk_new();
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->seen.count; i++)
        faulty_disk_put(made, f->seen.list[i].text, f->seen.list[i].inode->seen.data,
                        f->seen.list[i].inode->seen.size);
    pthread_mutex_unlock(&f->lock);
    return made;
}

uint8_t *faulty_disk_file(struct faulty_disk *f, const char *name, uint64_t *ret_bytes)
{
    struct name *n = names_find(&f->seen, name);
    if (!n)
        return NULL;
    *ret_bytes = n->inode->seen.size;
    return n->inode->seen.data;
}

void faulty_disk_put(struct faulty_disk *f, const char *name, const void *data, size_t n)
{
    struct inode *inode = inode_new();
    content_write(&inode->seen, 0, data, n);
    content_write(&inode->solid, 0, data, n);
    names_set(&f->seen, name, inode);
    names_set(&f->solid, name, inode);
}

bool faulty_disk_equal(struct faulty_disk *a, struct faulty_disk *b)
{
    for (size_t i = 0; i < a->seen.count; i++) {
        const struct name *n = &a->seen.list[i];
        const struct name *m = names_find(&b->seen, n->text);
        if (!m || m->inode->seen.size != n->inode->seen.size ||
            (n->inode->seen.size &&
             memcmp(m->inode->seen.data, n->inode->seen.data, n->inode->seen.size) != 0))
            return false;
    }
    return a->seen.count == b->seen.count;
}
