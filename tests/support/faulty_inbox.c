#include "support/faulty_inbox.h"

#include "base/limits.h"
#include "support/faulty_disk.h"

#include <errno.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 64 * 1024, NODES = 2 * FAULTY_INBOX_ENTRIES };

struct content {
    bool is;
    uint8_t *data; /* zeros behind len */
    size_t len, room;
    bool complete;
    struct transfer_entry entry;
};

struct staged {
    struct content now, disk;
    bool unsynced;
};

/* Of the tree. */
struct node {
    const struct node *parent; /* NULL: at the top */
    char name[256];
    size_t name_len;
    enum transfer_kind kind;
    uint64_t number;
    bool early; /* it was made there before all had come */
    bool gone, durable, published;
};

struct faulty_inbox {
    struct inbox inbox;
    struct buffer journal, journal_disk;
    struct staged files[FAULTY_INBOX_ENTRIES];
    struct staged *open;
    struct node nodes[NODES];
    size_t node_count;
    const struct node *chain[LIMIT_TRANSFER_DEPTH + 1]; /* of each depth, the open folder */
    uint64_t calls, fail_at, crash_at;
    int error;
    uint64_t room, seed;
    const char *taken, *misuse;
    bool cleared;
};

static struct faulty_inbox *of(struct inbox *i)
{
    return (struct faulty_inbox *)i;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What no inbox may be asked for. */
static int blame(struct faulty_inbox *f, const char *what)
{
    f->misuse = f->misuse ? f->misuse : what;
    return -EINVAL;
}

/* Content */

static void grow(struct content *c, size_t len)
{
    if (len <= c->room)
        return;
    size_t room = len < 4096 ? 4096 : 2 * len;
    c->data = realloc(c->data, room);
    must(c->data != NULL);
    memset(c->data + c->room, 0, room - c->room);
    c->room = room;
}

static void set_len(struct content *c, size_t len)
{
    grow(c, len);
    if (len < c->len)
        memset(c->data + len, 0, c->len - len);
    c->len = len;
}

static void copy_content(struct content *to, const struct content *from)
{
    set_len(to, from->len);
    if (from->len > 0)
        memcpy(to->data, from->data, from->len);
    to->is = from->is;
    to->complete = from->complete;
    to->entry = from->entry;
}

/* Of what is not on the disk, some of it gets there. */
static void settle_file(struct staged *s, uint64_t *seed)
{
    if (!s->unsynced)
        return;
    if (faulty_random(seed) % 2 == 0) {
        s->disk.is = s->now.is;
        set_len(&s->disk, s->now.len);
    }
    for (size_t at = 0; at < s->disk.len && at < s->now.len; at += BLOCK_BYTES) {
        size_t end = s->disk.len < s->now.len ? s->disk.len : s->now.len;
        size_t n = end - at < BLOCK_BYTES ? end - at : BLOCK_BYTES;
        if (faulty_random(seed) % 2 == 0)
            memcpy(s->disk.data + at, s->now.data + at, n);
    }
    copy_content(&s->now, &s->disk);
    s->unsynced = false;
}

static void settle_files(struct faulty_inbox *f)
{
    for (size_t i = 0; i < FAULTY_INBOX_ENTRIES; i++)
        settle_file(&f->files[i], &f->seed);
}

/* Counts a call; what it is to return at once, or 0. */
static int call_to_read(struct faulty_inbox *f)
{
    uint64_t n = f->calls++;
    if (n >= f->crash_at)
        return -EIO;
    return n == f->fail_at ? f->error : 0;
}

/* The same; where it fails, what was not synced is lost in part. */
static int call(struct faulty_inbox *f)
{
    int r = call_to_read(f);
    if (r != 0 && f->calls <= f->crash_at)
        settle_files(f);
    return r;
}

/* The journal */

static int do_append(struct inbox *i, struct bytes data)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r == 0)
        must(buffer_append_bytes(&f->journal, data) == 0);
    return r;
}

static int do_journal_read(struct inbox *i, uint64_t offset, uint8_t *into, size_t room,
                           size_t *ret_n)
{
    struct faulty_inbox *f = of(i);
    int r = call_to_read(f);
    if (r != 0)
        return r;
    size_t len = buffer_len(&f->journal), n = offset < len ? len - offset : 0;
    *ret_n = n < room ? n : room;
    if (*ret_n > 0)
        memcpy(into, buffer_view(&f->journal).data + offset, *ret_n);
    return 0;
}

static int do_cut(struct inbox *i, uint64_t len)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r == 0 && len < buffer_len(&f->journal))
        buffer_truncate(&f->journal, len);
    return r;
}

static void set_buffer(struct buffer *to, struct bytes from)
{
    buffer_truncate(to, 0);
    must(buffer_append_bytes(to, from) == 0);
}

/* What of the journal is there after a power cut: its end is torn, or noise. */
static void settle_journal(struct faulty_inbox *f)
{
    struct bytes now = buffer_view(&f->journal), disk = buffer_view(&f->journal_disk);
    size_t same = 0;
    while (same < now.len && same < disk.len && now.data[same] == disk.data[same])
        same++;
    if (same < disk.len && faulty_random(&f->seed) % 2 == 0) {
        set_buffer(&f->journal, disk);
        return;
    }
    size_t kept = same + (size_t)(faulty_random(&f->seed) % (now.len - same + 1));
    buffer_truncate(&f->journal, kept);
    if (kept > same && faulty_random(&f->seed) % 2 == 0)
        f->journal.data[f->journal.start + kept - 1] ^= 0x10;
    set_buffer(&f->journal_disk, buffer_view(&f->journal));
}

/* The tree */

static struct bytes name_of(const struct node *n)
{
    return bytes_make(n->name, n->name_len);
}

static struct node *find_node(struct faulty_inbox *f, const struct node *parent,
                              struct bytes name)
{
    for (size_t i = 0; i < f->node_count; i++)
        if (!f->nodes[i].gone && f->nodes[i].parent == parent &&
            bytes_equal(name_of(&f->nodes[i]), name))
            return &f->nodes[i];
    return NULL;
}

static struct node *add_node(struct faulty_inbox *f, const struct node *parent,
                             const struct transfer_entry *e)
{
    struct node *n = f->nodes;
    while (n < f->nodes + f->node_count && !n->gone)
        n++;
    must(n < f->nodes + NODES);
    if (n == f->nodes + f->node_count)
        f->node_count++;
    *n = (struct node){
        .parent = parent, .name_len = e->name.len, .kind = e->kind, .number = e->number};
    memcpy(n->name, e->name.data, e->name.len);
    return n;
}

/* Staging */

/* What has its place is staged no more, and nobody may ask for it. */
static bool is_placed(const struct faulty_inbox *f, uint64_t number)
{
    for (size_t i = 0; i < f->node_count; i++)
        if (!f->nodes[i].gone && f->nodes[i].kind == TRANSFER_FILE &&
            f->nodes[i].number == number)
            return true;
    return false;
}

static int do_stage(struct inbox *i, uint64_t number, bool fresh)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r != 0)
        return r;
    if (number >= FAULTY_INBOX_ENTRIES)
        return -ENOSPC;
    if (is_placed(f, number) && f->open != &f->files[number])
        return blame(f, "what has its place is staged again");
    f->open = &f->files[number];
    if (fresh || !f->open->now.is)
        set_len(&f->open->now, 0);
    f->open->unsynced |= fresh || !f->open->now.is;
    f->open->now.is = true;
    f->open->now.complete &= !fresh;
    return 0;
}

static int do_write(struct inbox *i, uint64_t offset, struct bytes data)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r != 0)
        return r;
    if (!f->open || data.len == 0)
        return blame(f, "nothing is written, or nowhere");
    if (offset > FAULTY_INBOX_FILE_BYTES - data.len)
        return -ENOSPC;
    struct content *c = &f->open->now;
    if (offset + data.len > c->len)
        set_len(c, offset + data.len);
    memcpy(c->data + offset, data.data, data.len);
    c->complete = false; /* its times are others */
    f->open->unsynced = true;
    return 0;
}

static int do_read(struct inbox *i, uint64_t offset, uint8_t *into, size_t room, size_t *ret_n)
{
    struct faulty_inbox *f = of(i);
    int r = call_to_read(f);
    if (r != 0)
        return r;
    if (!f->open)
        return blame(f, "read back from nowhere");
    const struct content *c = &f->open->now;
    size_t n = offset < c->len ? c->len - offset : 0;
    *ret_n = n < room ? n : room;
    if (*ret_n > 0)
        memcpy(into, c->data + offset, *ret_n);
    return 0;
}

static int do_complete(struct inbox *i, const struct transfer_entry *entry, uint64_t size)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r != 0)
        return r;
    if (f->open != &f->files[entry->number])
        return blame(f, "another file is completed than is open");
    if (size > FAULTY_INBOX_FILE_BYTES)
        return -EFBIG;
    set_len(&f->open->now, size);
    f->open->now.complete = true;
    f->open->now.entry = *entry;
    f->open->unsynced = true;
    f->open = NULL;
    return 0;
}

/* False: an earlier life had that folder open. */
static bool is_within_reach(const struct faulty_inbox *f, unsigned depth)
{
    return depth == 0 || f->chain[depth - 1];
}

static const struct node *parent_of(const struct faulty_inbox *f, unsigned depth)
{
    return depth == 0 ? NULL : f->chain[depth - 1];
}

static void leave(struct faulty_inbox *f, unsigned depth)
{
    for (unsigned d = depth; d <= LIMIT_TRANSFER_DEPTH; d++)
        f->chain[d] = NULL;
}

static int begin_folder(struct faulty_inbox *f, const struct transfer_entry *e)
{
    struct node *there = find_node(f, parent_of(f, e->depth), e->name);
    if (there && there->kind == TRANSFER_FILE)
        return INBOX_TAKEN;
    f->chain[e->depth] = there ? there : add_node(f, parent_of(f, e->depth), e);
    return 0;
}

static int do_begin(struct inbox *i, const struct transfer_entry *e)
{
    struct faulty_inbox *f = of(i);
    leave(f, e->depth);
    if (e->kind == TRANSFER_FOLDER)
        return is_within_reach(f, e->depth) ? begin_folder(f, e) : 0;
    int r = do_stage(i, e->number, true);
    if (r == 0 && e->size <= BLOCK_BYTES && is_within_reach(f, e->depth) &&
        !find_node(f, parent_of(f, e->depth), e->name))
        add_node(f, parent_of(f, e->depth), e)->early = true;
    return r;
}

static void forget_file(struct faulty_inbox *f, uint64_t number)
{
    struct staged *s = &f->files[number];
    set_len(&s->now, 0);
    s->now.is = s->now.complete = false;
    s->unsynced = true;
}

/* What is in the tree still goes with it. */
static void forget_tree(struct faulty_inbox *f)
{
    for (size_t i = 0; i < f->node_count; i++) {
        struct node *n = &f->nodes[i];
        if (!n->gone && n->early)
            forget_file(f, n->number);
        n->gone = true;
    }
}

static int do_take_back(struct inbox *i, const struct transfer_entry *e)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r != 0)
        return r;
    leave(f, e ? e->depth : 0);
    if (!e) {
        forget_tree(f);
        return 0;
    }
    struct node *n =
        is_within_reach(f, e->depth) ? find_node(f, parent_of(f, e->depth), e->name) : NULL;
    if (n && n->durable)
        return blame(f, "taken back from where it is for good");
    if (n && e->kind == TRANSFER_FOLDER)
        f->chain[e->depth] = n;
    else if (n && n->number == e->number)
        n->gone = true;
    return 0;
}

static int do_drop(struct inbox *i, uint64_t number)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r != 0)
        return r;
    struct staged *s = &f->files[number];
    for (size_t n = 0; n < f->node_count; n++)
        f->nodes[n].gone |= f->nodes[n].early && f->nodes[n].number == number;
    if (!s->now.is)
        return INBOX_NONE;
    set_len(&s->now, 0);
    s->now.is = s->now.complete = false;
    s->unsynced = true;
    return 0;
}

static int do_sync(struct inbox *i)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r != 0)
        return r;
    for (size_t n = 0; n < FAULTY_INBOX_ENTRIES; n++) {
        if (f->files[n].unsynced)
            copy_content(&f->files[n].disk, &f->files[n].now);
        f->files[n].unsynced = false;
    }
    set_buffer(&f->journal_disk, buffer_view(&f->journal));
    return 0;
}

static int do_room(struct inbox *i, uint64_t *ret)
{
    struct faulty_inbox *f = of(i);
    int r = call_to_read(f);
    if (r == 0)
        *ret = f->room;
    return r;
}

static int do_check_name(struct inbox *i, struct bytes name)
{
    struct faulty_inbox *f = of(i);
    int r = call_to_read(f);
    if (r == 0 && f->taken && bytes_equal_str(name, f->taken))
        return INBOX_TAKEN;
    return r;
}

/* What is built in the end */

static int place_file(struct faulty_inbox *f, const struct node *parent, struct node *there,
                      const struct transfer_entry *e)
{
    if (there)
        return there->kind == TRANSFER_FILE && there->number == e->number ? INBOX_NONE
                                                                          : INBOX_TAKEN;
    if (!f->files[e->number].now.is || !f->files[e->number].now.complete)
        return -ENOENT;
    add_node(f, parent, e);
    return 0;
}

static int do_place(struct inbox *i, const struct transfer_entry *e)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r != 0)
        return r;
    const struct node *parent = e->depth > 0 ? f->chain[e->depth - 1] : NULL;
    if (e->depth > 0 && !parent)
        return blame(f, "a place in no folder");
    struct node *there = find_node(f, parent, e->name);
    if (there && there->published)
        return blame(f, "a place for what is published");
    if (e->kind == TRANSFER_FILE)
        return place_file(f, parent, there, e);
    if (there && there->kind == TRANSFER_FILE)
        return INBOX_TAKEN;
    f->chain[e->depth] = there ? there : add_node(f, parent, e);
    return 0;
}

static int do_placed(struct inbox *i)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    for (size_t n = 0; r == 0 && n < f->node_count; n++)
        f->nodes[n].durable = true;
    return r;
}

static int do_publish(struct inbox *i, struct bytes name, char *ret_name)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r != 0)
        return r;
    struct node *n = find_node(f, NULL, name);
    if (!n || !n->durable)
        return blame(f, "published before it has its place for good");
    if (n->published)
        return INBOX_NONE;
    n->published = true;
    memcpy(ret_name, n->name, sizeof n->name);
    return 0;
}

static int do_clear(struct inbox *i)
{
    struct faulty_inbox *f = of(i);
    int r = call(f);
    if (r == 0) {
        buffer_truncate(&f->journal, 0);
        buffer_truncate(&f->journal_disk, 0);
        f->cleared = true;
    }
    return r;
}

static const struct inbox_ops ops = {
    .journal_append = do_append,
    .journal_read = do_journal_read,
    .journal_cut = do_cut,
    .stage = do_stage,
    .begin = do_begin,
    .take_back = do_take_back,
    .write = do_write,
    .read = do_read,
    .complete = do_complete,
    .drop = do_drop,
    .sync = do_sync,
    .room = do_room,
    .check_name = do_check_name,
    .place = do_place,
    .placed = do_placed,
    .publish = do_publish,
    .clear = do_clear,
};

/* What tests do with it */

struct faulty_inbox *faulty_inbox_new(void)
{
    struct faulty_inbox *f = calloc(1, sizeof *f);
    must(f != NULL);
    f->inbox.ops = &ops;
    f->fail_at = f->crash_at = UINT64_MAX;
    f->room = (uint64_t)1 << 40;
    buffer_init(&f->journal, 64 * LIMIT_MIB);
    buffer_init(&f->journal_disk, 64 * LIMIT_MIB);
    return f;
}

void faulty_inbox_free(struct faulty_inbox *f)
{
    for (size_t i = 0; i < FAULTY_INBOX_ENTRIES; i++) {
        free(f->files[i].now.data);
        free(f->files[i].disk.data);
    }
    buffer_fini(&f->journal);
    buffer_fini(&f->journal_disk);
    free(f);
}

struct inbox *faulty_inbox(struct faulty_inbox *f)
{
    return &f->inbox;
}

void faulty_inbox_fail(struct faulty_inbox *f, uint64_t nth, int error)
{
    f->fail_at = f->calls + nth;
    f->error = error;
}

void faulty_inbox_crash(struct faulty_inbox *f, uint64_t nth)
{
    f->crash_at = nth < UINT64_MAX - f->calls ? f->calls + nth : UINT64_MAX;
}

bool faulty_inbox_crashed(const struct faulty_inbox *f)
{
    return f->calls > f->crash_at;
}

/* What was made there is lost with its name. */
static void lose_place(struct faulty_inbox *f, struct node *n)
{
    if (n->gone || faulty_random(&f->seed) % 2 == 0)
        return;
    n->gone = true;
    if (n->early && !f->files[n->number].disk.complete)
        forget_file(f, n->number);
}

/* What was placed, and not yet for good, may be staged again. */
static void settle_tree(struct faulty_inbox *f)
{
    for (size_t i = 0; i < f->node_count; i++)
        if (!f->nodes[i].durable && f->nodes[i].kind == TRANSFER_FILE)
            lose_place(f, &f->nodes[i]);
}

void faulty_inbox_restart(struct faulty_inbox *f, bool power_cut, uint64_t seed)
{
    f->seed = seed;
    f->crash_at = f->fail_at = UINT64_MAX;
    f->open = NULL;
    memset(f->chain, 0, sizeof f->chain);
    if (!power_cut)
        return;
    settle_files(f);
    settle_journal(f);
    settle_tree(f);
}

void faulty_inbox_rot(struct faulty_inbox *f, uint64_t seed)
{
    struct staged *s = &f->files[faulty_random(&seed) % FAULTY_INBOX_ENTRIES];
    for (size_t i = 0; i < FAULTY_INBOX_ENTRIES && s->now.len == 0; i++)
        s = &f->files[i];
    if (s->now.len == 0)
        return;
    size_t at = (size_t)(faulty_random(&seed) % s->now.len);
    s->now.data[at] ^= 1;
    if (at < s->disk.len)
        s->disk.data[at] = s->now.data[at];
}

void faulty_inbox_set_room(struct faulty_inbox *f, uint64_t bytes)
{
    f->room = bytes;
}

void faulty_inbox_set_taken(struct faulty_inbox *f, const char *name)
{
    f->taken = name;
}

struct buffer *faulty_inbox_journal(struct faulty_inbox *f)
{
    return &f->journal;
}

const char *faulty_inbox_misuse(const struct faulty_inbox *f)
{
    return f->misuse;
}

bool faulty_inbox_is_cleared(const struct faulty_inbox *f)
{
    return f->cleared;
}

size_t faulty_inbox_published(const struct faulty_inbox *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->node_count; i++)
        n += f->nodes[i].published;
    return n;
}

bool faulty_inbox_find(struct faulty_inbox *f, struct bytes path,
                       struct faulty_inbox_found *ret)
{
    const struct node *n = NULL, *top = NULL;
    while (path.len > 0) {
        size_t len = bytes_find(path, '/');
        n = find_node(f, n, bytes_first(path, len));
        if (!n)
            return false;
        top = top ? top : n;
        path = bytes_from(path, len < path.len ? len + 1 : len);
    }
    if (!top || !top->published)
        return false;
    *ret = (struct faulty_inbox_found){.kind = n->kind};
    if (n->kind == TRANSFER_FILE) {
        const struct content *c = &f->files[n->number].now;
        ret->entry = c->entry;
        ret->data = bytes_make(c->data, c->len);
    }
    return true;
}
