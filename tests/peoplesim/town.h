#ifndef KITH_TESTS_PEOPLESIM_TOWN_H
#define KITH_TESTS_PEOPLESIM_TOWN_H

/* A town under one seed and a virtual clock, on one thread: several workers' hubs over one
 * store on a faulty disk, and people who come and go, ask to meet, accept, decline and take
 * back, write letters and take them. What takes time elsewhere (bytes, mail between workers,
 * the log) is a step of its own, when the seed says so. Hubs are killed, lose their power, and
 * start again from what is left.
 *
 * Checked all the time (person.c):
 *   - nobody is introduced who has not accepted, or has not asked; each is told the other's
 * key; an invitation has one end, whoever answers it, and nobody else may;
 *   - what anybody is told of a letter is so: whose it is, for whom; what was answered is kept,
 *     what was taken does not come again, and each is taken once.
 * And when everything has settled: all see the same people, which are those who are there;
 * both sides of an introduction know; no invitation is open; no letter is lost. */

#include "../sim/trace.h"

#include "base/buffer.h"
#include "hub/hub.h"
#include "people/letter.h"
#include "store/embedded.h"
#include "support/faulty_disk.h"
#include "wire/resp_reply.h"

enum {
    TOWN_HUBS = 3,
    TOWN_ACCOUNTS = 4,
    TOWN_DEVICES = 8, /* two of each account, one after the other */
    TOWN_PEOPLE = 8,
    TOWN_LETTERS = 400,
    TOWN_MEETINGS = 4000,
    TOWN_ID_LEN = 22,
};

/* What is known of an introduction. */
struct meeting {
    char id[TOWN_ID_LEN + 1];
    bool invited, replied; /* somebody was told of it; who asked for it was answered */
    size_t from, to;       /* the device that asked; the account that is asked */
    uint64_t asker, taker; /* connections: who asked, and whose ACCEPT was answered (0: none) */
    unsigned accepting;    /* devices that have said ACCEPT, a bit each */
    bool declined, cancelled, withdrawn;   /* answered so; withdrawn: by who had asked */
    unsigned asker_told, taker_told, ends; /* introduced; introduced; introduced or declined */
};

/* What is known of a letter. */
struct mail {
    char id[TOWN_ID_LEN + 1];
    size_t from, to; /* devices */
    bool kept;       /* LETTER was answered */
    bool asked;      /* TAKEN was said, of it */
    bool taken;      /* and answered with 1 */
};

struct town_worker {
    struct hub hub;
    bool log_moved, mail;
};

struct town {
    struct trace trace;
    uint64_t random;
    struct faulty_disk *disk;
    struct embedded *store;
    struct hub_shared shared;
    struct town_worker workers[TOWN_HUBS];
    size_t worker_count;
    struct person *people[TOWN_PEOPLE]; /* NULL: a free place */
    struct mail letters[TOWN_LETTERS];
    size_t letter_count;
    struct meeting *meetings; /* of this process */
    size_t meeting_count;
};

static inline uint64_t pick(struct town *t, uint64_t below)
{
    return faulty_random(&t->random) % below;
}

static inline bool chance(struct town *t, uint64_t of)
{
    return pick(t, of) == 0;
}

#define CHECK(t, ...) trace_check(&(t)->trace, __VA_ARGS__)
#define SAY(t, ...) trace_say(&(t)->trace, __VA_ARGS__)

static inline struct public_key key_of(size_t device)
{
    struct public_key key;
    memset(key.bytes, (int)device + 1, sizeof key.bytes);
    return key;
}

static inline size_t account_of(size_t device)
{
    return device / (TOWN_DEVICES / TOWN_ACCOUNTS);
}

const char *name_of(size_t account);

/* The one of that id, made where there is none. */
struct meeting *town_meeting(struct town *t, struct bytes id);

/* Who is there, a bit an account. */
unsigned town_present(const struct town *t);

/* A worker's turn begins; ends: what its hub has to say is said. */
void town_begin(struct town *t, size_t worker);
void town_end(struct town *t, size_t worker);

/* Plays one seed. */
void town_play(uint64_t seed, uint64_t steps, bool verbose);

#endif
