#include "store/checkpoint.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/number.h"

#include <errno.h>
#include <stdlib.h>

static const uint8_t magic[8] = "kithckp";

enum {
    AT_VERSION = 8,
    AT_START_LSN = 16,
    AT_FIRST_SEGMENT = 24,
    AT_SALT = 32,
    AT_TIME = 40,
    AT_ENTRIES = 48,
    AT_CHECKSUM = 56,
};

enum { BLOCK_AT_KIND = 4, BLOCK_AT_NUMBER = 8, BLOCK_AT_CHECKSUM = 16 };
enum { KIND_ENTRIES = 1, KIND_END = 2, END_BYTES = 16 };

enum {
    BLOCK_BYTES = 256 * 1024,            /* a block is written when it is that large */
    SYNC_BYTES = 8 * 1024 * 1024,        /* synced after so many */
    BLOCK_BYTES_MAX = 128 * 1024 * 1024, /* more than one value ever takes */
    PIECE_BYTES = 1024 * 1024,           /* of a large value, written at once */
};

struct checkpoint_large {
    struct checkpoint_large *next;
    struct bytes value;
    struct blob *blob;
    size_t head_bytes;
    uint8_t head[]; /* room for a block's header, then the operation up to its value */
};

/* ---- writing */

static void header_write(uint8_t to[CHECKPOINT_HEADER_BYTES], const struct checkpoint_header *h)
{
    memset(to, 0, CHECKPOINT_HEADER_BYTES);
    memcpy(to, magic, sizeof magic);
    number_put_u32(to + AT_VERSION, CHECKPOINT_VERSION);
    number_put_u64(to + AT_START_LSN, h->start_lsn);
    number_put_u64(to + AT_FIRST_SEGMENT, h->first_segment);
    number_put_u64(to + AT_SALT, h->salt);
    number_put_u64(to + AT_TIME, (uint64_t)h->time.ms);
    number_put_u64(to + AT_ENTRIES, h->entries_about);
    number_put_u64(to + AT_CHECKSUM, hash_bytes(bytes_make(to, AT_CHECKSUM), 0));
}

int checkpoint_begin(struct checkpoint_writer *w, struct disk *d,
                     const struct checkpoint_header *header)
{
    struct disk_file *file;
    int r = disk_remove(d, CHECKPOINT_TMP_NAME);
    if (r < 0 && r != -ENOENT)
        return r;
    r = disk_open(d, CHECKPOINT_TMP_NAME, true, &file);
    if (r < 0)
        return r;
    *w = (struct checkpoint_writer){.disk = d, .file = file, .header = *header};
    buffer_init(&w->block, BLOCK_BYTES_MAX);
    uint8_t bytes[CHECKPOINT_HEADER_BYTES];
    header_write(bytes, header);
    r = disk_write(d, file, 0, bytes, sizeof bytes);
    if (r < 0) {
        checkpoint_abandon(w);
        return r;
    }
    w->offset = sizeof bytes;
    return 0;
}

static int add_large(struct checkpoint_writer *w, const struct record_op *put)
{
    size_t head = CHECKPOINT_BLOCK_BYTES + record_op_bytes(put) - put->value.len;
    struct checkpoint_large *large = malloc(sizeof *large + head);
    if (!large)
        return -ENOMEM;
    *large = (struct checkpoint_large){w->large, put->value, blob_ref(put->blob), head};
    record_op_write_head(large->head + CHECKPOINT_BLOCK_BYTES, put);
    w->large = large;
    w->entries++;
    return 0;
}

int checkpoint_add(struct checkpoint_writer *w, const struct record_op *put)
{
    if (put->blob)
        return add_large(w, put);
    uint8_t *to;
    size_t header = buffer_len(&w->block) == 0 ? CHECKPOINT_BLOCK_BYTES : 0;
    int r = buffer_reserve(&w->block, header + record_op_bytes(put), &to);
    if (r != 0)
        return r;
    record_op_write(to + header, put);
    buffer_wrote(&w->block, header + record_op_bytes(put));
    w->entries++;
    return 0;
}

static int sync_file(struct checkpoint_writer *w)
{
    w->unsynced_bytes = 0;
    return disk_sync(w->disk, w->file);
}

static int write_piece(struct checkpoint_writer *w, struct bytes piece)
{
    int r = disk_write(w->disk, w->file, w->offset, piece.data, piece.len);
    if (r < 0)
        return r;
    w->offset += piece.len;
    w->unsynced_bytes += piece.len;
    return w->unsynced_bytes >= SYNC_BYTES ? sync_file(w) : 0;
}

/* Writes a block: `head` begins with room for its header, and `tail` is the end of its payload.
 */
static int write_block(struct checkpoint_writer *w, uint8_t *head, size_t head_bytes,
                       struct bytes tail, uint32_t kind)
{
    struct bytes pieces[] = {
        bytes_make(head + CHECKPOINT_BLOCK_BYTES, head_bytes - CHECKPOINT_BLOCK_BYTES), tail};
    number_put_u32(head, (uint32_t)(pieces[0].len + tail.len));
    number_put_u32(head + BLOCK_AT_KIND, kind);
    number_put_u64(head + BLOCK_AT_NUMBER, w->blocks++);
    uint64_t seed = hash_bytes(bytes_make(head, BLOCK_AT_CHECKSUM), w->header.salt);
    uint64_t checksum;
    int r = hash_pieces(pieces, 2, seed, &checksum);
    if (r < 0)
        return r;
    number_put_u64(head + BLOCK_AT_CHECKSUM, checksum);
    r = write_piece(w, bytes_make(head, head_bytes));
    while (r == 0 && tail.len > 0) {
        size_t n = tail.len < PIECE_BYTES ? tail.len : PIECE_BYTES;
        r = write_piece(w, bytes_first(tail, n));
        tail = bytes_from(tail, n);
    }
    return r;
}

static struct checkpoint_large *pop_large(struct checkpoint_writer *w)
{
    struct checkpoint_large *large = w->large;
    if (large)
        w->large = large->next;
    return large;
}

static void free_large(struct checkpoint_large *large)
{
    blob_unref(large->blob);
    free(large);
}

static int write_large(struct checkpoint_writer *w)
{
    struct checkpoint_large *large;
    int r = 0;
    while (r == 0 && (large = pop_large(w))) {
        r = write_block(w, large->head, large->head_bytes, large->value, KIND_ENTRIES);
        free_large(large);
    }
    return r;
}

int checkpoint_write(struct checkpoint_writer *w, bool all)
{
    int r = write_large(w);
    size_t len = buffer_len(&w->block);
    if (r < 0 || len == 0 || (!all && len < BLOCK_BYTES))
        return r;
    r = write_block(w, w->block.data + w->block.start, len, bytes_make(NULL, 0), KIND_ENTRIES);
    buffer_truncate(&w->block, 0);
    return r;
}

int checkpoint_end(struct checkpoint_writer *w, uint64_t end_lsn)
{
    uint8_t block[CHECKPOINT_BLOCK_BYTES + END_BYTES];
    number_put_u64(block + CHECKPOINT_BLOCK_BYTES, end_lsn);
    number_put_u64(block + CHECKPOINT_BLOCK_BYTES + 8, w->entries);
    int r = checkpoint_write(w, true);
    if (r == 0)
        r = write_block(w, block, sizeof block, bytes_make(NULL, 0), KIND_END);
    return r == 0 ? sync_file(w) : r;
}

static void close_file(struct checkpoint_writer *w)
{
    disk_close(w->disk, w->file);
    w->file = NULL;
    buffer_fini(&w->block);
    struct checkpoint_large *large;
    while ((large = pop_large(w)))
        free_large(large);
}

int checkpoint_publish(struct checkpoint_writer *w)
{
    int r = disk_rename(w->disk, CHECKPOINT_TMP_NAME, CHECKPOINT_NAME);
    if (r < 0)
        return r;
    close_file(w);
    return disk_sync_folder(w->disk);
}

void checkpoint_abandon(struct checkpoint_writer *w)
{
    if (!w->file)
        return;
    close_file(w);
    disk_remove(w->disk, CHECKPOINT_TMP_NAME);
}

/* ---- reading */

struct reader {
    struct disk *disk;
    struct disk_file *file;
    struct checkpoint_header header;
    uint64_t offset, size, blocks, entries;
    uint8_t *data;
    size_t capacity;
    const char *problem;
};

static int header_read(struct bytes in, struct checkpoint_header *ret)
{
    if (in.len < CHECKPOINT_HEADER_BYTES || memcmp(in.data, magic, sizeof magic) != 0 ||
        number_get_u64(in.data + AT_CHECKSUM) != hash_bytes(bytes_first(in, AT_CHECKSUM), 0))
        return CHECKPOINT_BAD;
    uint32_t version = number_get_u32(in.data + AT_VERSION);
    if (version > CHECKPOINT_VERSION)
        return CHECKPOINT_NEWER;
    struct checkpoint_header h = {
        .start_lsn = number_get_u64(in.data + AT_START_LSN),
        .first_segment = number_get_u64(in.data + AT_FIRST_SEGMENT),
        .salt = number_get_u64(in.data + AT_SALT),
        .time = {(int64_t)number_get_u64(in.data + AT_TIME)},
        .entries_about = number_get_u64(in.data + AT_ENTRIES),
    };
    if (version != CHECKPOINT_VERSION || h.start_lsn == 0 || h.first_segment == 0)
        return CHECKPOINT_BAD;
    *ret = h;
    return 0;
}

static int read_exactly(struct reader *r, uint64_t at, uint8_t *to, size_t n)
{
    for (size_t done = 0, got; done < n; done += got) {
        int e = disk_read(r->disk, r->file, at + done, to + done, n - done, &got);
        if (e < 0)
            return e;
        if (got == 0)
            return CHECKPOINT_BAD;
    }
    return 0;
}

static int reader_open(struct reader *r)
{
    uint8_t bytes[CHECKPOINT_HEADER_BYTES];
    int e = disk_open(r->disk, CHECKPOINT_NAME, false, &r->file);
    if (e < 0)
        return e == -ENOENT ? CHECKPOINT_NONE : e;
    e = disk_size(r->disk, r->file, &r->size);
    if (e == 0)
        e = read_exactly(r, 0, bytes, sizeof bytes);
    if (e == 0)
        e = header_read(bytes_make(bytes, sizeof bytes), &r->header);
    if (e == CHECKPOINT_BAD)
        r->problem = "not a checkpoint";
    r->offset = sizeof bytes;
    return e;
}

static void reader_close(struct reader *r)
{
    if (r->file)
        disk_close(r->disk, r->file);
    free(r->data);
}

int checkpoint_read_header(struct disk *d, struct checkpoint_header *ret, uint64_t *ret_bytes)
{
    struct reader r = {.disk = d};
    int e = reader_open(&r);
    if (e == 0) {
        *ret = r.header;
        *ret_bytes = r.size;
    }
    reader_close(&r);
    return e;
}

static int bad(struct reader *r, const char *problem)
{
    r->problem = problem;
    return CHECKPOINT_BAD;
}

static int reserve(struct reader *r, size_t n)
{
    if (n <= r->capacity)
        return 0;
    free(r->data);
    r->data = malloc(n);
    r->capacity = r->data ? n : 0;
    return r->data ? 0 : -ENOMEM;
}

/* Reads the block at r->offset into r->data. */
static int read_block(struct reader *r, uint32_t *ret_kind, struct bytes *ret_payload)
{
    uint8_t block[CHECKPOINT_BLOCK_BYTES];
    if (r->size - r->offset < sizeof block)
        return bad(r, "the checkpoint ends too early");
    int e = read_exactly(r, r->offset, block, sizeof block);
    if (e != 0)
        return e;
    size_t n = number_get_u32(block);
    if (n > BLOCK_BYTES_MAX || n > r->size - r->offset - sizeof block)
        return bad(r, "a damaged block");
    e = reserve(r, n);
    if (e == 0)
        e = read_exactly(r, r->offset + sizeof block, r->data, n);
    if (e != 0)
        return e;
    struct bytes payload = bytes_make(r->data, n);
    uint64_t seed = hash_bytes(bytes_make(block, BLOCK_AT_CHECKSUM), r->header.salt);
    if (number_get_u64(block + BLOCK_AT_NUMBER) != r->blocks ||
        number_get_u64(block + BLOCK_AT_CHECKSUM) != hash_bytes(payload, seed))
        return bad(r, "a damaged block");
    r->blocks++;
    *ret_kind = number_get_u32(block + BLOCK_AT_KIND);
    *ret_payload = payload;
    return 0;
}

static int apply_entries(struct reader *r, struct bytes payload,
                         const struct checkpoint_sink *sink)
{
    struct lookahead ahead;
    const struct record_op *op;
    int e;
    lookahead_begin(&ahead, payload, sink->expect, sink->ctx);
    while ((e = lookahead_next(&ahead, &op)) == 0) {
        if (op->kind != RECORD_PUT || op->begins)
            return bad(r, "a block without meaning");
        e = sink->apply(sink->ctx, op);
        if (e != 0)
            return e;
        r->entries++;
    }
    return e == RECORD_END ? 0 : bad(r, "a block without meaning");
}

static int read_end(struct reader *r, struct bytes payload, uint64_t *ret_end_lsn)
{
    if (payload.len != END_BYTES || number_get_u64(payload.data + 8) != r->entries)
        return bad(r, "an end without meaning");
    if (r->offset + CHECKPOINT_BLOCK_BYTES + END_BYTES != r->size)
        return bad(r, "bytes behind the checkpoint's end");
    *ret_end_lsn = number_get_u64(payload.data);
    return 0;
}

static int read_blocks(struct reader *r, const struct checkpoint_sink *sink,
                       uint64_t *ret_end_lsn)
{
    for (;;) {
        uint32_t kind;
        struct bytes payload;
        int e = read_block(r, &kind, &payload);
        if (e != 0)
            return e;
        if (kind == KIND_END)
            return read_end(r, payload, ret_end_lsn);
        if (kind != KIND_ENTRIES)
            return bad(r, "a block without meaning");
        e = apply_entries(r, payload, sink);
        if (e != 0)
            return e;
        r->offset += CHECKPOINT_BLOCK_BYTES + payload.len;
    }
}

int checkpoint_read(struct disk *d, const struct checkpoint_sink *sink, uint64_t *ret_end_lsn,
                    uint64_t *ret_bytes, uint64_t *ret_offset, const char **ret_problem)
{
    struct reader r = {.disk = d};
    int e = reader_open(&r);
    if (e == 0)
        e = read_blocks(&r, sink, ret_end_lsn);
    if (e == CHECKPOINT_BAD) {
        *ret_offset = r.file && r.offset ? r.offset : 0;
        *ret_problem = r.problem ? r.problem : "the checkpoint ends too early";
    }
    *ret_bytes = r.size;
    reader_close(&r);
    return e;
}
