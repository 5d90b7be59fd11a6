#ifndef KITH_TESTS_SCENE_H
#define KITH_TESTS_SCENE_H

/* A scene for unit tests (cmocka): two hubs that share a store on a disk in memory, as two
 * workers do, and people at both, in plaintext or over TLS. The clock, the log and the threads
 * that hash passwords move when the test says so; what reaches a worker's mailbox is taken when
 * the scene settles. Whatever goes wrong here fails the test. */

#include "hub/hub.h"
#include "store/embedded.h"
#include "support/faulty_disk.h"
#include "tls/tls.h"

enum { SCENE_HUBS = 2, SCENE_PEOPLE = 80, SCENE_JOBS = 8, SCENE_UID = 1000 };

/* When it begins, by the wall clock. */
#define SCENE_WALL_MS ((int64_t)1700000000000)

/* Somebody at a connection. */
struct scene_person {
    struct connection *c; /* NULL: not connected */
    struct buffer got;    /* what he was told, decrypted */
    bool deaf;            /* takes nothing (plaintext) */
    struct identity *identity;
    struct tls_config *config;
    struct tls *tls;   /* NULL: plaintext */
    struct buffer out; /* encrypted, for the hub */
};

struct scene {
    struct faulty_disk *disk;
    struct embedded *store;
    struct identity *identity; /* the hubs' */
    struct tls_config *tls;
    struct hub_shared shared;
    struct hub hubs[SCENE_HUBS];
    struct scene_person people[SCENE_PEOPLE];
    uint64_t ns;
    bool log_rests, hashing_rests; /* until the test says otherwise */
    struct job *jobs[SCENE_JOBS];  /* while hashing rests */
    size_t job_count, hashed;
};

/* scene_close frees it; nothing of the connections may be left then. */
struct scene *scene_open(void);
void scene_close(struct scene *s);

/* The hubs end, and others begin on the same store: nobody is connected. */
void scene_restart(struct scene *s);

/* Until nothing is on its way any more; now, or that much later. */
void scene_settle(struct scene *s);
void scene_wait_ms(struct scene *s, uint64_t ms);

void scene_run_job(struct scene *s, struct job *job);

/* Who connects to a hub, from 10.0.0.WHO. */
struct connection *scene_accept(struct scene *s, size_t who, size_t hub,
                                enum access_origin origin);

/* The same from another machine, over TLS, with the device of that seed; 0: with none. */
void scene_accept_tls(struct scene *s, size_t who, size_t hub, uint8_t device);

/* He says it, and everything settles. */
void scene_say(struct scene *s, size_t who, const char *what);

/* That and no more is what he was told; it is forgotten. */
void scene_expect(struct scene *s, size_t who, const char *want);
void scene_forget_all(struct scene *s);

#endif
