#include "store/embedded.h"

#include "base/hash.h"
#include "base/limits.h"
#include "store/backup.h"
#include "store/segment.h"
#include "store/update.h"
#include "store/upkeep.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { SPACES = 2, SYNC_EVERY_MS = 1000 };

/* A segment that was made and not written to yet, open already: a hub that has no descriptor
 * left when it comes to it must not take that for a failed disk. */
struct ready_segment {
    struct ready_segment *next; /* a later one */
    uint64_t id;
    struct disk_file *file;
};

struct embedded {
    struct store store;
    struct disk *disk;
    struct wal *wal;
    struct uploads uploads;
    struct keyspace spaces[SPACES];
    struct upkeep upkeep;

    /* The log thread's alone: the segment it writes to. */
    struct disk_file *file;
    uint64_t file_segment;

    pthread_mutex_t ready_lock; /* over what follows */
    struct ready_segment *ready;
};

static struct embedded *embedded_of(struct store *s)
{
    return (struct embedded *)(void *)s; /* its first member */
}

static struct keyspace *keyspace_of(struct store *s, enum store_space space)
{
    return &embedded_of(s)->spaces[space];
}

static int get(struct store *s, enum store_space space, struct bytes key, struct walltime now,
               store_visit_fn visit, void *ctx, uint64_t *ret_lsn)
{
    return keyspace_get(keyspace_of(s, space), key, now, visit, ctx, ret_lsn);
}

static int update(struct store *s, enum store_space space, struct store_slot *slots, size_t n,
                  struct walltime now, store_update_fn fn, void *ctx, uint64_t *ret_lsn)
{
    return update_run(keyspace_of(s, space), slots, n, now, fn, ctx, ret_lsn);
}

static void expect(struct store *s, enum store_space space, const struct bytes *keys, size_t n)
{
    table_expect(keyspace_of(s, space)->table, keys, n < TABLE_EXPECTED ? n : TABLE_EXPECTED);
}

static size_t count(struct store *s, enum store_space space, uint64_t *ret_lsn)
{
    return keyspace_count(keyspace_of(s, space), ret_lsn);
}

static void stats(struct store *s, enum store_space space, struct walltime now,
                  struct store_stats *ret, uint64_t *ret_lsn)
{
    keyspace_stats(keyspace_of(s, space), now, ret, ret_lsn);
}

static int scan(struct store *s, enum store_space space, uint64_t *cursor, size_t budget,
                struct walltime now, store_scan_fn fn, void *ctx, uint64_t *ret_lsn)
{
    return keyspace_scan(keyspace_of(s, space), cursor, budget, now, fn, ctx, ret_lsn);
}

static int flush(struct store *s, enum store_space space, struct walltime now,
                 uint64_t *ret_lsn)
{
    struct embedded *e = embedded_of(s);
    struct table_garbage *garbage;
    int r = keyspace_flush(&e->spaces[space], now, &garbage, ret_lsn);
    if (r == 0)
        upkeep_take_garbage(&e->upkeep, garbage);
    return r;
}

static void watch(struct store *s, store_watch_fn fn, void *ctx)
{
    for (size_t i = 0; i < SPACES; i++) {
        struct keyspace *k = keyspace_of(s, (enum store_space)i);
        k->watch = fn;
        k->watch_ctx = ctx;
    }
}

static bool save(struct store *s)
{
    return upkeep_save(&embedded_of(s)->upkeep);
}

static void saved(struct store *s, struct store_saved *ret)
{
    struct upkeep *u = &embedded_of(s)->upkeep;
    *ret = (struct store_saved){
        .last = {atomic_load(&u->saved_ms)},
        .running = atomic_load(&u->running) || atomic_load(&u->wanted),
        .error = atomic_load(&u->error),
    };
}

static int trouble(struct store *s)
{
    return wal_trouble(embedded_of(s)->wal).error;
}

static int backup(struct store *s, struct backup **ret)
{
    return backup_new(ret, embedded_of(s)->disk, embedded_of(s)->wal);
}

static uint64_t durable(struct store *s)
{
    return wal_durable(embedded_of(s)->wal);
}

static struct walltime time_of(struct store *s, struct walltime now)
{
    return keyspace_time(keyspace_of(s, STORE_USER), now);
}

static size_t memory(struct store *s)
{
    return table_memory(keyspace_of(s, STORE_USER)->table) +
           table_memory(keyspace_of(s, STORE_SYSTEM)->table);
}

static const struct store_ops ops = {
    .get = get,
    .update = update,
    .expect = expect,
    .count = count,
    .stats = stats,
    .scan = scan,
    .flush = flush,
    .watch = watch,
    .save = save,
    .saved = saved,
    .trouble = trouble,
    .backup = backup,
    .durable = durable,
    .time = time_of,
    .memory = memory,
};

/* ---- opening */

static uint64_t derive(uint64_t secret, const char *what)
{
    return hash_bytes(bytes_from_str(what), secret);
}

static int apply_flush(struct table *t, uint64_t lsn)
{
    struct table_garbage *garbage;
    int r = table_garbage_new(&garbage);
    if (r < 0)
        return r;
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++)
        table_clear(t, shard, lsn, garbage);
    table_garbage_free(garbage);
    return 0;
}

static int apply(void *ctx, const struct record_op *op, uint64_t lsn)
{
    struct embedded *e = ctx;
    struct table *t = e->spaces[op->space].table;
    if (op->kind == RECORD_FLUSH)
        return apply_flush(t, lsn);
    uint64_t hash = table_hash(t, op->key);
    if (op->kind == RECORD_REMOVE) {
        table_entry_free(table_remove(t, op->key, hash, lsn));
        return 0;
    }
    struct table_entry *entry = table_entry_new(op->key, op->value, op->blob, op->expires);
    if (!entry)
        return -ENOMEM;
    table_entry_free(table_put(t, entry, hash, lsn));
    return 0;
}

/* Their places in the table are fetched all at once, not one after the other. */
static void expect_ops(void *ctx, const struct record_op *next, size_t n)
{
    struct embedded *e = ctx;
    struct bytes keys[TABLE_EXPECTED];
    size_t count = 0;
    for (size_t i = 0; i < n && count < TABLE_EXPECTED; i++) {
        if (next[i].space == STORE_USER && next[i].key.len > 0)
            keys[count++] = next[i].key;
    }
    table_expect(e->spaces[STORE_USER].table, keys, count);
}

static struct recovery_sink sink_of(struct embedded *e)
{
    return (struct recovery_sink){.apply = apply, .expect = expect_ops, .ctx = e};
}

static struct wal_config wal_config_of(const struct embedded_config *c)
{
    return (struct wal_config){
        .secret = derive(c->secret, "log"),
        .sync_every_ms = c->durability == EMBEDDED_SECOND ? SYNC_EVERY_MS : 0,
        .segment_first_bytes =
            c->segment_first_bytes ? c->segment_first_bytes : LIMIT_SEGMENT_FIRST_BYTES,
        .segment_bytes_max = c->segment_bytes_max ? c->segment_bytes_max : LIMIT_SEGMENT_BYTES,
        .buffered_bytes_max =
            c->buffered_bytes_max ? c->buffered_bytes_max : LIMIT_WAL_BUFFERED_BYTES,
    };
}

static int open_spaces(struct embedded *e, const struct embedded_config *config)
{
    static const char *const names[SPACES] = {"user", "system"};
    for (size_t i = 0; i < SPACES; i++) {
        struct keyspace *k = &e->spaces[i];
        k->id = (enum store_space)i;
        k->promises = k->id == STORE_SYSTEM || config->durability == EMBEDDED_COMMIT;
        int r = table_new(&k->table, derive(config->secret, names[i]));
        if (r < 0)
            return r;
    }
    return 0;
}

/* Room for what the checkpoint says it has; no more than a file of its size can hold. */
static void make_room(struct embedded *e)
{
    struct checkpoint_header h;
    uint64_t bytes;
    if (checkpoint_read_header(e->disk, &h, &bytes) != 0)
        return;
    uint64_t most = bytes / RECORD_PUT_BYTES;
    table_reserve(e->spaces[STORE_USER].table, h.entries_about < most ? h.entries_about : most);
}

static int open_log(struct embedded *e, const struct wal_config *config, struct walltime now,
                    struct recovery_report *ret_report)
{
    struct wal_position at = {0};
    make_room(e);
    const struct recovery_sink sink = sink_of(e);
    int r = recovery_run(e->disk, config, now, &sink, &at, ret_report);
    if (r == 0)
        r = wal_new(&e->wal, config, &at);
    extents_fini(&at.extents);
    for (size_t i = 0; i < SPACES; i++) {
        e->spaces[i].wal = e->wal;
        e->spaces[i].uploads = &e->uploads;
    }
    return r;
}

int embedded_open(struct embedded **ret, const struct embedded_config *config, struct disk *d,
                  struct walltime now, struct recovery_report *ret_report)
{
    *ret_report = (struct recovery_report){0};
    struct embedded *e = calloc(1, sizeof *e);
    if (!e)
        return -ENOMEM;
    e->store.ops = &ops;
    e->disk = d;
    pthread_mutex_init(&e->ready_lock, NULL);
    uploads_init(&e->uploads, config->part_bytes ? config->part_bytes : LIMIT_PART_BYTES);
    struct wal_config wal_config = wal_config_of(config);
    int r = open_spaces(e, config);
    if (r == 0)
        r = open_log(e, &wal_config, now, ret_report);
    struct upkeep_config upkeep = {
        .secret = derive(config->secret, "checkpoint"),
        .log_bytes =
            config->checkpoint_bytes ? config->checkpoint_bytes : LIMIT_CHECKPOINT_BYTES,
        .last_bytes = ret_report->checkpoint_bytes,
        .saved = ret_report->checkpoint_time,
    };
    upkeep_init(&e->upkeep, &upkeep, d, e->wal, e->spaces, &e->uploads);
    if (r != 0) {
        embedded_free(e);
        return r;
    }
    *ret = e;
    return 0;
}

struct count {
    struct walltime now;
    size_t live;
};

static void count_live(void *ctx, const struct table_entry *entry)
{
    struct count *c = ctx;
    c->live += keyspace_entry_is_live(entry, c->now);
}

static void count_findings(const struct embedded *e, struct walltime now,
                           struct embedded_findings *ret)
{
    for (size_t i = 0; i < SPACES; i++) {
        struct count c = {.now = now};
        for (struct table_place at = {0}; at.shard < TABLE_SHARDS; at.shard++)
            table_visit(e->spaces[i].table, &at, SIZE_MAX, count_live, &c);
        ret->keys[i] = c.live;
        ret->memory += table_memory(e->spaces[i].table);
    }
}

int embedded_check(struct disk *d, struct walltime now, struct embedded_findings *ret)
{
    *ret = (struct embedded_findings){0};
    struct embedded e = {.disk = d};
    struct embedded_config config = {0};
    int r = open_spaces(&e, &config);
    if (r == 0) {
        make_room(&e);
        const struct recovery_sink sink = sink_of(&e);
        r = recovery_check(d, &sink, &ret->report);
    }
    if (r == 0)
        count_findings(&e, now, ret);
    for (size_t i = 0; i < SPACES; i++)
        table_free(e.spaces[i].table);
    return r;
}

/* The file of that segment, NULL where it was not made by this process; those before it were
 * passed over, and are closed. */
static struct disk_file *take_ready(struct embedded *e, uint64_t segment)
{
    struct disk_file *file = NULL;
    pthread_mutex_lock(&e->ready_lock);
    while (e->ready && e->ready->id <= segment && !file) {
        struct ready_segment *first = e->ready;
        e->ready = first->next;
        if (first->id == segment)
            file = first->file;
        else
            disk_close(e->disk, first->file);
        free(first);
    }
    pthread_mutex_unlock(&e->ready_lock);
    return file;
}

static void add_ready(struct embedded *e, struct ready_segment *made)
{
    pthread_mutex_lock(&e->ready_lock);
    struct ready_segment **last = &e->ready;
    while (*last)
        last = &(*last)->next;
    *last = made;
    pthread_mutex_unlock(&e->ready_lock);
}

void embedded_free(struct embedded *e)
{
    if (!e)
        return;
    if (e->file)
        disk_close(e->disk, e->file);
    take_ready(e, UINT64_MAX);
    pthread_mutex_destroy(&e->ready_lock);
    upkeep_fini(&e->upkeep);
    uploads_fini(&e->uploads);
    wal_free(e->wal);
    for (size_t i = 0; i < SPACES; i++)
        table_free(e->spaces[i].table);
    free(e);
}

struct store *embedded_store(struct embedded *e)
{
    return &e->store;
}

struct wal *embedded_wal(struct embedded *e)
{
    return e->wal;
}

/* ---- the log */

static int switch_file(struct embedded *e, uint64_t segment)
{
    if (e->file && e->file_segment == segment)
        return 0;
    if (e->file)
        disk_close(e->disk, e->file);
    e->file = take_ready(e, segment);
    e->file_segment = segment;
    if (e->file)
        return 0;
    char name[DISK_NAME_BYTES];
    segment_name(name, segment);
    return disk_open(e->disk, name, false, &e->file);
}

static int write_chunk(struct embedded *e, const struct wal_chunk *chunk)
{
    int r = switch_file(e, chunk->segment);
    if (r == 0 && chunk->data.len > 0)
        return disk_append(e->disk, e->file, chunk->offset, chunk->data.data, chunk->data.len,
                           chunk->sync);
    return r == 0 && chunk->sync ? disk_sync(e->disk, e->file) : r;
}

int embedded_log_step(struct embedded *e, struct instant now, struct instant *ret_deadline)
{
    struct wal_chunk chunk;
    if (wal_take(e->wal, now, &chunk, ret_deadline) == WAL_IDLE) {
        int error = wal_error(e->wal);
        return error ? error : EMBEDDED_IDLE;
    }
    int r = write_chunk(e, &chunk);
    wal_done(e->wal, &chunk, r, now);
    return r;
}

bool embedded_log_wanted(struct embedded *e)
{
    return wal_wants_writer(e->wal);
}

bool embedded_segment_wanted(struct embedded *e)
{
    return wal_segment_deadline(e->wal).ns == 0;
}

/* Makes a segment, and opens it. */
static int make_ready(struct embedded *e, const struct wal_segment *s)
{
    struct ready_segment *made = malloc(sizeof *made);
    if (!made)
        return -ENOMEM;
    *made = (struct ready_segment){.id = s->id};
    struct segment_header h = {.id = s->id, .salt = s->salt, .bytes = s->bytes};
    char name[DISK_NAME_BYTES];
    segment_name(name, s->id);
    int r = segment_make(e->disk, &h, bytes_make(NULL, 0));
    if (r == 0 && (r = disk_open(e->disk, name, false, &made->file)) != 0)
        disk_remove(e->disk, name);
    if (r == 0)
        add_ready(e, made);
    else
        free(made);
    return r;
}

int embedded_segment_step(struct embedded *e, struct instant now, struct instant *ret_deadline)
{
    struct wal_segment s;
    if (!wal_wants_segment(e->wal, now, &s)) {
        *ret_deadline = wal_segment_deadline(e->wal);
        return EMBEDDED_IDLE;
    }
    int r = make_ready(e, &s);
    wal_prepared(e->wal, &s, r, now);
    *ret_deadline = wal_segment_deadline(e->wal);
    return r;
}

void embedded_close(struct embedded *e, struct walltime now)
{
    wal_close(e->wal, now);
}

int embedded_upkeep_step(struct embedded *e, struct instant now, struct walltime wall,
                         struct instant *ret_deadline)
{
    int r = upkeep_step(&e->upkeep, now, wall, ret_deadline);
    return r == UPKEEP_IDLE ? EMBEDDED_IDLE : r;
}

bool embedded_upkeep_wanted(struct embedded *e)
{
    return upkeep_wanted(&e->upkeep);
}

int embedded_finish(struct embedded *e, struct walltime now)
{
    return upkeep_finish(&e->upkeep, now);
}
