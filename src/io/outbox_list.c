#include "io/outbox_list.h"

#include "base/hash.h"
#include "base/number.h"
#include "io/content.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const char magic[8] = "kithlist";

enum {
    VERSION = 1,
    HEAD_BYTES = 16,
    SUM_BYTES = 8,
    FIXED_BYTES = 64, /* of a record, before its name */
    FLAG_EXECUTABLE = 1,
    FLAG_PROVEN = 2,
    KIND_END = 'e',
};

/* ---- a record ---- */

static size_t record_write(uint8_t *at, uint64_t number, unsigned kind,
                           const struct outbox_record *r)
{
    const struct outbox_state *s = &r->state;
    unsigned flags = (s->executable ? FLAG_EXECUTABLE : 0) | (s->proven ? FLAG_PROVEN : 0);
    size_t len = FIXED_BYTES + r->name.len + r->path.len;
    number_put_u32(at + 8, kind | flags << 8 | r->depth << 16);
    number_put_u32(at + 12, (uint32_t)(r->name.len | r->path.len << 16));
    number_put_u64(at + 16, s->size);
    number_put_u64(at + 24, (uint64_t)s->mtime.tv_sec);
    number_put_u64(at + 32, (uint64_t)s->ctime.tv_sec);
    number_put_u32(at + 40, (uint32_t)s->mtime.tv_nsec);
    number_put_u32(at + 44, (uint32_t)s->ctime.tv_nsec);
    number_put_u64(at + 48, s->device);
    number_put_u64(at + 56, s->inode);
    if (r->name.len > 0)
        memcpy(at + FIXED_BYTES, r->name.data, r->name.len);
    if (r->path.len > 0)
        memcpy(at + FIXED_BYTES + r->name.len, r->path.data, r->path.len);
    number_put_u64(at, hash_bytes(bytes_make(at + SUM_BYTES, len - SUM_BYTES), number));
    return len;
}

static void record_read_state(const uint8_t *at, struct outbox_state *ret)
{
    *ret = (struct outbox_state){
        .size = number_get_u64(at + 16),
        .mtime = {(time_t)number_get_u64(at + 24), (long)number_get_u32(at + 40)},
        .ctime = {(time_t)number_get_u64(at + 32), (long)number_get_u32(at + 44)},
        .device = number_get_u64(at + 48),
        .inode = number_get_u64(at + 56),
        .executable = (at[9] & FLAG_EXECUTABLE) != 0,
        .proven = (at[9] & FLAG_PROVEN) != 0,
    };
}

static bool has_no_nul(struct bytes b)
{
    return bytes_find(b, '\0') == b.len;
}

static bool is_name(struct bytes name)
{
    return name.len > 0 && name.len <= 255 && has_no_nul(name) &&
           bytes_find(name, '/') == name.len && !bytes_equal_str(name, ".") &&
           !bytes_equal_str(name, "..");
}

static bool is_path(struct bytes path)
{
    return path.len > 0 && path.len <= OUTBOX_LIST_PATH_MAX && has_no_nul(path) &&
           path.data[0] == '/';
}

static bool is_sound(const struct outbox_record *r)
{
    return r->depth <= LIMIT_TRANSFER_DEPTH && is_name(r->name) &&
           (r->depth == 0 ? is_path(r->path) : r->path.len == 0) &&
           (r->kind == TRANSFER_FILE ||
            (r->kind == TRANSFER_FOLDER && r->depth < LIMIT_TRANSFER_DEPTH));
}

/* The record at the front of data; ret borrows from it. */
static int record_read(struct bytes data, uint64_t number, struct outbox_record *ret,
                       size_t *ret_len)
{
    if (data.len < FIXED_BYTES)
        return OUTBOX_LIST_TORN;
    uint32_t lengths = number_get_u32(data.data + 12);
    size_t name = lengths & 0xffff, path = lengths >> 16, len = FIXED_BYTES + name + path;
    if (len > data.len || number_get_u64(data.data) !=
                              hash_bytes(bytes_make(data.data + 8, len - SUM_BYTES), number))
        return OUTBOX_LIST_TORN;
    struct outbox_record r = {
        .kind = (enum transfer_kind)data.data[8],
        .depth = number_get_u32(data.data + 8) >> 16,
        .name = bytes_make(data.data + FIXED_BYTES, name),
        .path = bytes_make(data.data + FIXED_BYTES + name, path),
    };
    record_read_state(data.data, &r.state);
    bool is_end = data.data[8] == KIND_END;
    if (!is_end && !is_sound(&r))
        return OUTBOX_LIST_TORN;
    *ret = r;
    *ret_len = len;
    return is_end ? OUTBOX_LIST_END : 0;
}

/* ---- written ---- */

static int flush(struct outbox_list_writer *w)
{
    int r = content_write(w->fd, w->at, bytes_make(w->space, w->used));
    if (r < 0)
        return r;
    w->at += w->used;
    w->used = 0;
    return 0;
}

void outbox_list_begin(struct outbox_list_writer *w, int fd)
{
    w->fd = fd;
    w->at = 0;
    w->used = HEAD_BYTES;
    w->totals = (struct outbox_totals){0};
    memcpy(w->space, magic, sizeof magic);
    number_put_u32(w->space + sizeof magic, VERSION);
    number_put_u32(w->space + sizeof magic + 4, 0);
}

static int add(struct outbox_list_writer *w, unsigned kind, const struct outbox_record *r)
{
    int done = sizeof w->space - w->used < OUTBOX_LIST_RECORD_MAX ? flush(w) : 0;
    if (done == 0)
        w->used += record_write(w->space + w->used, w->totals.entries, kind, r);
    return done;
}

int outbox_list_add(struct outbox_list_writer *w, const struct outbox_record *r)
{
    assert(is_sound(r));
    int done = add(w, r->kind, r);
    if (done < 0)
        return done;
    w->totals.entries++;
    w->totals.bytes += r->state.size;
    return 0;
}

int outbox_list_finish(struct outbox_list_writer *w)
{
    struct outbox_record end = {.state = {.size = w->totals.bytes}};
    int r = add(w, KIND_END, &end);
    if (r == 0)
        r = flush(w);
    if (r == 0 && fdatasync(w->fd) != 0)
        r = -errno;
    return r;
}

/* ---- read ---- */

static int fill(struct outbox_list_window *w, int fd, uint64_t at)
{
    w->len = 0;
    w->at = at;
    return content_read(fd, at, w->space, w->room, &w->len);
}

/* What there is from that place on, a whole record at least where one is whole. */
static int view(struct outbox_list_window *w, int fd, uint64_t at, struct bytes *ret)
{
    bool holds = at >= w->at && at + OUTBOX_LIST_RECORD_MAX <= w->at + w->len;
    int r = holds ? 0 : fill(w, fd, at);
    if (r == 0)
        *ret = bytes_from(bytes_make(w->space, w->len), (size_t)(at - w->at));
    return r;
}

static int read_next(struct outbox_list *l, struct outbox_record *ret)
{
    struct bytes data;
    size_t len;
    struct outbox_list_point *p = &l->here;
    int r = view(&l->records, l->fd, p->next.offset, &data);
    if (r == 0)
        r = record_read(data, p->next.number, ret, &len);
    if (r != 0)
        return r;
    if (ret->depth > p->depth)
        return OUTBOX_LIST_TORN;
    p->depth = ret->depth;
    if (ret->kind == TRANSFER_FOLDER)
        p->folders[p->depth++] = p->next;
    p->next.number++;
    p->next.offset += len;
    return 0;
}

static int remember_point(struct outbox_list *l)
{
    size_t n = l->point_count;
    if (l->here.next.number != n * OUTBOX_LIST_STRIDE)
        return 0;
    if ((n & (n - 1)) == 0) { /* room for twice as many */
        struct outbox_list_point *points =
            reallocarray(l->points, n == 0 ? 1 : 2 * n, sizeof *points);
        if (!points)
            return -ENOMEM;
        l->points = points;
    }
    l->points[l->point_count++] = l->here;
    return 0;
}

static int read_head(struct outbox_list *l)
{
    struct bytes data;
    int r = view(&l->records, l->fd, 0, &data);
    if (r != 0)
        return r;
    if (data.len < HEAD_BYTES || memcmp(data.data, magic, sizeof magic) != 0 ||
        number_get_u32(data.data + sizeof magic) != VERSION ||
        number_get_u32(data.data + sizeof magic + 4) != 0)
        return OUTBOX_LIST_TORN;
    l->here.next.offset = HEAD_BYTES;
    return 0;
}

/* At the end: nothing comes behind it, and the bytes are as many as were counted. */
static int check_end(const struct outbox_list *l, const struct outbox_record *end)
{
    uint64_t last = l->here.next.offset + FIXED_BYTES;
    bool is_over = last == l->records.at + l->records.len;
    return is_over && end->state.size == l->totals.bytes && end->name.len == 0 &&
                   end->path.len == 0
               ? 0
               : OUTBOX_LIST_TORN;
}

static int read_all(struct outbox_list *l)
{
    struct outbox_record record = {.depth = 0};
    int r = read_head(l);
    while (r == 0) {
        r = remember_point(l);
        if (r == 0)
            r = read_next(l, &record);
        if (r == 0)
            l->totals.bytes += record.state.size;
    }
    if (r != OUTBOX_LIST_END)
        return r;
    l->totals.entries = l->here.next.number;
    return check_end(l, &record);
}

int outbox_list_open(struct outbox_list *l, int fd)
{
    *l = (struct outbox_list){.fd = fd,
                              .records = {.room = OUTBOX_LIST_SPACE_BYTES},
                              .folder = {.room = OUTBOX_LIST_RECORD_MAX}};
    l->records.space = malloc(l->records.room);
    l->folder.space = malloc(l->folder.room);
    int r = l->records.space && l->folder.space ? read_all(l) : -ENOMEM;
    if (r != 0)
        outbox_list_close(l);
    return r;
}

void outbox_list_close(struct outbox_list *l)
{
    free(l->records.space);
    free(l->folder.space);
    free(l->points);
    *l = (struct outbox_list){.fd = -1};
}

int outbox_list_get(struct outbox_list *l, uint64_t number, struct outbox_record *ret)
{
    if (number >= l->totals.entries)
        return OUTBOX_LIST_END;
    uint64_t point = number / OUTBOX_LIST_STRIDE;
    if (number < l->here.next.number || l->here.next.number < point * OUTBOX_LIST_STRIDE)
        l->here = l->points[point];
    int r = 0;
    while (r == 0 && l->here.next.number <= number)
        r = read_next(l, ret);
    return r == OUTBOX_LIST_END ? OUTBOX_LIST_TORN : r; /* it was whole when it was opened */
}

int outbox_list_folder(struct outbox_list *l, unsigned depth, struct outbox_record *ret)
{
    struct bytes data;
    size_t len;
    struct outbox_list_place place = l->here.folders[depth];
    int r = view(&l->folder, l->fd, place.offset, &data);
    if (r == 0)
        r = record_read(data, place.number, ret, &len);
    return r == OUTBOX_LIST_END ? OUTBOX_LIST_TORN : r;
}
