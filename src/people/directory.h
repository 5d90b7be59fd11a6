#ifndef KITH_PEOPLE_DIRECTORY_H
#define KITH_PEOPLE_DIRECTORY_H

/* Who is present: the connections of each account that have logged in. Shared by all workers,
 * under a lock of its own. An account appears with the first of its connections and goes with
 * the last. A zeroed directory is empty.
 *
 * A presence is memory of the connection's own, which enters and leaves it on its worker; the
 * account it hangs from is the directory's. */

#include "base/fingerprint.h"
#include "base/time.h"
#include "people/account_name.h"

#include <pthread.h>

struct directory_account;

struct presence {
    struct presence *next;             /* of the same account */
    struct directory_account *account; /* NULL: not in the directory */
    size_t worker;
    uint64_t connection;      /* its id */
    void *owner;              /* for that worker alone */
    bool has_device;          /* a key was shown: */
    struct public_key device; /* this one */
    struct walltime since;
    uint64_t moves; /* the directory's, once this had entered */
};

struct directory {
    pthread_mutex_t lock;
    uint64_t moves;                      /* comings and goings so far */
    struct directory_account **accounts; /* in order of their keys */
    size_t count, capacity;
};

/* What is told of a present account. */
struct directory_entry {
    const char *key;  /* folded: what it is looked up by */
    const char *name; /* as its owner wrote it */
    struct walltime since;
    size_t devices; /* those that are present; without a key, each connection is one */
};

/* Frees the directory, in which nobody is left. */
void directory_fini(struct directory *d);

/* Is told that the account of that name has come, or is about to go, as which of all comings
 * and goings: one after the other, as it happens, since it is under the lock. It must be quick
 * and must not call the directory. */
typedef void (*directory_tell_fn)(void *ctx, uint64_t move, const char *name, bool came);

/* Enters p, whose fields the caller has set but for account, next and moves, for the account of
 * that key and name. -ENOMEM. */
int directory_enter(struct directory *d, struct presence *p, const char *key, const char *name,
                    directory_tell_fn tell, void *ctx);

/* p, which is in, has that device from now on; NULL: none. */
void directory_set_device(struct directory *d, struct presence *p,
                          const struct public_key *device);

/* Takes p out. True: the account has gone with it. Nothing where it is not in. */
bool directory_leave(struct directory *d, struct presence *p, directory_tell_fn tell,
                     void *ctx);

/* Is anybody of this account present? Then its name, as its owner wrote it, goes to ret_name,
 * which may be NULL. */
bool directory_find(struct directory *d, const char *key,
                    char ret_name[ACCOUNT_NAME_BYTES + 1]);

/* How many accounts are present. */
size_t directory_count(struct directory *d);

/* Visits every account, in order of their keys, under the lock: see must not call the
 * directory. */
void directory_each(struct directory *d,
                    void (*see)(void *ctx, const struct directory_entry *entry), void *ctx);

/* Visits every presence of an account, likewise. */
void directory_each_of(struct directory *d, const char *key,
                       void (*see)(void *ctx, const struct presence *p), void *ctx);

#endif
