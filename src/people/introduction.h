#ifndef KITH_PEOPLE_INTRODUCTION_H
#define KITH_PEOPLE_INTRODUCTION_H

/* Introductions: one device invites an account; where one of that account's accepts, each gets
 * to know the other. Shared by all workers, under a lock of its own.
 * Zeroed, there are none.
 *
 *     INVITED -> ACCEPTED     by any present connection of the invited account: the first
 * counts
 *             -> DECLINED     likewise
 *             -> TIMED OUT    LIMIT_INVITED_MS have passed
 *             -> CANCELLED    by the account that invited
 *             -> GONE         the connection that invited has ended, or the invited account
 * went
 *
 * What has been accepted is remembered for LIMIT_INTRODUCED_MS, so that the two may meet at the
 * relay; everything else is forgotten as it ends. Nothing here tells anybody: the caller gets a
 * copy of the introduction as it was, and does.
 *
 * An id is 128 random bits of the caller's: nobody guesses one. Who asks about an id
 * that is not his is answered as if there were none.
 *
 * Limits: LIMIT_INVITING of an account open at once, LIMIT_INVITED to one, one from an account
 * to another, LIMIT_INTRODUCTIONS_OPEN in all; of what was accepted the oldest is forgotten
 * past LIMIT_INTRODUCTIONS_KEPT. */

#include "base/fingerprint.h"
#include "base/limits.h"
#include "base/random_id.h"
#include "base/time.h"
#include "people/account_name.h"

#include <pthread.h>
#include <stdatomic.h>

enum { INTRODUCTION_SEEN_BYTES = 46 };

enum {
    INTRODUCTION_UNKNOWN = 1, /* no such introduction, or not one the caller may speak of */
    INTRODUCTION_ALREADY = 2, /* one from that account to the other is open */
    INTRODUCTION_TOO_MANY = 3,
    INTRODUCTION_SELF = 4,
    INTRODUCTION_STAYS = 5, /* another connection of the account may still answer */
};

/* One of the two. Of the invited, only key and name are known until it has accepted. */
struct introduction_side {
    char key[ACCOUNT_NAME_BYTES + 1];  /* of the account, folded */
    char name[ACCOUNT_NAME_BYTES + 1]; /* as its owner wrote it */
    struct public_key device;
    uint64_t connection;
    char seen[INTRODUCTION_SEEN_BYTES]; /* its address, as the hub sees it; "-": unknown */
    const char *candidates;             /* separated by blanks, checked; NULL: none */
};

struct introduction {
    struct random_id id;
    struct introduction_side from, to;
    struct instant since;
};

struct introduction_entry;
struct introduction_queue {
    struct introduction_entry *first, *last;
    size_t count;
};

enum { INTRODUCTION_BUCKETS = 1024 };

struct introductions {
    pthread_mutex_t lock;
    struct introduction_queue open, kept; /* the oldest first */
    struct introduction_entry *buckets[INTRODUCTION_BUCKETS];
    atomic_uint_fast64_t deadline_ns; /* 0: none */
};

void introductions_fini(struct introductions *x);

/* from invites the account of that key and name, under an id that is random. Candidates are
 * copied. INTRODUCTION_SELF, _ALREADY, _TOO_MANY, -ENOMEM. */
int introductions_invite(struct introductions *x, const struct introduction_side *from,
                         const char *to_key, const char *to_name, struct instant now,
                         const struct random_id *id);

/* What follows hands out a copy, which introduction_fini gives back; INTRODUCTION_UNKNOWN,
 * -ENOMEM. */

/* `side` accepts: its account is the invited one. *ret_forgotten: the id of the accepted one
 * that is forgotten for it; its own where none is. */
int introductions_accept(struct introductions *x, const struct random_id *id,
                         const struct introduction_side *side, struct instant now,
                         struct introduction *ret, struct random_id *ret_forgotten);

/* The invited account says no; the one that invited takes it back. */
int introductions_decline(struct introductions *x, const struct random_id *id, const char *key,
                          struct introduction *ret);
int introductions_cancel(struct introductions *x, const struct random_id *id, const char *key,
                         struct introduction *ret);

/* One connection of the invited account has no time, and so many others of it are present: once
 * that many have said so, too, it is declined; INTRODUCTION_STAYS until then. */
int introductions_busy(struct introductions *x, const struct random_id *id, const char *key,
                       size_t others, struct introduction *ret);

/* An open one whose time is over is forgotten; false where there is none. */
bool introductions_expire(struct introductions *x, struct instant now,
                          struct introduction *ret);

/* When introductions_expire has something to do. */
struct instant introductions_deadline(const struct introductions *x);

/* An open one from that connection, or to that account, is forgotten; false where there is
 * none. */
bool introductions_drop_from(struct introductions *x, uint64_t connection,
                             struct introduction *ret);
bool introductions_drop_to(struct introductions *x, const char *key, struct introduction *ret);

/* One that was accepted; without its candidates. */
int introductions_find(struct introductions *x, const struct random_id *id, struct instant now,
                       struct introduction *ret);

/* Which of the two that device of that account is: 0 who invited, 1 the other, -1 neither. */
int introduction_side(const struct introduction *i, const char *key,
                      const struct public_key *device);

/* That side of an accepted one does not believe that the other one is who it says; each may say
 * so once. A copy without candidates. */
int introductions_disbelieve(struct introductions *x, const struct random_id *id,
                             const char *key, const struct public_key *device,
                             struct instant now, struct introduction *ret);

void introduction_fini(struct introduction *i);

#endif
