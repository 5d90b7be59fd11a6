#include "store/upkeep.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/number.h"
#include "store/segment.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    SPACES = 2,
    COPY_BUCKETS = 128,    /* a step, under the shard's lock */
    SWEEP_BUCKETS = 256,   /* likewise */
    FREE_ENTRIES = 2000,   /* a step */
    SETTLE_MS = 5,         /* between looks whether the log is on disk */
    SWEEP_EVERY_MS = 1000, /* when there was nothing */
};

void upkeep_init(struct upkeep *u, const struct upkeep_config *config, struct disk *d,
                 struct wal *w, struct keyspace *spaces, struct uploads *uploads)
{
    *u = (struct upkeep){.config = *config,
                         .disk = d,
                         .wal = w,
                         .spaces = spaces,
                         .uploads = uploads,
                         .last_bytes = config->last_bytes};
    atomic_init(&u->saved_ms, config->saved.ms);
    pthread_mutex_init(&u->lock, NULL);
}

void upkeep_fini(struct upkeep *u)
{
    checkpoint_abandon(&u->writer);
    while (u->garbage) {
        struct garbage_heap *heap = u->garbage;
        u->garbage = heap->next;
        table_garbage_free(heap->item);
        free(heap);
    }
    pthread_mutex_destroy(&u->lock);
}

/* ---- garbage */

void upkeep_take_garbage(struct upkeep *u, struct table_garbage *garbage)
{
    struct garbage_heap *heap = malloc(sizeof *heap);
    if (!heap) {
        table_garbage_free(garbage);
        return;
    }
    pthread_mutex_lock(&u->lock);
    *heap = (struct garbage_heap){garbage, u->garbage};
    u->garbage = heap;
    pthread_mutex_unlock(&u->lock);
}

static struct garbage_heap *swap_garbage(struct upkeep *u, struct garbage_heap *put)
{
    pthread_mutex_lock(&u->lock);
    struct garbage_heap *heap = u->garbage;
    if (put) {
        put->next = heap;
        u->garbage = put;
    } else if (heap) {
        u->garbage = heap->next;
    }
    pthread_mutex_unlock(&u->lock);
    return heap;
}

static bool free_garbage(struct upkeep *u)
{
    struct garbage_heap *heap = swap_garbage(u, NULL);
    if (!heap)
        return false;
    if (table_garbage_free_some(heap->item, FREE_ENTRIES)) {
        swap_garbage(u, heap);
    } else {
        table_garbage_free(heap->item);
        free(heap);
    }
    return true;
}

/* ---- sweep */

static bool sweep(struct upkeep *u, struct instant now, struct walltime wall)
{
    if (now.ns < u->sweep_at.ns)
        return false;
    bool swept = false;
    for (size_t i = 0; i < SPACES; i++) {
        bool more;
        swept |= keyspace_sweep(&u->spaces[i], SWEEP_BUCKETS, wall, &more) == 0 && more;
    }
    if (!swept)
        u->sweep_at = instant_after_ms(now, SWEEP_EVERY_MS);
    return swept;
}

/* ---- checkpoint */

static bool is_due(struct upkeep *u, struct instant now)
{
    if (atomic_load(&u->wanted))
        return true;
    if (now.ns < u->retry_at.ns || wal_state(u->wal) != WAL_OPEN)
        return false;
    uint64_t grown = wal_bytes(u->wal) - u->log_bytes;
    if (wal_is_read_only(u->wal))
        return grown > 0;
    return grown >= u->config.log_bytes && grown >= u->last_bytes;
}

static int begin(struct upkeep *u, struct walltime wall)
{
    atomic_store(&u->wanted, false);
    atomic_store(&u->running, true);
    /* The bytes first: what comes between is counted again, never lost. */
    u->begun_bytes = wal_bytes(u->wal);
    struct checkpoint_header h = {.time = keyspace_time(u->spaces, wall)};
    /* Parts of values that are still on their way are needed, too, though older. */
    uint64_t first = uploads_first_lsn(u->uploads, u->wal, &h.start_lsn);
    if (first > h.start_lsn + 1)
        first = h.start_lsn + 1;
    h.first_segment = wal_segment_of(u->wal, first);
    uint64_t ignored;
    h.entries_about = keyspace_count(&u->spaces[STORE_USER], &ignored);
    uint8_t lsn[8];
    number_put_u64(lsn, h.start_lsn);
    h.salt = hash_bytes(bytes_make(lsn, sizeof lsn), u->config.secret);
    u->end_lsn = h.start_lsn;
    u->space = 0;
    u->place = (struct table_place){0};
    return checkpoint_begin(&u->writer, u->disk, &h);
}

struct copy {
    struct upkeep *upkeep;
    enum store_space space;
    int result;
};

static void copy_entry(void *ctx, const struct table_entry *e)
{
    struct copy *c = ctx;
    struct upkeep *u = c->upkeep;
    if (c->result != 0 || !keyspace_entry_is_live(e, u->writer.header.time))
        return;
    struct record_op op = {.kind = RECORD_PUT,
                           .space = c->space,
                           .key = table_entry_key(e),
                           .value = table_entry_value(e),
                           .blob = table_entry_blob(e),
                           .expires = table_entry_expires(e)};
    c->result = checkpoint_add(&u->writer, &op);
}

/* Copies some buckets; *ret_done when those were the last. */
static int copy_some(struct upkeep *u, bool *ret_done)
{
    struct table *t = u->spaces[u->space].table;
    struct copy c = {.upkeep = u, .space = (enum store_space)u->space};
    size_t shard = u->place.shard;
    table_lock(t, shard);
    table_visit(t, &u->place, COPY_BUCKETS, copy_entry, &c);
    /* Not only what is there has an LSN: what is not there any more has, too. */
    if (table_shard_change_lsn(t, shard) > u->end_lsn)
        u->end_lsn = table_shard_change_lsn(t, shard);
    table_unlock(t, shard);
    if (u->place.bucket == 0 && ++u->place.shard == TABLE_SHARDS) {
        u->place.shard = 0;
        u->space++;
    }
    *ret_done = u->space == SPACES;
    return c.result == 0 ? checkpoint_write(&u->writer, false) : -ENOMEM;
}

static int remove_segment(void *ctx, const char *name)
{
    struct upkeep *u = ctx;
    uint64_t id;
    if (!segment_name_parse(name, &id) || id >= u->writer.header.first_segment)
        return 0;
    return disk_remove(u->disk, name);
}

/* A segment that cannot be removed is no harm: it does not count, and the next checkpoint tries
 * again. */
static void drop_segments(struct upkeep *u)
{
    wal_dropped(u->wal, u->writer.header.first_segment);
    disk_list(u->disk, remove_segment, u);
}

static int publish(struct upkeep *u)
{
    uint64_t bytes = u->writer.offset;
    int r = checkpoint_publish(&u->writer);
    if (r < 0)
        return r;
    u->last_bytes = bytes;
    u->log_bytes = u->begun_bytes;
    atomic_store(&u->saved_ms, u->writer.header.time.ms);
    drop_segments(u);
    return 0;
}

static int advance(struct upkeep *u, struct walltime wall)
{
    bool done;
    int r;
    switch (u->state) {
    case UPKEEP_RESTS:
        r = begin(u, wall);
        if (r == 0)
            u->state = UPKEEP_COPIES;
        return r;
    case UPKEEP_COPIES:
        r = copy_some(u, &done);
        if (r == 0 && done) {
            r = checkpoint_end(&u->writer, u->end_lsn);
            u->state = UPKEEP_SETTLES;
        }
        return r;
    case UPKEEP_SETTLES:
        if (wal_state(u->wal) == WAL_FAILED)
            return wal_error(u->wal);
        if (wal_durable(u->wal) < u->end_lsn)
            return UPKEEP_IDLE;
        r = publish(u);
        if (r == 0) {
            u->state = UPKEEP_RESTS;
            atomic_store(&u->running, false);
        }
        return r;
    }
    assert(false);
    return -EINVAL;
}

static int advance_or_give_up(struct upkeep *u, struct instant now, struct walltime wall)
{
    int r = advance(u, wall);
    if (r >= 0) {
        if (u->state == UPKEEP_RESTS)
            atomic_store(&u->error, 0);
        return r;
    }
    checkpoint_abandon(&u->writer);
    u->state = UPKEEP_RESTS;
    u->retry_at = instant_after_ms(now, LIMIT_CHECKPOINT_RETRY_MS);
    atomic_store(&u->error, r);
    atomic_store(&u->running, false);
    return r;
}

bool upkeep_save(struct upkeep *u)
{
    if (atomic_load(&u->running))
        return false;
    return !atomic_exchange(&u->wanted, true);
}

bool upkeep_wanted(struct upkeep *u)
{
    return atomic_load(&u->wanted) && !atomic_load(&u->running);
}

int upkeep_step(struct upkeep *u, struct instant now, struct walltime wall,
                struct instant *ret_deadline)
{
    uploads_tidy(u->uploads, u->wal, wall);
    bool worked = free_garbage(u);
    worked |= sweep(u, now, wall);
    int r = UPKEEP_IDLE;
    if (u->state != UPKEEP_RESTS || is_due(u, now))
        r = advance_or_give_up(u, now, wall);
    *ret_deadline = u->sweep_at;
    if (u->state == UPKEEP_SETTLES)
        *ret_deadline = instant_min(u->sweep_at, instant_after_ms(now, SETTLE_MS));
    if (r == UPKEEP_IDLE && worked)
        r = 0;
    return r;
}

int upkeep_finish(struct upkeep *u, struct walltime wall)
{
    checkpoint_abandon(&u->writer);
    u->state = UPKEEP_RESTS;
    if (wal_state(u->wal) != WAL_CLOSED || wal_bytes(u->wal) == u->log_bytes)
        return 0;
    int r;
    do
        r = advance(u, wall);
    while (r == 0 && u->state != UPKEEP_RESTS);
    if (r != 0)
        checkpoint_abandon(&u->writer);
    return r;
}
