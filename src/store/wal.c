#include "store/wal.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/number.h"
#include "store/disk.h"
#include "store/record.h"
#include "store/segment.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Mutations gather in runs, one a segment: nearly always a single one, more only while what a
 * full segment has taken still waits to be written. A worker writes operations and nothing
 * else; a run leaves as a chunk, which is one record: its header, with checksum, is made then,
 * outside the mutex.
 *
 * Two rules keep recovery simple: the last chunk of a segment is always synced, so a batch
 * never spans segments; and the close record is a batch of its own, so that it proves all
 * before it.
 */

enum {
    SPARE_BUFFERS = 2,
    KEEP_BYTES = 4 * 1024 * 1024, /* a larger buffer is not kept */
    GATHER_BYTES = 256 * 1024,    /* at most; then written out before the sync is due */
    CLOSE_BYTES = (RECORD_HEADER_BYTES + RECORD_MARK_BYTES + RECORD_ALIGN - 1) / RECORD_ALIGN *
                  RECORD_ALIGN,
};

struct buffered {
    uint8_t *data;
    size_t len, capacity;
};

struct run {
    struct run *next;
    struct wal_segment segment;
    uint64_t offset; /* where its next record goes */
    struct buffered
        records; /* room for the header, then mutations; empty where there is none */
    uint64_t first_lsn, last_lsn;
};

/* At making a segment. */
struct attempt {
    struct wal_trouble trouble; /* why the last one failed, lately */
    struct instant retry_at;
};

struct wal {
    pthread_mutex_t lock;
    struct wal_config config;
    size_t gather_bytes;
    enum wal_state state;
    int error;
    uint64_t next_lsn;
    _Atomic int64_t time_ms;
    _Atomic uint64_t durable;

    struct run *head, *tail; /* tail takes new records */
    size_t buffered_bytes;   /* in all runs and the chunk that is out */
    uint64_t bytes;          /* of records, since ever */
    struct extents extents;
    struct buffered spare[SPARE_BUFFERS];

    uint8_t *begun;          /* the mutation between wal_begin and wal_end */
    bool is_out;             /* a chunk is with the log's thread */
    struct buffered out;     /* its data */
    uint64_t batch;          /* the batch being written; 0: none */
    bool unsynced;           /* head's segment has records written and not synced */
    struct wal_mark written; /* the last of them */
    uint64_t sync_lsn;       /* the last that was handed out to be synced */
    uint64_t urgent_lsn;     /* is to be synced without waiting */
    bool room_wanted;        /* a record waits until what is buffered has been written */
    struct instant sync_due; /* of what is unsynced or waits */
    uint8_t close_record[CLOSE_BYTES];

    bool has_next; /* there is a segment after tail's */
    struct wal_segment next;
    uint64_t next_id;
    uint64_t normal_bytes;        /* size of the newest segment, oversized ones apart */
    uint64_t need_bytes;          /* a record waits for a segment this large; 0: none */
    struct attempt normal, large; /* what all need; what only a large record does */
    struct attempt *making;       /* the one that is under way; NULL: none */
    bool read_only;               /* somebody was refused for want of room */
};

int wal_new(struct wal **ret, const struct wal_config *config, struct wal_position *at)
{
    struct wal *w = calloc(1, sizeof *w);
    struct run *first = calloc(1, sizeof *first);
    if (!w || !first) {
        free(w);
        free(first);
        return -ENOMEM;
    }
    pthread_mutex_init(&w->lock, NULL);
    w->config = *config;
    w->gather_bytes = config->buffered_bytes_max / 4;
    if (w->gather_bytes > GATHER_BYTES)
        w->gather_bytes = GATHER_BYTES;
    w->next_lsn = at->next_lsn;
    w->written = (struct wal_mark){at->next_lsn - 1, at->segment, at->offset};
    w->sync_lsn = at->next_lsn - 1;
    atomic_init(&w->durable, at->next_lsn - 1);
    atomic_init(&w->time_ms, at->time.ms);
    w->sync_due = INSTANT_NEVER;
    first->segment = (struct wal_segment){at->segment, at->salt, at->bytes};
    first->offset = at->offset;
    w->head = w->tail = first;
    w->next_id = at->segment + 1;
    w->bytes = at->log_bytes;
    w->extents = at->extents;
    at->extents = (struct extents){0};
    w->normal_bytes =
        at->bytes < config->segment_bytes_max ? at->bytes : config->segment_bytes_max;
    *ret = w;
    return 0;
}

void wal_free(struct wal *w)
{
    if (!w)
        return;
    while (w->head) {
        struct run *next = w->head->next;
        free(w->head->records.data);
        free(w->head);
        w->head = next;
    }
    for (size_t i = 0; i < SPARE_BUFFERS; i++)
        free(w->spare[i].data);
    free(w->out.data);
    extents_fini(&w->extents);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static struct buffered take_spare(struct wal *w)
{
    for (size_t i = 0; i < SPARE_BUFFERS; i++)
        if (w->spare[i].data) {
            struct buffered b = w->spare[i];
            w->spare[i] = (struct buffered){0};
            return b;
        }
    return (struct buffered){0};
}

static void give_spare(struct wal *w, struct buffered b)
{
    b.len = 0;
    for (size_t i = 0; i < SPARE_BUFFERS && b.capacity <= KEEP_BYTES; i++)
        if (!w->spare[i].data) {
            w->spare[i] = b;
            return;
        }
    free(b.data);
}

static int buffered_reserve(struct buffered *b, size_t n)
{
    if (b->capacity - b->len >= n)
        return 0;
    size_t capacity = b->capacity ? b->capacity * 2 : 4096;
    if (capacity < b->len + n)
        capacity = b->len + n;
    uint8_t *data = realloc(b->data, capacity);
    if (!data)
        return -ENOMEM;
    b->data = data;
    b->capacity = capacity;
    return 0;
}

/* Goes on in the segment that was made ahead. */
static int switch_segment(struct wal *w)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r || extents_add(&w->extents, w->next.id, w->next_lsn) != 0) {
        free(r);
        return -ENOMEM;
    }
    r->segment = w->next;
    r->offset = SEGMENT_HEADER_BYTES;
    w->tail->next = r;
    w->tail = r;
    w->has_next = false;
    return 0;
}

/* What a run's record takes, with n bytes more. */
static size_t run_bytes(const struct run *r, size_t n)
{
    size_t payload = r->records.len > 0 ? r->records.len - RECORD_HEADER_BYTES : 0;
    return record_bytes(payload + n);
}

/* Twice the size of the last one, within bounds. */
static uint64_t next_normal_bytes(const struct wal *w)
{
    uint64_t bytes = w->normal_bytes * 2;
    if (bytes > w->config.segment_bytes_max)
        bytes = w->config.segment_bytes_max;
    if (bytes < w->config.segment_first_bytes)
        bytes = w->config.segment_first_bytes;
    return bytes & ~(uint64_t)(RECORD_ALIGN - 1);
}

/* There is no room for a record that needs a segment of so many bytes: is some being made, or
 * could none be? Where only a large one could not, that is nobody else's affair. */
static int refuse(struct wal *w, uint64_t need)
{
    bool is_large = need > next_normal_bytes(w) && (w->has_next || !w->normal.trouble.error);
    int error = is_large ? w->large.trouble.error : w->normal.trouble.error;
    w->read_only = disk_error_is_full(error);
    if (w->read_only)
        return WAL_READ_ONLY;
    return error ? WAL_STUCK : WAL_BUSY;
}

/* Finds room for n bytes of payload, besides that of a close record. */
static int find_space(struct wal *w, size_t n)
{
    const struct run *r = w->tail;
    if (r->offset + run_bytes(r, n) + CLOSE_BYTES <= r->segment.bytes)
        return 0;
    uint64_t need = SEGMENT_HEADER_BYTES + record_bytes(n) + CLOSE_BYTES;
    if (w->has_next && need <= w->next.bytes)
        return switch_segment(w);
    if (need > w->need_bytes)
        w->need_bytes = need;
    return refuse(w, need);
}

static int accept_record(struct wal *w, size_t payload_bytes)
{
    if (w->state != WAL_OPEN)
        return -EIO;
    if (payload_bytes > LIMIT_RECORD_BYTES)
        return WAL_TOO_LARGE;
    if (w->buffered_bytes > 0 &&
        w->buffered_bytes + record_bytes(payload_bytes) > w->config.buffered_bytes_max) {
        w->room_wanted = true;
        return WAL_BUSY;
    }
    int r = find_space(w, payload_bytes);
    return r == 0 ? buffered_reserve(&w->tail->records, record_bytes(payload_bytes)) : r;
}

static void advance_time(struct wal *w, struct walltime now)
{
    if (now.ms > atomic_load_explicit(&w->time_ms, memory_order_relaxed))
        atomic_store_explicit(&w->time_ms, now.ms, memory_order_relaxed);
}

/* Takes n bytes at the end of a run, which have been reserved, and room for a header before the
 * first. */
static uint8_t *run_take(struct wal *w, struct run *r, size_t n, uint64_t lsn)
{
    size_t taken = n;
    if (r->records.len == 0) {
        r->first_lsn = lsn;
        r->records.len = RECORD_HEADER_BYTES;
        taken += RECORD_HEADER_BYTES;
    }
    uint8_t *at = r->records.data + r->records.len;
    r->last_lsn = lsn;
    r->records.len += n;
    w->buffered_bytes += taken;
    w->bytes += taken;
    return at;
}

int wal_begin(struct wal *w, size_t payload_bytes, struct walltime now, bool urgent,
              uint8_t **ret_payload, uint64_t *ret_lsn)
{
    pthread_mutex_lock(&w->lock);
    int r = accept_record(w, payload_bytes);
    if (r != 0) {
        pthread_mutex_unlock(&w->lock);
        return r;
    }
    w->read_only = false;
    uint64_t lsn = w->next_lsn++;
    advance_time(w, now);
    w->begun = run_take(w, w->tail, payload_bytes, lsn);
    if (urgent)
        w->urgent_lsn = lsn;
    *ret_payload = w->begun;
    *ret_lsn = lsn;
    return 0;
}

void wal_end(struct wal *w)
{
    record_op_begin(w->begun);
    pthread_mutex_unlock(&w->lock);
}

static bool has_urgent(const struct wal *w)
{
    return w->urgent_lsn > w->sync_lsn;
}

/* Is there enough to be written before its sync is due? */
static bool has_gathered(const struct wal *w)
{
    size_t waiting = w->head->records.len;
    return waiting >= w->gather_bytes || (waiting > 0 && w->room_wanted);
}

static bool wants_writer(const struct wal *w)
{
    if (w->is_out || w->state == WAL_CLOSED || w->state == WAL_FAILED)
        return false;
    bool waiting = w->head->records.len > 0 || w->head != w->tail;
    if (w->state == WAL_CLOSING || w->config.sync_every_ms == 0)
        return waiting || w->state == WAL_CLOSING;
    return has_urgent(w) || w->head != w->tail || has_gathered(w) ||
           (waiting && w->sync_due.ns == INSTANT_NEVER.ns);
}

bool wal_wants_writer(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    bool wants = wants_writer(w);
    pthread_mutex_unlock(&w->lock);
    return wants;
}

/* Frees runs of full segments that are written and synced. */
static void drop_finished_runs(struct wal *w)
{
    while (w->head != w->tail && w->head->records.len == 0 && !w->unsynced) {
        struct run *finished = w->head;
        w->head = finished->next;
        give_spare(w, finished->records);
        free(finished);
    }
}

/* What the record that leaves is sealed with. */
static struct record_header header_of(const struct wal *w, const struct run *r,
                                      uint64_t first_lsn, size_t payload_bytes)
{
    return (struct record_header){
        .payload_bytes = (uint32_t)payload_bytes,
        .lsn = first_lsn,
        .batch = w->batch ? w->batch : first_lsn,
        .segment = r->segment.id,
        .time = {atomic_load_explicit(&w->time_ms, memory_order_relaxed)}};
}

/* Moves head's record, if there is one, into the chunk. */
static void detach_record(struct wal *w, struct wal_chunk *chunk, struct record_header *ret)
{
    struct run *r = w->head;
    *chunk = (struct wal_chunk){.segment = r->segment.id, .last_lsn = w->written.lsn};
    if (r->records.len == 0)
        return;
    *ret = header_of(w, r, r->first_lsn, r->records.len - RECORD_HEADER_BYTES);
    w->out = r->records;
    w->out.len = record_bytes(ret->payload_bytes);
    w->buffered_bytes += w->out.len - r->records.len;
    r->records = (struct buffered){0};
    if (r == w->tail)
        r->records = take_spare(w);
    chunk->data = bytes_make(w->out.data, w->out.len);
    chunk->offset = r->offset;
    chunk->last_lsn = r->last_lsn;
    r->offset += w->out.len;
}

/* The close record, a batch of its own: all before it is durable. */
static void detach_close(struct wal *w, struct wal_chunk *chunk, struct record_header *ret)
{
    struct run *r = w->tail;
    struct record_op op = {.kind = RECORD_CLOSE};
    record_op_write(w->close_record + RECORD_HEADER_BYTES, &op);
    record_op_begin(w->close_record + RECORD_HEADER_BYTES);
    *ret = header_of(w, r, w->next_lsn, RECORD_MARK_BYTES);
    *chunk = (struct wal_chunk){.data = bytes_make(w->close_record, CLOSE_BYTES),
                                .segment = r->segment.id,
                                .offset = r->offset,
                                .last_lsn = w->next_lsn++};
    r->offset += CLOSE_BYTES;
}

static bool is_sync_due(const struct wal *w, struct instant now)
{
    return w->config.sync_every_ms == 0 || w->head != w->tail || w->state == WAL_CLOSING ||
           has_urgent(w) || now.ns >= w->sync_due.ns;
}

/* Decides what goes out; *ret_header is what to seal it with, where it has data. */
static int choose_chunk(struct wal *w, struct instant now, struct wal_chunk *ret,
                        struct record_header *ret_header)
{
    if (w->state == WAL_FAILED || w->state == WAL_CLOSED)
        return WAL_IDLE;
    drop_finished_runs(w);
    size_t waiting = w->head->records.len;
    if (waiting == 0 && !w->unsynced) {
        if (w->state != WAL_CLOSING)
            return WAL_IDLE;
        detach_close(w, ret, ret_header);
        ret->sync = true;
        return 0;
    }
    bool sync = is_sync_due(w, now);
    if (w->sync_due.ns == INSTANT_NEVER.ns)
        w->sync_due = instant_after_ms(now, w->config.sync_every_ms);
    if (!sync && !has_gathered(w))
        return WAL_IDLE;
    detach_record(w, ret, ret_header);
    ret->sync = sync;
    return 0;
}

/* Takes what goes out, under the lock. */
static int take(struct wal *w, struct instant now, struct wal_chunk *ret,
                struct record_header *ret_header, uint64_t *ret_salt)
{
    assert(!w->is_out);
    int r = choose_chunk(w, now, ret, ret_header);
    if (r != 0)
        return r;
    w->is_out = true;
    w->room_wanted = false;
    if (ret->sync)
        w->sync_lsn = ret->last_lsn;
    if (ret->data.len > 0)
        w->batch = ret_header->batch;
    *ret_salt = w->head->segment.salt;
    return 0;
}

int wal_take(struct wal *w, struct instant now, struct wal_chunk *ret,
             struct instant *ret_deadline)
{
    struct record_header header = {0};
    uint64_t salt;
    pthread_mutex_lock(&w->lock);
    int r = take(w, now, ret, &header, &salt);
    *ret_deadline = w->state == WAL_FAILED ? INSTANT_NEVER : w->sync_due;
    pthread_mutex_unlock(&w->lock);
    /* What is out is the log thread's alone. */
    if (r == 0 && ret->data.len > 0)
        record_seal(ret->data.data == w->close_record ? w->close_record : w->out.data, &header,
                    salt);
    return r;
}

static void chunk_succeeded(struct wal *w, const struct wal_chunk *chunk)
{
    if (chunk->data.len > 0)
        w->written =
            (struct wal_mark){chunk->last_lsn, chunk->segment, chunk->offset + chunk->data.len};
    w->unsynced = !chunk->sync;
    if (!chunk->sync)
        return;
    w->batch = 0;
    w->sync_due = INSTANT_NEVER;
    atomic_store_explicit(&w->durable, chunk->last_lsn, memory_order_release);
    if (chunk->data.data == w->close_record)
        w->state = WAL_CLOSED;
}

void wal_done(struct wal *w, const struct wal_chunk *chunk, int error, struct instant now)
{
    pthread_mutex_lock(&w->lock);
    assert(w->is_out);
    w->is_out = false;
    w->buffered_bytes -= w->out.len;
    give_spare(w, w->out);
    w->out = (struct buffered){0};
    if (error) {
        w->state = WAL_FAILED;
        w->error = error;
    } else {
        chunk_succeeded(w, chunk);
    }
    pthread_mutex_unlock(&w->lock);
}

/* The segment to be made next, NULL for none. One that is too small for a record that waits is
 * passed over by the next one, and stays empty. A normal one comes first where there is none at
 * all and making one has failed: one large record must not keep all others out. */
static struct attempt *wanted_attempt(struct wal *w)
{
    if (w->state != WAL_OPEN || w->making || (w->has_next && w->need_bytes <= w->next.bytes))
        return NULL;
    bool is_large = w->need_bytes > next_normal_bytes(w);
    bool has_failed = w->normal.trouble.error || w->large.trouble.error;
    return is_large && (w->has_next || !has_failed) ? &w->large : &w->normal;
}

/* For a large record there is room to spare, so that smaller ones which get there first do not
 * take its place. */
static uint64_t choose_bytes(struct wal *w)
{
    uint64_t bytes = w->normal_bytes = next_normal_bytes(w);
    if (w->making == &w->large)
        bytes += w->need_bytes;
    if (w->need_bytes <= bytes)
        w->need_bytes = 0;
    return bytes;
}

/* Has an attempt failed that nobody repeats unasked? Whoever asks later shall not be refused
 * for what was long ago. */
static bool has_stale_failure(const struct wal *w, const struct attempt *a)
{
    return a->trouble.error && a != w->making && (w->has_next || a == &w->large);
}

static void forget_failure(const struct wal *w, struct attempt *a, struct instant now)
{
    if (has_stale_failure(w, a) && now.ns >= a->retry_at.ns)
        a->trouble.error = 0;
}

static void begin_making(struct wal *w, struct attempt *a, struct wal_segment *ret)
{
    uint64_t id = w->next_id++;
    uint8_t bytes[8];
    number_put_u64(bytes, id);
    w->making = a;
    *ret = (struct wal_segment){
        .id = id,
        .salt = hash_bytes(bytes_make(bytes, sizeof bytes), w->config.secret),
        .bytes = choose_bytes(w),
    };
}

bool wal_wants_segment(struct wal *w, struct instant now, struct wal_segment *ret)
{
    pthread_mutex_lock(&w->lock);
    forget_failure(w, &w->normal, now);
    forget_failure(w, &w->large, now);
    struct attempt *a = wanted_attempt(w);
    bool wants = a && (!a->trouble.error || now.ns >= a->retry_at.ns);
    if (wants)
        begin_making(w, a, ret);
    pthread_mutex_unlock(&w->lock);
    return wants;
}

/* On a disk nearly full a smaller one may fit: half of what was tried. Where something else is
 * the matter, size is not. */
static void note_failure(struct wal *w, struct wal_trouble trouble, struct instant now)
{
    *w->making = (struct attempt){trouble, instant_after_ms(now, LIMIT_SEGMENT_RETRY_MS)};
    bool may_be_too_large = disk_error_is_full(trouble.error) && w->making == &w->normal;
    w->normal_bytes /= may_be_too_large ? 4 : 2;
}

static void note_success(struct wal *w, const struct wal_segment *segment)
{
    w->making->trouble.error = 0;
    w->normal.trouble.error = 0;
    w->has_next = true;
    w->next = *segment;
    w->read_only = false;
}

void wal_prepared(struct wal *w, const struct wal_segment *segment, int error,
                  struct instant now)
{
    pthread_mutex_lock(&w->lock);
    assert(w->making);
    if (error)
        note_failure(w, (struct wal_trouble){error, segment->bytes}, now);
    else
        note_success(w, segment);
    w->making = NULL;
    pthread_mutex_unlock(&w->lock);
}

static struct instant failure_deadline(const struct wal *w, const struct attempt *a)
{
    return has_stale_failure(w, a) ? a->retry_at : INSTANT_NEVER;
}

struct instant wal_segment_deadline(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    struct instant deadline =
        instant_min(failure_deadline(w, &w->normal), failure_deadline(w, &w->large));
    const struct attempt *a = wanted_attempt(w);
    if (a)
        deadline = instant_min(deadline, a->trouble.error ? a->retry_at : (struct instant){0});
    pthread_mutex_unlock(&w->lock);
    return deadline;
}

void wal_close(struct wal *w, struct walltime now)
{
    pthread_mutex_lock(&w->lock);
    if (w->state == WAL_OPEN) {
        w->state = WAL_CLOSING;
        advance_time(w, now);
    }
    pthread_mutex_unlock(&w->lock);
}

size_t wal_buffered(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    size_t bytes = w->buffered_bytes;
    pthread_mutex_unlock(&w->lock);
    return bytes;
}

uint64_t wal_bytes(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    uint64_t bytes = w->bytes;
    pthread_mutex_unlock(&w->lock);
    return bytes;
}

uint64_t wal_segment_of(struct wal *w, uint64_t lsn)
{
    pthread_mutex_lock(&w->lock);
    uint64_t segment = extents_find(&w->extents, lsn);
    pthread_mutex_unlock(&w->lock);
    return segment;
}

uint64_t wal_next_segment(struct wal *w, uint64_t segment)
{
    pthread_mutex_lock(&w->lock);
    uint64_t next = extents_next(&w->extents, segment);
    pthread_mutex_unlock(&w->lock);
    return next;
}

void wal_dropped(struct wal *w, uint64_t first_segment)
{
    pthread_mutex_lock(&w->lock);
    extents_drop(&w->extents, first_segment);
    pthread_mutex_unlock(&w->lock);
}

uint64_t wal_durable(struct wal *w)
{
    return atomic_load_explicit(&w->durable, memory_order_acquire);
}

uint64_t wal_last_lsn(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    uint64_t lsn = w->next_lsn - 1;
    pthread_mutex_unlock(&w->lock);
    return lsn;
}

struct wal_mark wal_written(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    struct wal_mark mark = w->written;
    pthread_mutex_unlock(&w->lock);
    return mark;
}

enum wal_state wal_state(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    enum wal_state state = w->state;
    pthread_mutex_unlock(&w->lock);
    return state;
}

int wal_error(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    int error = w->error;
    pthread_mutex_unlock(&w->lock);
    return error;
}

struct wal_trouble wal_trouble(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    struct wal_trouble trouble = w->normal.trouble.error ? w->normal.trouble : w->large.trouble;
    pthread_mutex_unlock(&w->lock);
    return trouble;
}

bool wal_is_read_only(struct wal *w)
{
    pthread_mutex_lock(&w->lock);
    bool read_only = w->read_only;
    pthread_mutex_unlock(&w->lock);
    return read_only;
}

struct walltime wal_time(struct wal *w)
{
    return (struct walltime){atomic_load_explicit(&w->time_ms, memory_order_relaxed)};
}
