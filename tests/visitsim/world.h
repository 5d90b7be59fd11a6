#ifndef KITH_TESTS_VISITSIM_WORLD_H
#define KITH_TESTS_VISITSIM_WORLD_H

/* People at a hub and with each other, under one seed and a clock that jumps, on one thread: a
 * hub of several workers over a store on a faulty disk; devices, each with the mind of the real
 * client (a visit, its conversation and its post), whose persons register, log in, ask each
 * other to talk, accept, decline, close, say things, write letters, compare words, sign their
 * other device and forget whom they know; and the talks between them, sessions with
 * candidates and dialing. All of it goes over wires (wire.h) that delay, cut and part, through
 * TLS without its cryptography (bare_tls.c). Networks part, devices move and get addresses that
 * others had, let nobody in, are switched off; the hub crashes, loses what was not durable,
 * comes back.
 *
 * Checked all the time (judge.c, visitor.c, talk.c, notebook.c, mail.c):
 *   - nobody is introduced who has not accepted, or has not asked, and each is told the key of
 *     the very device that did;
 *   - no key is believed to be somebody's but the first that was met and those that one
 *     believed has signed, and none whose words were not the same; both see the same words;
 *   - a letter that the hub is said to keep is shown, once on each device, as its writer's, and
 *     on none that does not believe the writer's device;
 *   - no connection of another key becomes part of a talk, and none of the right one is
 * refused;
 *   - texts arrive in order and once, and none is marked as shown that was not;
 *   - what is said to a person never goes to the hub as a line;
 *   - a talk ends because somebody ended it, or nothing could be reached for long;
 *   - a device that was let in once is known from then on, whatever crashed, and an account
 * that somebody saw is there.
 * In some worlds the hub lies (liar.h), and all of that still holds but what needs its help.
 * Then everything heals, and when it has settled: all who are there are logged in, and see the
 * same people, who are those that are there; talks have both sides, and all that was said has
 * arrived. All come once more, and have their letters. Then all
 * leave, and nothing of them is left in the hub, nor in memory. */

#include "../sim/trace.h"
#include "mail.h"
#include "notebook.h"
#include "wire.h"

#include "client/notice.h"
#include "hub/hub.h"
#include "peer/words.h"
#include "store/embedded.h"
#include "support/faulty_disk.h"
#include "tls/identity.h"
#include "tls/tls.h"

enum {
    WORLD_HUBS = 2,
    WORLD_ACCOUNTS = 3,
    WORLD_DEVICES = 6, /* two of each account, one after the other */
    WORLD_LANS = 3,
    WORLD_HOSTS = 6, /* addresses of a network */
    WORLD_MEETINGS = 2000,
    WORLD_JOBS = 32,
    WORLD_PORT = 5000,
};

/* Where one may dial: a device, the hub, an address that nobody has. */
enum { PLACE_HUB = WORLD_DEVICES, PLACE_NOBODY };

/* Keys: the devices', the hub's, and one that no device has, but the hub when it lies. */
enum { KEY_OF_NOBODY = WORLD_DEVICES + 1, WORLD_KEYS };

enum reach { REACH_WORKS, REACH_REFUSED, REACH_NOT };

struct worker {
    struct hub hub;
    struct world *world;
    struct instant mail_at, log_at; /* when it takes its mail, is told of the log */
};

/* Where a device is; it stays so while the device is off. */
struct place {
    size_t lan, host;
    bool lets_in; /* others may connect to it */
};

/* What is known of an introduction. */
struct meeting {
    char id[RANDOM_ID_TEXT_LEN + 1];
    bool is_asked;                     /* who asked is known, and whom */
    size_t from;                       /* device */
    size_t to;                         /* account */
    unsigned accepted, introduced;     /* devices, a bit each */
    uint64_t said[2], heard[2];        /* texts: of who asked, of who accepted; by the same */
    bool ended[2];                     /* that side has ended it, or is gone */
    const char *words[2][WORDS_COUNT]; /* that side saw last, to compare */
    unsigned rounds[2];                /* how often */
};

struct work {
    struct job *job;
    struct instant at;
};

struct visitor;

struct world {
    struct trace trace;
    uint64_t chance;
    struct identity *const *identities; /* of the devices, and behind them the hub's */
    struct list wires;
    uint64_t wires_made;
    uint64_t delay_ms, disk_ms; /* at most, of what is on its way; until the log moves */
    bool parted[WORLD_LANS + 1][WORLD_LANS + 1]; /* networks; the last is the hub's */
    bool healed;
    struct instant disturbs_at;

    bool is_up; /* the hub: */
    struct instant starts_at;
    struct faulty_disk *disk;
    struct embedded *store;
    struct hub_shared shared;
    struct tls_config *hub_tls;
    struct worker workers[WORLD_HUBS];
    size_t worker_count;
    struct instant log_at;
    struct work jobs[WORLD_JOBS];
    size_t job_count;

    struct place places[WORLD_DEVICES];
    struct visitor *visitors[WORLD_DEVICES];                  /* NULL: off */
    bool registered[WORLD_ACCOUNTS], is_seen[WORLD_ACCOUNTS]; /* seen by another account */
    bool is_known[WORLD_DEVICES];                             /* was let in */
    struct notebook notebooks[WORLD_DEVICES];
    bool sign_asked[WORLD_KEYS], sign_kept[WORLD_KEYS]; /* by the other of its account */
    char hub_print[FINGERPRINT_TEXT_LEN + 1];
    struct mail mail[MAIL_MAX];
    size_t mail_count;
    bool lies; /* the hub does, until all heals */
    struct liar *liar;
    struct meeting *meetings;
    size_t meeting_count;
    size_t paths_freed; /* so that who has fed one sees that it has gone */
    uint64_t texts, talks, switches, letters, compared, told_lies; /* for the summary */
};

#define CHECK(w, ...) trace_check(&(w)->trace, __VA_ARGS__)
#define SAY(w, ...) trace_say(&(w)->trace, __VA_ARGS__)

static inline uint64_t draw(struct world *w, uint64_t of)
{
    return faulty_random(&w->chance) % of;
}

static inline struct instant world_later(struct world *w, uint64_t ms_max)
{
    struct instant at = w->trace.now;
    at.ns += draw(w, ms_max * 1000000 + 1);
    return at;
}

static inline size_t account_of(size_t device)
{
    return device / (WORLD_DEVICES / WORLD_ACCOUNTS);
}

const char *world_name(size_t account);
size_t world_account(struct world *w, struct bytes name);
struct walltime world_wall(const struct world *w);

/* The number of a key, of the device with a fingerprint; either has to be one. */
size_t world_key(struct world *w, const struct public_key *key);
size_t world_device(struct world *w, struct bytes fingerprint);

/* The secret key. */
void world_write_seed(size_t key, uint8_t seed[IDENTITY_SEED_BYTES]);

/* The other device of the same account. */
static inline size_t world_sibling(size_t device)
{
    return device ^ 1;
}

/* The address of a device, as text; `ADDR:PORT` with where it listens. */
void world_write_address(const struct world *w, size_t device, char *to, size_t n, bool port);
size_t world_find(const struct world *w, const struct net_address *address);

enum reach world_reach(struct world *w, size_t from, size_t to);

/* A wire has reached the place it was dialed to. */
void world_arrive(struct world *w, struct wire *x);

/* Plays one seed. */
struct world_counts {
    uint64_t steps, talks, texts, switches, letters, compared, lies;
};
void world_play(uint64_t seed, bool verbose, struct identity *const *identities,
                struct world_counts *counts);

/* ---- process.c: the hub's process ---- */

void process_start(struct world *w);
void process_crash(struct world *w, bool power);
void process_accept(struct world *w, struct wire *x);
struct instant process_next(const struct world *w);
void process_run(struct world *w);
void process_check_empty(const struct world *w);

/* ---- judge.c: what is known of introductions ---- */

struct meeting *judge_find(struct world *w, struct bytes id);
size_t judge_device(struct world *w, const struct public_key *key, struct bytes name);
void judge_asked(struct world *w, size_t device, size_t account, struct bytes id);
void judge_accepts(struct world *w, size_t device, struct bytes id);
void judge_words(struct world *w, struct meeting *m, unsigned side, const char *const words[]);
struct meeting *judge_introduced(struct world *w, size_t device, const struct notice *n,
                                 size_t other);

#endif
