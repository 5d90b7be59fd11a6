#include "store/recovery.h"

#include "base/hash.h"
#include "base/number.h"
#include "store/assembly.h"
#include "store/checkpoint.h"
#include "store/segment.h"

#include <errno.h>
#include <stdlib.h>

/* Three passes: scan (which segments count), read (the checkpoint, then every record until the
 * end of the log is found), make (the last segment anew). Only the third changes the folder.
 *
 * The ground it stands on (see wal.c): a batch never spans segments and is synced before the
 * next one is written, so only the segment with the newest records, or one after it that has
 * none yet, can be torn; and a segment under its own name was whole when it got it. */

struct recovery {
    struct disk *disk;
    const struct wal_config *config;
    const struct recovery_sink *sink;
    struct recovery_report *report;

    bool has_checkpoint;
    struct checkpoint_header checkpoint;
    uint64_t checkpoint_end; /* its end LSN */

    struct segment_header *segments; /* those that count, by id */
    size_t count, capacity;
    uint64_t *dead; /* ids of those that do not */
    size_t dead_count;

    uint8_t *data; /* the segment being read; room for any of them, and an open record */
    size_t loaded; /* its index; SIZE_MAX: none */

    bool begun; /* a record has been read */
    uint64_t next_lsn, batch;
    uint64_t log_bytes; /* of records behind the checkpoint */
    struct extents extents;
    struct assembly assembly; /* large values, as far as read */
    bool closed;
    struct walltime time;
    size_t last;        /* index of the last segment with records */
    uint64_t last_end;  /* offset one past them */
    uint64_t first_lsn; /* of its first record */
    bool last_is_first; /* it has one alone yet */
    bool opened;        /* the last record is an open record */
    bool keeps_last;    /* it stays where it is */
};

static int tell_checkpoint(struct recovery *r, int result, uint64_t offset, const char *problem)
{
    memcpy(r->report->file, CHECKPOINT_NAME, sizeof CHECKPOINT_NAME);
    r->report->offset = offset;
    r->report->problem = problem;
    return result;
}

static int tell(struct recovery *r, int result, uint64_t id, uint64_t offset,
                const char *problem)
{
    segment_name(r->report->file, id);
    r->report->offset = offset;
    r->report->problem = problem;
    return result;
}

/* ---- scan */

static int add_segment(void *ctx, const char *name)
{
    struct recovery *r = ctx;
    uint64_t id;
    if (!segment_name_parse(name, &id))
        return 0;
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 16;
        void *grown = realloc(r->segments, capacity * sizeof *r->segments);
        if (!grown)
            return -ENOMEM;
        r->segments = grown;
        r->capacity = capacity;
    }
    r->segments[r->count++] = (struct segment_header){.id = id};
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    const struct segment_header *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static int read_all(struct disk *d, struct disk_file *f, uint8_t *to, size_t n,
                    size_t *ret_read)
{
    size_t done = 0, got = 1;
    while (done < n && got > 0) {
        int r = disk_read(d, f, done, to + done, n - done, &got);
        if (r < 0)
            return r;
        done += got;
    }
    *ret_read = done;
    return 0;
}

static int check_header(struct recovery *r, struct segment_header *h, struct bytes header,
                        uint64_t file_bytes)
{
    uint64_t id = h->id;
    switch (segment_header_read(header, h)) {
    case SEGMENT_NEWER:
        return tell(r, RECOVERY_NEWER, id, 0, "written by a newer version");
    case SEGMENT_BAD:
        return tell(r, RECOVERY_CORRUPT, id, 0, "not a log segment");
    }
    if (h->id != id)
        return tell(r, RECOVERY_CORRUPT, id, 0, "holds another segment than its name says");
    if (h->bytes != file_bytes)
        return tell(r, RECOVERY_CORRUPT, id, file_bytes, "not of the size it was made with");
    return 0;
}

static int read_header(struct recovery *r, struct segment_header *h)
{
    char name[DISK_NAME_BYTES];
    segment_name(name, h->id);
    struct disk_file *f;
    int e = disk_open(r->disk, name, false, &f);
    if (e == -EINVAL)
        return tell(r, RECOVERY_CORRUPT, h->id, 0, "not a log segment");
    if (e < 0)
        return e;
    uint8_t header[SEGMENT_HEADER_BYTES];
    uint64_t bytes = 0;
    size_t n = 0;
    e = disk_size(r->disk, f, &bytes);
    if (e == 0)
        e = read_all(r->disk, f, header, sizeof header, &n);
    disk_close(r->disk, f);
    return e == 0 ? check_header(r, h, bytes_make(header, n), bytes) : e;
}

/* Sorts out segments that the checkpoint or others replace. From the end: what a replaced one
 * replaced is replaced too. What the checkpoint replaces is passed over, but stays until the
 * next checkpoint: this one's name may be in the cache alone, where the folder's sync failed.
 */
static int drop_replaced(struct recovery *r)
{
    r->dead = calloc(r->count + 1, sizeof *r->dead);
    if (!r->dead)
        return -ENOMEM;
    uint64_t from = UINT64_MAX;
    uint64_t first = r->has_checkpoint ? r->checkpoint.first_segment : 0;
    size_t kept = r->count;
    for (size_t i = r->count; i-- > 0;) {
        struct segment_header h = r->segments[i];
        if (h.id >= from)
            r->dead[r->dead_count++] = h.id;
        else if (h.id >= first)
            r->segments[--kept] = h;
        if (h.replaces != 0 && h.replaces < from)
            from = h.replaces;
    }
    r->count -= kept;
    memmove(r->segments, r->segments + kept, r->count * sizeof *r->segments);
    return 0;
}

static int scan_checkpoint(struct recovery *r)
{
    uint64_t bytes;
    int e = checkpoint_read_header(r->disk, &r->checkpoint, &bytes);
    if (e == CHECKPOINT_NONE)
        return 0;
    if (e == CHECKPOINT_BAD)
        return tell_checkpoint(r, RECOVERY_CORRUPT, 0, "not a checkpoint");
    if (e == CHECKPOINT_NEWER)
        return tell_checkpoint(r, RECOVERY_NEWER, 0, "written by a newer version");
    if (e == 0) {
        r->has_checkpoint = true;
        r->report->checkpoint_time = r->checkpoint.time;
    }
    return e;
}

static int scan(struct recovery *r)
{
    int e = scan_checkpoint(r);
    if (e == 0)
        e = disk_list(r->disk, add_segment, r);
    if (e != 0 || r->count == 0)
        return e;
    qsort(r->segments, r->count, sizeof *r->segments, compare_ids);
    for (size_t i = 0; i < r->count && e == 0; i++)
        e = read_header(r, &r->segments[i]);
    return e == 0 ? drop_replaced(r) : e;
}

/* ---- read */

static void expect_entries(void *ctx, const struct record_op *puts, size_t n)
{
    struct recovery *r = ctx;
    if (r->sink->expect)
        r->sink->expect(r->sink->ctx, puts, n);
}

static int apply_entry(void *ctx, const struct record_op *put)
{
    struct recovery *r = ctx;
    r->report->entries++;
    return r->sink->apply(r->sink->ctx, put, r->checkpoint.start_lsn);
}

static int read_checkpoint(struct recovery *r)
{
    if (!r->has_checkpoint)
        return 0;
    uint64_t offset;
    const char *problem;
    r->time = r->checkpoint.time;
    const struct checkpoint_sink sink = {apply_entry, expect_entries, r};
    int e = checkpoint_read(r->disk, &sink, &r->checkpoint_end, &r->report->checkpoint_bytes,
                            &offset, &problem);
    return e == CHECKPOINT_BAD ? tell_checkpoint(r, RECOVERY_CORRUPT, offset, problem) : e;
}

/* Is this LSN in the checkpoint? */
static bool is_covered(const struct recovery *r, uint64_t lsn)
{
    return r->has_checkpoint && lsn <= r->checkpoint.start_lsn;
}

static int open_segment(struct recovery *r, size_t index, struct disk_file **ret)
{
    char name[DISK_NAME_BYTES];
    segment_name(name, r->segments[index].id);
    return disk_open(r->disk, name, false, ret);
}

static size_t mark_bytes(void)
{
    return record_bytes(RECORD_MARK_BYTES);
}

/* The same memory for all segments: pages that are there already cost nothing. */
static int reserve_data(struct recovery *r)
{
    if (r->data)
        return 0;
    size_t largest = SEGMENT_HEADER_BYTES;
    for (size_t i = 0; i < r->count; i++)
        if (r->segments[i].bytes > largest)
            largest = r->segments[i].bytes;
    r->data = malloc(largest + mark_bytes());
    return r->data ? 0 : -ENOMEM;
}

static int load(struct recovery *r, size_t index)
{
    if (r->loaded == index)
        return 0;
    r->loaded = SIZE_MAX;
    struct disk_file *f;
    size_t n = 0;
    int e = reserve_data(r);
    if (e < 0)
        return e;
    e = open_segment(r, index, &f);
    if (e < 0)
        return e;
    e = read_all(r->disk, f, r->data, r->segments[index].bytes, &n);
    disk_close(r->disk, f);
    if (e == 0 && n < r->segments[index].bytes)
        e = -EIO;
    if (e == 0)
        r->loaded = index;
    return e;
}

/* What is left of the loaded segment from an offset on. */
static struct bytes rest_of(const struct recovery *r, uint64_t offset)
{
    return bytes_make(r->data + offset, r->segments[r->loaded].bytes - offset);
}

static bool is_zero(struct bytes b)
{
    return b.len == 0 || (b.data[0] == 0 && memcmp(b.data, b.data + 1, b.len - 1) == 0);
}

/* Has the file nothing but zeros from an offset to another? */
static int is_zero_between(struct disk *d, struct disk_file *f, uint64_t at, uint64_t end,
                           bool *ret)
{
    uint8_t piece[64 * 1024];
    size_t n = 0;
    int e;
    while ((e = disk_read(d, f, at, piece, sizeof piece, &n)) == 0 && n > 0 &&
           is_zero(bytes_make(piece, n)))
        at += n;
    *ret = e == 0 && at == end;
    return e;
}

/* Has a segment been prepared, and no more? It is not loaded: what was before it may be needed
 * once more. */
static int is_blank(struct recovery *r, size_t index, bool *ret)
{
    struct disk_file *f;
    int e = open_segment(r, index, &f);
    if (e < 0)
        return e;
    e = is_zero_between(r->disk, f, SEGMENT_HEADER_BYTES, r->segments[index].bytes, ret);
    disk_close(r->disk, f);
    return e;
}

static const char *check_order(const struct recovery *r, const struct record_header *h)
{
    if (!r->begun && is_covered(r, h->lsn))
        return NULL;
    if (!r->begun && !r->has_checkpoint && h->lsn > 1)
        return "what was before it is missing, and so is the checkpoint";
    if (h->lsn != r->next_lsn)
        return "records are missing";
    if (h->batch != h->lsn && h->batch != r->batch)
        return "a record of the wrong batch";
    return NULL;
}

/* What the checkpoint does not have. */
static int apply_change(struct recovery *r, const struct record_op *op, uint64_t lsn)
{
    if (is_covered(r, lsn))
        return 0;
    r->report->changes++;
    return r->sink->apply(r->sink->ctx, op, lsn);
}

/* Puts a large value whose parts have been read. */
static int apply_parts(struct recovery *r, const struct record_op *op, uint64_t lsn,
                       const char **ret_problem)
{
    struct record_parts parts = record_parts_read(op);
    struct blob *blob = NULL;
    int e = assembly_take(&r->assembly, parts.upload, parts.len, &blob);
    if (e == ASSEMBLY_UNKNOWN) {
        if (!is_covered(r, lsn))
            *ret_problem = "a value without all of its parts";
        return 0;
    }
    if (e == 0 && !is_covered(r, lsn)) {
        struct record_op put = *op;
        put.kind = RECORD_PUT;
        put.blob = blob;
        put.value = bytes_make(blob->memory, parts.len);
        e = apply_change(r, &put, lsn);
    }
    blob_unref(blob);
    return e;
}

static int apply_op(struct recovery *r, const struct record_op *op, uint64_t lsn,
                    const char **ret_problem)
{
    uint64_t upload = (uint64_t)op->expires.ms;
    switch (op->kind) {
    case RECORD_PART:
        return assembly_add(&r->assembly, upload, upload == lsn, op->value);
    case RECORD_PUT_PARTS:
        return apply_parts(r, op, lsn, ret_problem);
    case RECORD_DROP:
        assembly_drop(&r->assembly, upload);
        return 0;
    default:
        return apply_change(r, op, lsn);
    }
}

/* Hands a record's operations on, and tells the LSN of its last mutation. Marks stand alone in
 * theirs; nothing but the next opening follows a close. */
static int apply_record(struct recovery *r, struct bytes payload, uint64_t first_lsn,
                        uint64_t *ret_last_lsn, const char **ret_problem)
{
    struct lookahead ahead;
    const struct record_op *op = NULL;
    uint64_t lsn = first_lsn;
    lookahead_begin(&ahead, payload, r->sink->expect, r->sink->ctx);
    int e = lookahead_next(&ahead, &op);
    if (e == 0 && r->closed && op->kind != RECORD_OPEN) {
        *ret_problem = "a record behind the close of the log";
        return 0;
    }
    if (e == RECORD_END || (e == 0 && !op->begins))
        e = RECORD_BAD; /* an empty record, or one that begins in the midst */
    r->closed = r->opened = false;
    for (bool first = true; e == 0; first = false) {
        bool is_mark = op->kind == RECORD_OPEN || op->kind == RECORD_CLOSE;
        if (is_mark && (!first || !lookahead_is_at_end(&ahead)))
            break;
        lsn += !first && op->begins;
        r->closed = op->kind == RECORD_CLOSE;
        r->opened = op->kind == RECORD_OPEN;
        if (op->begins)
            assembly_settle(&r->assembly);
        e = is_mark ? 0 : apply_op(r, op, lsn, ret_problem);
        if (e != 0 || *ret_problem)
            return e;
        e = lookahead_next(&ahead, &op);
    }
    if (e != RECORD_END)
        *ret_problem = "a record without meaning";
    *ret_last_lsn = lsn;
    return 0;
}

static int take_record(struct recovery *r, const struct record_header *h, struct bytes payload,
                       uint64_t offset)
{
    uint64_t id = r->segments[r->loaded].id;
    uint64_t last_lsn = h->lsn;
    const char *problem = check_order(r, h);
    int e = problem ? 0 : apply_record(r, payload, h->lsn, &last_lsn, &problem);
    if (e != 0)
        return e;
    if (problem)
        return tell(r, RECOVERY_CORRUPT, id, offset, problem);
    if (offset == SEGMENT_HEADER_BYTES) {
        r->first_lsn = h->lsn;
        e = extents_add(&r->extents, id, h->lsn);
        if (e < 0)
            return e;
    }
    if (!is_covered(r, last_lsn))
        r->log_bytes += record_bytes(h->payload_bytes);
    r->begun = true;
    r->batch = h->batch;
    r->next_lsn = last_lsn + 1;
    if (h->time.ms > r->time.ms)
        r->time = h->time;
    r->last = r->loaded;
    r->last_is_first = offset == SEGMENT_HEADER_BYTES;
    r->last_end = offset + record_bytes(h->payload_bytes);
    return 0;
}

/* Reads the loaded segment's records; *ret_end is the offset of the first that is none. */
static int read_records(struct recovery *r, uint64_t *ret_end)
{
    const struct segment_header *s = &r->segments[r->loaded];
    uint64_t offset = SEGMENT_HEADER_BYTES;
    struct record_header h;
    struct bytes payload;
    while (record_read(rest_of(r, offset), s->id, s->salt, &h, &payload) == 0) {
        int e = take_record(r, &h, payload, offset);
        if (e != 0)
            return e;
        offset += record_bytes(h.payload_bytes);
    }
    *ret_end = offset;
    return 0;
}

/* The record that would be next_lsn is bad: is it the end of the log, or was it good once? */
static int judge_end(struct recovery *r, size_t index, uint64_t offset)
{
    uint64_t id = r->segments[index].id;
    if (r->closed)
        return tell(r, RECOVERY_CORRUPT, id, offset, "bytes behind the close of the log");
    bool later = false;
    for (size_t i = index; i < r->count && !later; i++) {
        int e = load(r, i);
        if (e < 0)
            return e;
        const struct segment_header *s = &r->segments[i];
        struct bytes rest = rest_of(r, i == index ? offset : SEGMENT_HEADER_BYTES);
        /* What lies in a later segment is of a later batch, whatever its number: one that is
         * next_lsn itself began there. */
        uint64_t batch = i == index ? r->next_lsn : r->next_lsn - 1;
        later = record_find_later(rest, s->id, s->salt, batch);
    }
    if (later)
        return tell(r, RECOVERY_CORRUPT, id, offset,
                    "a damaged record, with whole ones of later batches behind it");
    tell(r, 0, id, offset, "an unfinished write at the end was dropped");
    r->report->cut = true;
    return 0;
}

/* A segment that replaces others was on disk before it had its name: the records it took over,
 * one batch, and an open record in another. Has it been read without all of these? Where that
 * open record is missing, and of the others there is none but an open record, this cannot be
 * seen. */
static bool lacks_its_beginning(const struct recovery *r, size_t index)
{
    if (r->segments[index].replaces == 0)
        return false;
    if (r->last != index)
        return true;
    return r->batch == r->first_lsn && !(r->last_is_first && r->opened);
}

static int read_segments(struct recovery *r)
{
    for (size_t i = 0; i < r->count; i++) {
        uint64_t end;
        bool blank = false, may_be_blank = r->begun && r->segments[i].replaces == 0;
        int e = may_be_blank ? is_blank(r, i, &blank) : 0;
        if (blank)
            continue;
        if (e == 0)
            e = load(r, i);
        if (e == 0)
            e = read_records(r, &end);
        if (e != 0)
            return e;
        /* The first one came from recovery, which puts an open record into it. */
        if (!r->begun)
            return tell(r, RECOVERY_CORRUPT, r->segments[i].id, end,
                        is_zero(rest_of(r, end)) ? "the log's first record is missing"
                                                 : "the log's first record is damaged");
        if (lacks_its_beginning(r, i))
            return tell(r, RECOVERY_CORRUPT, r->segments[i].id, end,
                        "a record is missing that was there from the beginning");
        if (!is_zero(rest_of(r, end)))
            return judge_end(r, i, end);
    }
    return 0;
}

static int read_log(struct recovery *r)
{
    r->next_lsn = r->has_checkpoint ? r->checkpoint.start_lsn + 1 : 1;
    int e = read_segments(r);
    if (e != 0)
        return e;
    if (r->has_checkpoint && (!r->begun || r->next_lsn <= r->checkpoint_end))
        return tell_checkpoint(r, RECOVERY_CORRUPT, 0,
                               "the log stops short of this checkpoint");
    return 0;
}

/* ---- make */

/* Gives the last segment's records the new segment's salt, as one batch. */
static void reseal(struct recovery *r, const struct segment_header *to)
{
    const struct segment_header *from = &r->segments[r->last];
    struct record_header h;
    struct bytes payload;
    for (uint64_t at = SEGMENT_HEADER_BYTES; at < r->last_end;
         at += record_bytes(h.payload_bytes)) {
        record_read(rest_of(r, at), from->id, from->salt, &h, &payload);
        h.batch = r->first_lsn;
        h.segment = to->id;
        record_seal(r->data + at, &h, to->salt);
    }
}

/* The new segment's records: those of the last one, but where it stays, and an open record.
 * They lie in r->data, where the last segment's were. */
static int new_records(struct recovery *r, const struct segment_header *to, struct bytes *ret)
{
    size_t old = r->count && !r->keeps_last ? r->last_end - SEGMENT_HEADER_BYTES : 0;
    int e = old ? load(r, r->last) : reserve_data(r);
    if (e < 0)
        return e;
    if (old)
        reseal(r, to);
    r->loaded = SIZE_MAX; /* it is not what a file holds any more */
    uint8_t *records = r->data + SEGMENT_HEADER_BYTES;
    struct record_op op = {.kind = RECORD_OPEN};
    struct record_header h = {.payload_bytes = RECORD_MARK_BYTES,
                              .lsn = r->next_lsn,
                              .batch = r->next_lsn,
                              .segment = to->id,
                              .time = r->time};
    record_op_write(records + old + RECORD_HEADER_BYTES, &op);
    record_op_begin(records + old + RECORD_HEADER_BYTES);
    record_seal(records + old, &h, to->salt);
    *ret = bytes_make(records, old + mark_bytes());
    return 0;
}

static int remove_segment(struct recovery *r, uint64_t id)
{
    char name[DISK_NAME_BYTES];
    segment_name(name, id);
    return disk_remove(r->disk, name);
}

static int remove_tmp(struct recovery *r, const char *name)
{
    int e = disk_remove(r->disk, name);
    return e == -ENOENT ? 0 : e;
}

/* Segments behind the end of the log hold nothing; their space may be needed. */
static int remove_unused(struct recovery *r)
{
    int e = remove_tmp(r, SEGMENT_TMP_NAME);
    if (e == 0)
        e = remove_tmp(r, CHECKPOINT_TMP_NAME);
    for (size_t i = r->last + 1; i < r->count && e == 0; i++)
        e = remove_segment(r, r->segments[i].id);
    return e;
}

/* What the new segment stands for goes only now that it is durable. */
static int remove_replaced(struct recovery *r)
{
    int e = 0;
    for (size_t i = 0; i < r->dead_count && e == 0; i++)
        e = remove_segment(r, r->dead[i]);
    if (e == 0 && r->count > 0 && !r->keeps_last)
        e = remove_segment(r, r->segments[r->last].id);
    return e == 0 ? disk_sync_folder(r->disk) : e;
}

/* The last segment, and what it replaces; or, where it stays, what lies behind it alone: that
 * may hold a part of a record, and come back after its removal. 0: nothing. */
static uint64_t first_replaced(const struct recovery *r, uint64_t newest)
{
    const struct segment_header *last = &r->segments[r->last];
    if (r->keeps_last)
        return last->id < newest ? last->id + 1 : 0;
    return last->replaces ? last->replaces : last->id;
}

static void choose_header(const struct recovery *r, struct segment_header *ret)
{
    uint64_t newest = r->count ? r->segments[r->count - 1].id : 0;
    struct segment_header h = {.id = newest + 1};
    uint8_t id[8];
    number_put_u64(id, h.id);
    h.salt = hash_bytes(bytes_make(id, sizeof id), r->config->secret);
    if (r->count)
        h.replaces = first_replaced(r, newest);
    *ret = h;
}

/* As large as the last one, and with room to write. */
static uint64_t choose_bytes(const struct recovery *r, size_t used)
{
    uint64_t bytes = r->count ? r->segments[r->last].bytes : 0;
    if (bytes > r->config->segment_bytes_max)
        bytes = r->config->segment_bytes_max;
    if (bytes < used + r->config->segment_first_bytes)
        bytes = used + r->config->segment_first_bytes;
    return (bytes + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
}

static int make_segment(struct recovery *r, struct segment_header *h, size_t *ret_len)
{
    struct bytes records;
    choose_header(r, h);
    int e = new_records(r, h, &records);
    if (e < 0)
        return e;
    size_t used = SEGMENT_HEADER_BYTES + records.len + mark_bytes();
    h->bytes = choose_bytes(r, used);
    e = segment_make(r->disk, h, records);
    if (disk_error_is_full(e)) {
        /* On a full disk as small as it can be: where that fits, reads go on. */
        h->bytes = used;
        e = segment_make(r->disk, h, records);
    }
    *ret_len = records.len;
    return e;
}

/* The last segment's records are written where they are, as they are, so that they are on disk
 * and not in the cache alone; what was cut goes. That needs no room, and as the same bytes are
 * written, nothing is lost where it breaks off. */
static int keep_last(struct recovery *r)
{
    const struct segment_header *s = &r->segments[r->last];
    int e = load(r, r->last);
    if (e < 0)
        return e;
    memset(r->data + r->last_end, 0, s->bytes - r->last_end);
    char name[DISK_NAME_BYTES];
    segment_name(name, s->id);
    struct disk_file *f;
    e = disk_open(r->disk, name, false, &f);
    if (e < 0)
        return e;
    e = disk_write(r->disk, f, SEGMENT_HEADER_BYTES, r->data + SEGMENT_HEADER_BYTES,
                   s->bytes - SEGMENT_HEADER_BYTES);
    if (e == 0)
        e = disk_sync(r->disk, f);
    disk_close(r->disk, f);
    r->keeps_last = e == 0;
    return e;
}

/* On a disk too full for the last segment's records, they stay where they are, and the new one
 * has an open record alone. */
static int make_newest(struct recovery *r, struct segment_header *h, size_t *ret_len)
{
    int e = make_segment(r, h, ret_len);
    if (!disk_error_is_full(e) || r->count == 0)
        return e;
    e = keep_last(r);
    return e == 0 ? make_segment(r, h, ret_len) : e;
}

/* The new segment stands where the last one stood, or behind it. */
static int note_segment(struct recovery *r, const struct segment_header *h)
{
    bool replaces = r->count > 0 && !r->keeps_last;
    return extents_add(&r->extents, h->id, replaces ? r->first_lsn : r->next_lsn);
}

static int make(struct recovery *r, struct walltime now, struct wal_position *ret)
{
    struct segment_header h;
    size_t len = 0;
    if (now.ms > r->time.ms)
        r->time = now;
    int e = remove_unused(r);
    if (e == 0)
        e = make_newest(r, &h, &len);
    if (e == 0)
        e = remove_replaced(r);
    if (e == 0)
        e = note_segment(r, &h);
    if (e < 0)
        return e;
    *ret = (struct wal_position){
        .next_lsn = r->next_lsn + 1,
        .segment = h.id,
        .salt = h.salt,
        .offset = SEGMENT_HEADER_BYTES + len,
        .bytes = h.bytes,
        .time = r->time,
        .log_bytes = r->log_bytes,
        .extents = r->extents,
    };
    r->extents = (struct extents){0};
    return 0;
}

static int read_everything(struct recovery *r)
{
    int e = scan(r);
    if (e == 0)
        e = read_checkpoint(r);
    if (e == 0)
        e = read_log(r);
    r->report->closed = e == 0 && r->closed;
    return e;
}

static void recovery_fini(struct recovery *r)
{
    free(r->segments);
    free(r->dead);
    free(r->data);
    extents_fini(&r->extents);
    assembly_fini(&r->assembly);
}

int recovery_check(struct disk *d, const struct recovery_sink *sink,
                   struct recovery_report *ret_report)
{
    *ret_report = (struct recovery_report){0};
    struct recovery r = {.disk = d, .sink = sink, .report = ret_report, .loaded = SIZE_MAX};
    int e = read_everything(&r);
    if (e == 0 && r.count == 0)
        e = tell(&r, RECOVERY_CORRUPT, 1, 0, "there is no log");
    recovery_fini(&r);
    return e;
}

int recovery_run(struct disk *d, const struct wal_config *config, struct walltime now,
                 const struct recovery_sink *sink, struct wal_position *ret_position,
                 struct recovery_report *ret_report)
{
    *ret_report = (struct recovery_report){0};
    struct recovery r = {
        .disk = d,
        .config = config,
        .sink = sink,
        .report = ret_report,
        .loaded = SIZE_MAX,
        .time = {INT64_MIN},
    };
    int e = read_everything(&r);
    if (e == 0)
        e = make(&r, now, ret_position);
    recovery_fini(&r);
    return e;
}
