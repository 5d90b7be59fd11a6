#include "store/update.h"

#include "base/limits.h"
#include "store/record.h"

#include <errno.h>
#include <stdlib.h>

enum { SLOTS_INLINE = 4, SHARD_WORDS = TABLE_SHARDS / 64 };

/* What an update keeps for a slot; but for hash and first, for the first with its key alone. */
struct place {
    uint64_t hash;
    size_t first;              /* the first slot with the same key */
    size_t winner;             /* the slot whose verdict counts, or NONE */
    struct table_entry *found; /* what is there */
    struct table_entry *entry; /* what is to be put in; afterwards what was there */
    bool rewrites;             /* ... or what is there takes the new value as it is */
    uint64_t upload;           /* what is to be put is in the log in parts */
    bool expired;              /* an entry is there whose time has come */
    bool writes;               /* op, below, is to be done; it has no meaning otherwise */
    struct record_op op;
    uint8_t parts[RECORD_PARTS_BYTES]; /* where there is an upload: the value as logged */
};

#define NONE SIZE_MAX

struct update {
    struct keyspace *keyspace;
    struct table *table;
    struct store_slot *slots;
    struct place *places;
    size_t n;
    struct walltime now;
    uint64_t shards[SHARD_WORDS]; /* bits of those locked */
    bool expires;                 /* something has expired */
    bool changes;                 /* ... and more than that is to be written */
    uint64_t seen_lsn;
    uint64_t lsn; /* of the record; 0: nothing changed */
};

static bool is_same_key(const struct update *u, size_t i, size_t k)
{
    return u->places[i].hash == u->places[k].hash &&
           bytes_equal(u->slots[i].key, u->slots[k].key);
}

/* By an open hash table of slots, counted from 1, at most half full. */
static int group_by_hash(struct update *u)
{
    size_t mask = 1;
    while (mask < 2 * u->n)
        mask = 2 * mask + 1;
    uint32_t *seen = calloc(mask + 1, sizeof *seen);
    if (!seen)
        return -ENOMEM;
    for (size_t i = 0; i < u->n; i++) {
        size_t at = u->places[i].hash & mask;
        while (seen[at] && !is_same_key(u, i, seen[at] - 1))
            at = (at + 1) & mask;
        if (!seen[at])
            seen[at] = (uint32_t)i + 1;
        u->places[i].first = seen[at] - 1;
    }
    free(seen);
    return 0;
}

/* Finds slots with the same key. */
static int group_slots(struct update *u)
{
    if (u->n > SLOTS_INLINE)
        return group_by_hash(u);
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
        if (!keyspace_key_is_valid(u->slots[i].key))
            return STORE_TOO_LARGE;
        uint64_t hash = table_hash(u->table, u->slots[i].key);
        size_t shard = table_shard(hash);
        struct place *p = &u->places[i];
        p->hash = hash;
        p->winner = NONE;
        p->entry = p->found = NULL;
        p->rewrites = false;
        p->upload = 0;
        p->expired = p->writes = false;
        u->shards[shard / 64] |= (uint64_t)1 << (shard % 64);
    }
    return group_slots(u);
}

static void each_shard(const struct update *u, void (*fn)(struct table *, size_t))
{
    if (u->n == 1) {
        fn(u->table, table_shard(u->places[0].hash));
        return;
    }
    for (size_t w = 0; w < SHARD_WORDS; w++)
        for (uint64_t bits = u->shards[w]; bits; bits &= bits - 1)
            fn(u->table, w * 64 + (size_t)__builtin_ctzll(bits));
}

static void read_slot(struct update *u, size_t i)
{
    struct store_slot *slot = &u->slots[i];
    uint64_t hash = u->places[i].hash;
    struct table_entry *entry = table_find(u->table, slot->key, hash);
    uint64_t lsn =
        entry ? table_entry_lsn(entry) : table_shard_removal_lsn(u->table, table_shard(hash));
    if (lsn > u->seen_lsn)
        u->seen_lsn = lsn;
    slot->present = entry && keyspace_entry_is_live(entry, u->now);
    slot->old = slot->present ? keyspace_entry_value(entry) : (struct store_value){0};
    u->places[i].found = entry;
    slot->first = u->places[i].first;
    slot->verdict = STORE_KEEP;
    if (entry && !slot->present && slot->first == i)
        u->places[i].expired = u->expires = true;
}

/* What the keys need comes from far away: it is asked for some keys before it is read. */
static void read_slots(struct update *u)
{
    enum { BUCKET_AHEAD = 16, CHAIN_AHEAD = 8 };
    for (size_t i = 0; i < u->n; i++) {
        if (i + BUCKET_AHEAD < u->n)
            table_fetch_bucket(u->table, u->places[i + BUCKET_AHEAD].hash);
        if (i + CHAIN_AHEAD < u->n)
            table_fetch_chain(u->table, u->places[i + CHAIN_AHEAD].hash);
        read_slot(u, i);
    }
}

/* Makes the operation on the key of which slot i is the first, where there is one. */
static void make_op(struct update *u, size_t i)
{
    struct place *p = &u->places[i];
    p->writes = p->winner != NONE || p->expired;
    if (!p->writes)
        return;
    p->op = (struct record_op){
        .kind = RECORD_REMOVE, .space = u->keyspace->id, .key = u->slots[i].key};
    if (p->winner != NONE && u->slots[p->winner].verdict == STORE_PUT) {
        p->op.kind = RECORD_PUT;
        p->op.value = u->slots[p->winner].value;
        p->op.blob = u->slots[p->winner].blob;
        p->op.expires = u->slots[p->winner].expires;
    }
}

/* The last verdict on a key wins. Removing what is not there changes nothing, unless it has
 * expired: then it is removed in any case. */
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
        u->changes |= p->winner != NONE;
        p->expired &= p->winner == NONE;
        make_op(u, i);
    }
}

/* The operation on the key of which slot i is the first; NULL where there is none. */
static const struct record_op *op_of(const struct update *u, size_t i)
{
    return u->places[i].writes ? &u->places[i].op : NULL;
}

/* As it stands in the log: a large value is there in parts already. */
static const struct record_op *logged_op(struct place *p, struct record_op *room)
{
    if (!p->upload)
        return &p->op;
    struct record_parts parts = {p->upload, p->op.value.len};
    record_parts_write(p->parts, &parts);
    *room = p->op;
    room->kind = RECORD_PUT_PARTS;
    room->value = bytes_make(p->parts, RECORD_PARTS_BYTES);
    return room;
}

/* Sends large values ahead, as far as the log has room for them now. */
static int send_large(struct update *u)
{
    struct uploads *uploads = u->keyspace->uploads;
    int r = 0;
    for (size_t i = 0; i < u->n && r == 0; i++) {
        const struct record_op *op = op_of(u, i);
        if (!op || !uploads_wants(uploads, op->value, op->blob))
            continue;
        if (op->value.len > LIMIT_VALUE_BYTES)
            return STORE_TOO_LARGE;
        r = uploads_send(uploads, u->keyspace->wal, op->value, op->blob, u->now, u,
                         &u->places[i].upload);
    }
    return r;
}

static void give_uploads_back(const struct update *u)
{
    bool any = false;
    for (size_t i = 0; i < u->n; i++)
        any |= u->places[i].upload > 0;
    if (any)
        uploads_give_back(u->keyspace->uploads, u);
}

/* How large the record will be; 0: nothing changes. */
static int measure(const struct update *u, size_t *ret_bytes)
{
    size_t bytes = 0;
    struct record_op room;
    for (size_t i = 0; i < u->n; i++) {
        const struct record_op *op = op_of(u, i);
        if (!op)
            continue;
        if (op->value.len > LIMIT_VALUE_BYTES)
            return STORE_TOO_LARGE;
        bytes += record_op_bytes(logged_op(&u->places[i], &room));
        if (bytes > LIMIT_RECORD_BYTES)
            return STORE_TOO_LARGE;
    }
    *ret_bytes = bytes;
    return 0;
}

/* An entry whose new value is as long as the old one takes it in place. Not one of several: the
 * others' new values may lie in it. */
static bool can_rewrite(const struct update *u, const struct place *p)
{
    return u->n == 1 && p->found && table_entry_fits(p->found, p->op.value, p->op.expires);
}

static int make_entries(struct update *u)
{
    for (size_t i = 0; i < u->n; i++) {
        const struct record_op *op = op_of(u, i);
        if (!op || op->kind != RECORD_PUT)
            continue;
        u->places[i].rewrites = can_rewrite(u, &u->places[i]);
        if (u->places[i].rewrites)
            continue;
        u->places[i].entry = table_entry_new(op->key, op->value, op->blob, op->expires);
        if (!u->places[i].entry)
            return -ENOMEM;
    }
    return 0;
}

static void tell(const struct update *u, size_t i, const struct record_op *op)
{
    struct store_change change = {
        .kind = STORE_CHANGE_REMOVE, .key = op->key, .expires = op->expires, .lsn = u->lsn};
    if (op->kind == RECORD_PUT) {
        change.kind = STORE_CHANGE_PUT;
        const struct table_entry *e = u->places[i].entry;
        change.value = e ? table_entry_value(e) : op->value;
        change.blob = e ? table_entry_blob(e) : NULL;
    } else if (u->places[i].expired) {
        change.kind = STORE_CHANGE_EXPIRE;
        atomic_fetch_add_explicit(&u->keyspace->expired, 1, memory_order_relaxed);
    }
    keyspace_tell(u->keyspace, &change);
}

static int append_record(struct update *u, size_t bytes)
{
    struct wal *wal = u->keyspace->wal;
    uint8_t *to;
    uint64_t lsn;
    struct record_op room;
    int r = wal_begin(wal, bytes, u->now, u->keyspace->id == STORE_SYSTEM, &to, &lsn);
    if (r != 0)
        return r;
    u->lsn = lsn;
    for (size_t i = 0; i < u->n; i++) {
        const struct record_op *op = op_of(u, i);
        if (!op)
            continue;
        to = record_op_write(to, logged_op(&u->places[i], &room));
        tell(u, i, op);
    }
    wal_end(wal);
    return 0;
}

static void change_table(struct update *u)
{
    for (size_t i = 0; i < u->n; i++) {
        struct place *p = &u->places[i];
        if (p->rewrites)
            table_rewrite(u->table, p->found, p->hash, p->op.value, u->lsn);
        else if (p->entry)
            p->entry = table_put(u->table, p->entry, p->hash, u->lsn);
        else if (p->winner != NONE || p->expired)
            p->entry = table_remove(u->table, u->slots[i].key, p->hash, u->lsn);
        if (p->upload)
            uploads_end(u->keyspace->uploads, p->upload);
    }
}

static int change(struct update *u)
{
    size_t bytes;
    choose_winners(u);
    if (!u->changes && !u->expires)
        return 0;
    int r = send_large(u);
    if (r == 0)
        r = measure(u, &bytes);
    if (r == 0 && bytes == 0)
        return 0;
    if (r == 0)
        r = make_entries(u);
    if (r == 0)
        r = append_record(u, bytes);
    if (r == 0)
        change_table(u);
    else
        give_uploads_back(u);
    /* What has expired may stay where nothing can be written; nothing else was asked for. */
    return wal_refuses(r) && !u->changes ? 0 : r;
}

/* fn has refused: what it saw as expired must go all the same. */
static void keep_all(struct update *u)
{
    for (size_t i = 0; i < u->n; i++)
        u->slots[i].verdict = STORE_KEEP;
}

/* The part under the locks. *ret_lsn is set wherever fn saw the old values. */
static int run(struct update *u, store_update_fn fn, void *ctx, uint64_t *ret_lsn)
{
    each_shard(u, table_lock);
    u->now = keyspace_time(u->keyspace, u->now);
    read_slots(u);
    int refused = fn(ctx, u->slots, u->n);
    if (refused)
        keep_all(u);
    int r = change(u);
    each_shard(u, table_unlock);
    *ret_lsn = keyspace_answer(u->keyspace, u->lsn ? u->lsn : u->seen_lsn);
    return r != 0 ? r : refused;
}

static void free_entries(struct update *u)
{
    for (size_t i = 0; i < u->n; i++)
        table_entry_free(u->places[i].entry);
}

static int update(struct keyspace *k, struct store_slot *slots, struct place *places, size_t n,
                  struct walltime now, store_update_fn fn, void *ctx, uint64_t *ret_lsn)
{
    struct update u = {
        .keyspace = k, .table = k->table, .slots = slots, .places = places, .n = n, .now = now};
    int r = prepare(&u);
    if (r == 0) {
        r = run(&u, fn, ctx, ret_lsn);
        free_entries(&u);
    }
    return r;
}

/* Nearly all updates are of one key: for these the same is compiled once more, with nothing to
 * loop over. A SET takes an eighth fewer instructions so. */
__attribute__((flatten)) static int update_one(struct keyspace *k, struct store_slot *slot,
                                               struct walltime now, store_update_fn fn,
                                               void *ctx, uint64_t *ret_lsn)
{
    struct place place;
    return update(k, slot, &place, 1, now, fn, ctx, ret_lsn);
}

int update_run(struct keyspace *k, struct store_slot *slots, size_t n, struct walltime now,
               store_update_fn fn, void *ctx, uint64_t *ret_lsn)
{
    if (n == 1)
        return update_one(k, slots, now, fn, ctx, ret_lsn);
    struct place few[SLOTS_INLINE], *places = few;
    if (n > SLOTS_INLINE && !(places = malloc(n * sizeof *places)))
        return -ENOMEM;
    int r = update(k, slots, places, n, now, fn, ctx, ret_lsn);
    if (places != few)
        free(places);
    return r;
}
