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
 *                    the log has moved
 *   STORE_READ_ONLY  the disk is full: nothing happened; reads go on
 *   STORE_TOO_LARGE  a key, a value or all of them together pass a limit; nothing happened
 * Fatal (negative): -ENOMEM, nothing happened; -EIO, the log has failed for good.
 *
 * All calls may be made from any worker. Functions given to the store run under its locks:
 * they must be quick and must not call the store. */

#include "base/bytes.h"
#include "base/time.h"

enum store_space { STORE_USER, STORE_SYSTEM };

enum { STORE_MISSING = 1, STORE_BUSY = 2, STORE_READ_ONLY = 3, STORE_TOO_LARGE = 4 };

#define STORE_NO_EXPIRY ((struct walltime){0})

/* What is to become of a key. */
enum store_verdict {
    STORE_KEEP,   /* as it was */
    STORE_PUT,    /* value and expires, below */
    STORE_REMOVE, /* gone; nothing where it was not there */
};

/* One key of an update. The caller sets key, the store the next four, the function the rest
 * (verdict is STORE_KEEP before it runs). Old values hold while the function runs, new ones
 * must hold until store_update returns. The same key may stand in several slots: all see the
 * old value, the last verdict other than STORE_KEEP wins. */
struct store_slot {
    struct bytes key; /* 1 to LIMIT_KEY_BYTES bytes */

    bool present;
    bool repeated; /* an earlier slot has the same key */
    struct bytes old;
    struct walltime old_expires; /* STORE_NO_EXPIRY: never */

    enum store_verdict verdict;
    struct bytes value; /* up to LIMIT_VALUE_BYTES bytes, may be empty */
    struct walltime expires;
};

/* A pure function from old values to new. Non-zero: nothing is changed, and store_update
 * returns that number; use negative errno or numbers from STORE_FN_FIRST. It may be called
 * again for the same request, where the store was busy. */
typedef int (*store_update_fn)(void *ctx, struct store_slot *slots, size_t n);
enum { STORE_FN_FIRST = 100 };

/* Sees one value; it holds while the function runs. */
typedef void (*store_visit_fn)(void *ctx, struct bytes value, struct walltime expires);

struct store;

struct store_ops {
    int (*get)(struct store *s, enum store_space space, struct bytes key, struct walltime now,
               store_visit_fn visit, void *ctx, uint64_t *ret_lsn);
    int (*update)(struct store *s, enum store_space space, struct store_slot *slots, size_t n,
                  struct walltime now, store_update_fn fn, void *ctx, uint64_t *ret_lsn);
    size_t (*count)(struct store *s, enum store_space space, uint64_t *ret_lsn);
    uint64_t (*durable)(struct store *s);
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

/* How many keys a keyspace holds. The answer depends on every mutation of it so far. */
static inline size_t store_count(struct store *s, enum store_space space, uint64_t *ret_lsn)
{
    return s->ops->count(s, space, ret_lsn);
}

/* Everything up to this LSN is on disk. Never goes back. */
static inline uint64_t store_durable(struct store *s)
{
    return s->ops->durable(s);
}

#endif
