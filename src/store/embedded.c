#include "store/embedded.h"

#include "base/hash.h"
#include "base/limits.h"
#include "store/record.h"
#include "store/segment.h"
#include "store/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { SPACES = 2, SYNC_EVERY_MS = 1000, SLOTS_INLINE = 4, SHARD_WORDS = TABLE_SHARDS / 64 };

struct embedded {
    struct store store;
    struct disk *disk;
    struct wal *wal;
    struct table *tables[SPACES];
    bool promises[SPACES]; /* answers about this keyspace wait for the disk */

    /* The log thread's alone: the segment it writes to. */
    struct disk_file *file;
    uint64_t file_segment;
};

static struct embedded *embedded_of(struct store *s)
{
    return (struct embedded *)(void *)s; /* its first member */
}

static uint64_t answer_lsn(const struct embedded *e, enum store_space space, uint64_t lsn)
{
    return e->promises[space] ? lsn : 0;
}

/* Time never goes back, whatever the clock does. */
static struct walltime latest_time(const struct embedded *e, struct walltime now)
{
    struct walltime in_log = wal_time(e->wal);
    return now.ms > in_log.ms ? now : in_log;
}

static bool entry_is_live(const struct table_entry *entry, struct walltime now)
{
    struct walltime expires = table_entry_expires(entry);
    return expires.ms == 0 || expires.ms > now.ms;
}

/* ---- get, count, durable */

static bool key_is_valid(struct bytes key)
{
    return key.len >= 1 && key.len <= LIMIT_KEY_BYTES;
}

static int get(struct store *s, enum store_space space, struct bytes key, struct walltime now,
               store_visit_fn visit, void *ctx, uint64_t *ret_lsn)
{
    struct embedded *e = embedded_of(s);
    if (!key_is_valid(key))
        return STORE_TOO_LARGE;
    struct table *t = e->tables[space];
    uint64_t hash = table_hash(t, key);
    size_t shard = table_shard(hash);
    now = latest_time(e, now);
    table_lock(t, shard);
    const struct table_entry *entry = table_find(t, key, hash);
    bool present = entry && entry_is_live(entry, now);
    uint64_t lsn = entry ? table_entry_lsn(entry) : table_shard_removal_lsn(t, shard);
    if (present)
        visit(ctx, table_entry_value(entry), table_entry_expires(entry));
    table_unlock(t, shard);
    *ret_lsn = answer_lsn(e, space, lsn);
    return present ? 0 : STORE_MISSING;
}

static size_t count(struct store *s, enum store_space space, uint64_t *ret_lsn)
{
    struct embedded *e = embedded_of(s);
    struct table *t = e->tables[space];
    size_t n = 0;
    uint64_t lsn = 0;
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++)
        table_lock(t, shard);
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++) {
        n += table_shard_count(t, shard);
        if (table_shard_change_lsn(t, shard) > lsn)
            lsn = table_shard_change_lsn(t, shard);
    }
    for (size_t shard = 0; shard < TABLE_SHARDS; shard++)
        table_unlock(t, shard);
    *ret_lsn = answer_lsn(e, space, lsn);
    return n;
}

static uint64_t durable(struct store *s)
{
    return wal_durable(embedded_of(s)->wal);
}

/* ---- update */

/* What an update keeps for a slot. */
struct place {
    uint64_t hash;
    size_t first;              /* the first slot with the same key */
    size_t winner;             /* in the first one: the slot whose verdict counts, or NONE */
    struct table_entry *entry; /* in the first one: what is to be put in */
};

#define NONE SIZE_MAX

struct update {
    struct embedded *e;
    enum store_space space;
    struct table *table;
    struct store_slot *slots;
    struct place *places;
    size_t n;
    struct walltime now;
    uint64_t shards[SHARD_WORDS]; /* bits of those locked */
    uint64_t seen_lsn;
    uint64_t lsn; /* of the record; 0: nothing changed */
};

struct by_key {
    uint64_t hash;
    struct bytes key;
    size_t slot;
};

static int compare_keys(const void *a, const void *b)
{
    const struct by_key *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->key.len != y->key.len)
        return x->key.len < y->key.len ? -1 : 1;
    int order = memcmp(x->key.data, y->key.data, x->key.len);
    return order ? order : (x->slot > y->slot) - (x->slot < y->slot);
}

static int group_by_sorting(struct update *u)
{
    struct by_key *sorted = malloc(u->n * sizeof *sorted);
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < u->n; i++)
        sorted[i] = (struct by_key){u->places[i].hash, u->slots[i].key, i};
    qsort(sorted, u->n, sizeof *sorted, compare_keys);
    size_t first = 0;
    for (size_t i = 0; i < u->n; i++) {
        if (sorted[i].hash != sorted[first].hash ||
            !bytes_equal(sorted[i].key, sorted[first].key))
            first = i;
        u->places[sorted[i].slot].first = sorted[first].slot;
    }
    free(sorted);
    return 0;
}

/* Finds slots with the same key. */
static int group_slots(struct update *u)
{
    if (u->n > SLOTS_INLINE)
        return group_by_sorting(u);
    for (size_t i = 0; i < u->n; i++) {
        size_t first = 0;
        while (!bytes_equal(u->slots[first].key, u->slots[i].key))
            first++;
        u->places[i].first = first;
    }
    return 0;
}

static int prepare(struct update *u)
{
    for (size_t i = 0; i < u->n; i++) {
        if (!key_is_valid(u->slots[i].key))
            return STORE_TOO_LARGE;
        uint64_t hash = table_hash(u->table, u->slots[i].key);
        size_t shard = table_shard(hash);
        u->places[i] = (struct place){.hash = hash, .winner = NONE};
        u->shards[shard / 64] |= (uint64_t)1 << (shard % 64);
    }
    return group_slots(u);
}

static void each_shard(const struct update *u, void (*fn)(struct table *, size_t))
{
    for (size_t w = 0; w < SHARD_WORDS; w++)
        for (uint64_t bits = u->shards[w]; bits; bits &= bits - 1)
            fn(u->table, w * 64 + (size_t)__builtin_ctzll(bits));
}

static void read_slot(struct update *u, size_t i)
{
    struct store_slot *slot = &u->slots[i];
    uint64_t hash = u->places[i].hash;
    const struct table_entry *entry = table_find(u->table, slot->key, hash);
    uint64_t lsn =
        entry ? table_entry_lsn(entry) : table_shard_removal_lsn(u->table, table_shard(hash));
    if (lsn > u->seen_lsn)
        u->seen_lsn = lsn;
    slot->present = entry && entry_is_live(entry, u->now);
    slot->old = slot->present ? table_entry_value(entry) : bytes_make(NULL, 0);
    slot->old_expires = slot->present ? table_entry_expires(entry) : STORE_NO_EXPIRY;
    slot->repeated = u->places[i].first != i;
    slot->verdict = STORE_KEEP;
}

/* The last verdict on a key wins; removing what is not there changes nothing. */
static void choose_winners(struct update *u)
{
    for (size_t i = 0; i < u->n; i++)
        if (u->slots[i].verdict != STORE_KEEP)
            u->places[u->places[i].first].winner = i;
    for (size_t i = 0; i < u->n; i++) {
        struct place *p = &u->places[i];
        if (p->winner != NONE && u->slots[p->winner].verdict == STORE_REMOVE &&
            !u->slots[i].present)
            p->winner = NONE;
    }
}

static struct record_op op_of(const struct update *u, const struct store_slot *slot)
{
    struct record_op op = {.kind = RECORD_REMOVE, .space = u->space, .key = slot->key};
    if (slot->verdict == STORE_PUT) {
        op.kind = RECORD_PUT;
        op.value = slot->value;
        op.expires = slot->expires;
    }
    return op;
}

/* How large the record will be; 0: nothing changes. */
static int measure(const struct update *u, size_t *ret_bytes)
{
    size_t bytes = 0;
    for (size_t i = 0; i < u->n; i++) {
        if (u->places[i].winner == NONE)
            continue;
        const struct store_slot *slot = &u->slots[u->places[i].winner];
        if (slot->verdict == STORE_PUT && slot->value.len > LIMIT_VALUE_BYTES)
            return STORE_TOO_LARGE;
        struct record_op op = op_of(u, slot);
        bytes += record_op_bytes(&op);
        if (bytes > LIMIT_RECORD_BYTES)
            return STORE_TOO_LARGE;
    }
    *ret_bytes = bytes;
    return 0;
}

static int make_entries(struct update *u)
{
    for (size_t i = 0; i < u->n; i++) {
        if (u->places[i].winner == NONE)
            continue;
        const struct store_slot *slot = &u->slots[u->places[i].winner];
        if (slot->verdict != STORE_PUT)
            continue;
        u->places[i].entry = table_entry_new(slot->key, slot->value, slot->expires);
        if (!u->places[i].entry)
            return -ENOMEM;
    }
    return 0;
}

static int append_record(struct update *u, size_t bytes)
{
    uint8_t *to;
    int r = wal_begin(u->e->wal, bytes, u->now, u->space == STORE_SYSTEM, &to, &u->lsn);
    if (r != 0)
        return r;
    for (size_t i = 0; i < u->n; i++) {
        if (u->places[i].winner == NONE)
            continue;
        struct record_op op = op_of(u, &u->slots[u->places[i].winner]);
        to = record_op_write(to, &op);
    }
    wal_end(u->e->wal);
    return 0;
}

static void change_table(struct update *u)
{
    for (size_t i = 0; i < u->n; i++) {
        struct place *p = &u->places[i];
        if (p->entry)
            table_put(u->table, p->entry, p->hash, u->lsn);
        else if (p->winner != NONE)
            table_remove(u->table, u->slots[i].key, p->hash, u->lsn);
        p->entry = NULL;
    }
}

static int change(struct update *u)
{
    size_t bytes;
    choose_winners(u);
    int r = measure(u, &bytes);
    if (r != 0 || bytes == 0)
        return r;
    r = make_entries(u);
    if (r == 0)
        r = append_record(u, bytes);
    if (r == 0)
        change_table(u);
    return r;
}

/* The part under the locks. *ret_lsn is set wherever fn saw the old values. */
static int run(struct update *u, store_update_fn fn, void *ctx, uint64_t *ret_lsn)
{
    each_shard(u, table_lock);
    u->now = latest_time(u->e, u->now);
    for (size_t i = 0; i < u->n; i++)
        read_slot(u, i);
    int r = fn(ctx, u->slots, u->n);
    if (r == 0)
        r = change(u);
    each_shard(u, table_unlock);
    *ret_lsn = answer_lsn(u->e, u->space, u->lsn ? u->lsn : u->seen_lsn);
    return r;
}

static void free_entries(struct update *u)
{
    for (size_t i = 0; i < u->n; i++)
        table_entry_free(u->places[i].entry);
}

static int update(struct store *s, enum store_space space, struct store_slot *slots, size_t n,
                  struct walltime now, store_update_fn fn, void *ctx, uint64_t *ret_lsn)
{
    struct embedded *e = embedded_of(s);
    struct place inline_places[SLOTS_INLINE] = {0};
    struct update u = {.e = e,
                       .space = space,
                       .table = e->tables[space],
                       .slots = slots,
                       .places = inline_places,
                       .n = n,
                       .now = now};
    if (n > SLOTS_INLINE && !(u.places = calloc(n, sizeof *u.places)))
        return -ENOMEM;
    int r = prepare(&u);
    if (r == 0) {
        r = run(&u, fn, ctx, ret_lsn);
        free_entries(&u);
    }
    if (u.places != inline_places)
        free(u.places);
    return r;
}

static const struct store_ops ops = {
    .get = get, .update = update, .count = count, .durable = durable};

/* ---- opening */

static uint64_t derive(uint64_t secret, const char *what)
{
    return hash_bytes(bytes_from_str(what), secret);
}

static int apply(void *ctx, const struct record_op *op, uint64_t lsn)
{
    struct embedded *e = ctx;
    struct table *t = e->tables[op->space];
    uint64_t hash = table_hash(t, op->key);
    if (op->kind == RECORD_REMOVE) {
        table_remove(t, op->key, hash, lsn);
        return 0;
    }
    struct table_entry *entry = table_entry_new(op->key, op->value, op->expires);
    if (!entry)
        return -ENOMEM;
    table_put(t, entry, hash, lsn);
    return 0;
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

int embedded_open(struct embedded **ret, const struct embedded_config *config, struct disk *d,
                  struct walltime now, struct recovery_report *ret_report)
{
    *ret_report = (struct recovery_report){0};
    struct embedded *e = calloc(1, sizeof *e);
    if (!e)
        return -ENOMEM;
    e->store.ops = &ops;
    e->disk = d;
    e->promises[STORE_USER] = config->durability == EMBEDDED_COMMIT;
    e->promises[STORE_SYSTEM] = true;
    struct wal_config wal_config = wal_config_of(config);
    struct wal_position at;
    int r = table_new(&e->tables[STORE_USER], derive(config->secret, "user"));
    if (r == 0)
        r = table_new(&e->tables[STORE_SYSTEM], derive(config->secret, "system"));
    if (r == 0)
        r = recovery_run(d, &wal_config, now, apply, e, &at, ret_report);
    if (r == 0)
        r = wal_new(&e->wal, &wal_config, &at);
    if (r != 0) {
        embedded_free(e);
        return r;
    }
    *ret = e;
    return 0;
}

void embedded_free(struct embedded *e)
{
    if (!e)
        return;
    if (e->file)
        disk_close(e->disk, e->file);
    wal_free(e->wal);
    for (size_t i = 0; i < SPACES; i++)
        table_free(e->tables[i]);
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
    e->file = NULL;
    e->file_segment = segment;
    char name[DISK_NAME_BYTES];
    segment_name(name, segment);
    return disk_open(e->disk, name, false, &e->file);
}

static int write_chunk(struct embedded *e, const struct wal_chunk *chunk)
{
    int r = switch_file(e, chunk->segment);
    if (r == 0 && chunk->data.len)
        r = disk_write(e->disk, e->file, chunk->offset, chunk->data.data, chunk->data.len);
    if (r == 0 && chunk->sync)
        r = disk_sync(e->disk, e->file);
    return r;
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

int embedded_segment_step(struct embedded *e, struct instant now, struct instant *ret_deadline)
{
    struct wal_segment s;
    if (!wal_wants_segment(e->wal, now, &s)) {
        *ret_deadline = wal_segment_deadline(e->wal);
        return EMBEDDED_IDLE;
    }
    struct segment_header h = {.id = s.id, .salt = s.salt, .bytes = s.bytes};
    int r = segment_make(e->disk, &h, bytes_make(NULL, 0));
    wal_prepared(e->wal, &s, r, now);
    *ret_deadline = wal_segment_deadline(e->wal);
    return r;
}

void embedded_close(struct embedded *e, struct walltime now)
{
    wal_close(e->wal, now);
}
