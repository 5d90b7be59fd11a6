#ifndef KITH_STORE_STORE_H
#define KITH_STORE_STORE_H

/* The durable key-value store, as the hub sees it. Behind it stands an engine: the embedded
 * one (store/embedded.h) or, one day, one that asks other machines.
 *
 * Two keyspaces: the users' table, and the system's own, which no door reaches.
 *
 * LSN: every mutation has a log sequence number, counted from 1. Every call returns in
 * *ret_lsn the LSN its answer depends on: the newest over the entries it saw and, for each
 * key it missed, over the removals that may have made it miss. Whoever answers waits until
 * that LSN is durable (store_durable); 0 depends on nothing. An engine that was told not to
 * wait (--durability second) returns 0 for the users' keyspace itself.
 *
 * Conditions (positive):
 *   STORE_MISSING    there is no such key (store_get)
 *   STORE_BUSY       the log has no room at this moment: nothing happened; ask again when
 *                    the log has moved. A large value in a blob goes to the log bit by bit, a
 *                    bit each time one asks: ask with the same blob
 *   STORE_READ_ONLY  the disk is full: nothing happened; reads go on
 *   STORE_STUCK      the log's next file cannot be made, but not for want of room: likewise
 *   STORE_TOO_LARGE  a key, a value or all of them together pass a limit; nothing happened
 * Fatal (negative): -ENOMEM, nothing happened; -EIO, the log has failed for good.
 *
 * All calls may be made from any worker. Functions given to the store run under its locks:
 * they must be quick and must not call the store. */

#include "base/blob.h"
#include "base/bytes.h"
#include "base/time.h"

enum store_space { STORE_USER, STORE_SYSTEM };

enum {
    STORE_MISSING = 1,
    STORE_BUSY = 2,
    STORE_READ_ONLY = 3,
    STORE_TOO_LARGE = 4,
    STORE_STUCK = 5
};

#define STORE_NO_EXPIRY ((struct walltime){0})

/* What a key holds. */
struct store_value {
    struct bytes bytes;
    struct blob *blob;       /* a large value's memory: a reference keeps it; else NULL */
    struct walltime expires; /* STORE_NO_EXPIRY: never */
    uint64_t version;        /* from 1; another whenever the key has been written since */
};

/* What is to become of a key. */
enum store_verdict {
    STORE_KEEP,   /* as it was */
    STORE_PUT,    /* value and expires, below */
    STORE_REMOVE, /* gone; nothing where it was not there */
};

/* One key of an update. The caller sets key, the store the next three, the function the rest
 * (verdict is STORE_KEEP before it runs). Old values hold while the function runs, new ones
 * must hold until store_update returns. The same key may stand in several slots: all see the
 * old value, the last verdict other than STORE_KEEP wins. */
struct store_slot {
    struct bytes key; /* 1 to LIMIT_KEY_BYTES bytes */

    bool present;
    size_t first;           /* the first slot with the same key: its own index, mostly */
    struct store_value old; /* where not present: no bytes, version 0 */

    enum store_verdict verdict;
    struct bytes value; /* up to LIMIT_VALUE_BYTES bytes, may be empty */
    struct blob *blob;  /* where value lies in one: the store need not copy it; else NULL */
    struct walltime expires;
};

/* A pure function from old values to new. Non-zero: nothing is changed, and store_update
 * returns that number; use negative errno or numbers from STORE_FN_FIRST. It may be called
 * again for the same request, where the store was busy. */
typedef int (*store_update_fn)(void *ctx, struct store_slot *slots, size_t n);
enum { STORE_FN_FIRST = 100 };

/* Sees one value; it holds while the function runs. */
typedef void (*store_visit_fn)(void *ctx, const struct store_value *value);

/* Sees one key of a scan. */
typedef void (*store_scan_fn)(void *ctx, struct bytes key, const struct store_value *value);

/* What has happened to a key, or to a whole keyspace. */
enum store_change_kind {
    STORE_CHANGE_PUT,
    STORE_CHANGE_REMOVE,
    STORE_CHANGE_EXPIRE, /* gone because its time has come */
    STORE_CHANGE_FLUSH,  /* every key is gone; no key, no value */
};

struct store_change {
    enum store_change_kind kind;
    enum store_space space;
    struct bytes key;
    struct bytes value;      /* of a put */
    struct blob *blob;       /* where a large value lies; else NULL */
    struct walltime expires; /* of a put */
    uint64_t lsn;            /* as ret_lsn: nobody is told before it is durable */
};

/* Is told every change, in the order of their LSNs, by whatever thread makes it, under the
 * store's locks: it must be quick. */
typedef void (*store_watch_fn)(void *ctx, const struct store_change *change);

/* How it stands with checkpoints: whole copies that make the log before them superfluous. */
struct store_saved {
    struct walltime last; /* when the last one was begun; 0: none yet */
    bool running;         /* one is being made, or about to be */
    int error;            /* why the newest attempt failed, -errno; 0 where it did not */
};

struct backup; /* store/backup.h */

/* What is in a keyspace, and what was. */
struct store_stats {
    size_t keys;
    size_t expiring;  /* those of them with an expiry ... */
    uint64_t ttl_ms;  /* ... and how long they have left, on average */
    uint64_t expired; /* keys removed since the start because their time had come */
};

struct store;

struct store_ops {
    int (*get)(struct store *s, enum store_space space, struct bytes key, struct walltime now,
               store_visit_fn visit, void *ctx, uint64_t *ret_lsn);
    int (*update)(struct store *s, enum store_space space, struct store_slot *slots, size_t n,
                  struct walltime now, store_update_fn fn, void *ctx, uint64_t *ret_lsn);
    void (*expect)(struct store *s, enum store_space space, const struct bytes *keys, size_t n);
    size_t (*count)(struct store *s, enum store_space space, uint64_t *ret_lsn);
    void (*stats)(struct store *s, enum store_space space, struct walltime now,
                  struct store_stats *ret, uint64_t *ret_lsn);
    int (*scan)(struct store *s, enum store_space space, uint64_t *cursor, size_t budget,
                struct walltime now, store_scan_fn fn, void *ctx, uint64_t *ret_lsn);
    int (*flush)(struct store *s, enum store_space space, struct walltime now,
                 uint64_t *ret_lsn);
    void (*watch)(struct store *s, store_watch_fn fn, void *ctx);
    bool (*save)(struct store *s);
    void (*saved)(struct store *s, struct store_saved *ret);
    int (*trouble)(struct store *s);
    int (*backup)(struct store *s, struct backup **ret);
    uint64_t (*durable)(struct store *s);
    struct walltime (*time)(struct store *s, struct walltime now);
    size_t (*memory)(struct store *s);
};

struct store {
    const struct store_ops *ops;
};

/* Reads one key: visit is called once where it is there, else STORE_MISSING. *ret_lsn is set
 * in both cases. */
static inline int store_get(struct store *s, enum store_space space, struct bytes key,
                            struct walltime now, store_visit_fn visit, void *ctx,
                            uint64_t *ret_lsn)
{
    return s->ops->get(s, space, key, now, visit, ctx, ret_lsn);
}

/* Reads n keys and changes what fn says, as one: nobody sees or loses a part of it. Every
 * read-modify-write goes through here, and so does reading several keys as of one moment (a
 * function that keeps them all). *ret_lsn is set wherever fn ran, a refusal included: that too
 * is an answer about what was seen. */
static inline int store_update(struct store *s, enum store_space space,
                               struct store_slot *slots, size_t n, struct walltime now,
                               store_update_fn fn, void *ctx, uint64_t *ret_lsn)
{
    return s->ops->update(s, space, slots, n, now, fn, ctx, ret_lsn);
}

/* These keys are going to be read or written soon, whoever knows that early says so: it may
 * save time, and changes nothing. */
static inline void store_expect(struct store *s, enum store_space space,
                                const struct bytes *keys, size_t n)
{
    s->ops->expect(s, space, keys, n);
}

/* How many keys a keyspace holds. The answer depends on every mutation of it so far. */
static inline size_t store_count(struct store *s, enum store_space space, uint64_t *ret_lsn)
{
    return s->ops->count(s, space, ret_lsn);
}

/* The same and more. */
static inline void store_stats(struct store *s, enum store_space space, struct walltime now,
                               struct store_stats *ret, uint64_t *ret_lsn)
{
    s->ops->stats(s, space, now, ret, ret_lsn);
}

/* Visits some keys: about `budget` places of the table from *cursor on, 0 to begin, and moves
 * *cursor on, to 0 at the end. A key that is there from the first call to the last is visited
 * once, whatever else comes and goes, or again where the table has grown manifold between two
 * calls; one that comes or goes meanwhile may be. */
static inline int store_scan(struct store *s, enum store_space space, uint64_t *cursor,
                             size_t budget, struct walltime now, store_scan_fn fn, void *ctx,
                             uint64_t *ret_lsn)
{
    return s->ops->scan(s, space, cursor, budget, now, fn, ctx, ret_lsn);
}

/* Removes every key of a keyspace, as one. */
static inline int store_flush(struct store *s, enum store_space space, struct walltime now,
                              uint64_t *ret_lsn)
{
    return s->ops->flush(s, space, now, ret_lsn);
}

/* From now on fn, and only fn, is told of every change; NULL: nobody is. Call it before the
 * store is used, or where nobody else can be using it. */
static inline void store_watch(struct store *s, store_watch_fn fn, void *ctx)
{
    s->ops->watch(s, fn, ctx);
}

/* Asks for a checkpoint now; false: one is under way already. */
static inline bool store_save(struct store *s)
{
    return s->ops->save(s);
}

static inline void store_saved(struct store *s, struct store_saved *ret)
{
    s->ops->saved(s, ret);
}

/* Why writes that find no room in the log as it is are refused at present: -errno of the last
 * try to make its next file; 0 where that is there, or being made. Cheap. */
static inline int store_trouble(struct store *s)
{
    return s->ops->trouble(s);
}

/* Begins a backup of all the store holds now (store/backup.h), the caller's to free. -ENOMEM.
 */
static inline int store_backup(struct store *s, struct backup **ret)
{
    return s->ops->backup(s, ret);
}

/* The time that counts here: now, or the latest in the log where the clock was set back. */
static inline struct walltime store_time(struct store *s, struct walltime now)
{
    return s->ops->time(s, now);
}

/* About how many bytes of memory the keys and values take. Cheap. */
static inline size_t store_memory(struct store *s)
{
    return s->ops->memory(s);
}

/* Everything up to this LSN is on disk. Never goes back. */
static inline uint64_t store_durable(struct store *s)
{
    return s->ops->durable(s);
}

#endif
