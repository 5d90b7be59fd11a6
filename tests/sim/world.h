#ifndef KITH_TESTS_SIM_WORLD_H
#define KITH_TESTS_SIM_WORLD_H

/* A world under one seed and a virtual clock, on one thread: several workers' hubs over one
 * embedded store on a faulty disk, and clients. Whatever takes time elsewhere (a write, a sync,
 * a new segment, a piece of a checkpoint, the news that the log has moved, the answer to who
 * somebody is) happens here as a step of its own, when the seed says so. Hubs are killed, lose
 * their power, fail to sync, are stopped in good order; then they start again from what is
 * left.
 *
 * Checked all the time:
 *   - each reply is the right one, in order, and not before its time (client.h, model.h);
 *   - when it leaves, what it tells of is on disk: by what was really synced, and now and then
 *     by cutting the power of a copy and recovering it;
 *   - what is recovered is the table as it was after some mutation, none before the last that
 *     anybody was told of;
 *   - connections close for a reason, and owe nothing then; unread replies are bounded;
 *   - what has expired is gone for good, at its moment, and is swept without anybody asking;
 *   - the log's time never goes back;
 *   - who follows the table is told each change, once, in order, and none before it is on disk;
 *     who listens to a channel, each message;
 *   - when nothing moves any more, every request has been answered, and nothing waits;
 *   - a stop ends, and loses nothing. */

#include "client.h"
#include "witness.h"

#include "hub/hub.h"
#include "store/embedded.h"
#include "support/faulty_disk.h"

enum { WORLD_HUBS_MAX = 4, WORLD_CLIENTS = 12 };

enum world_log { LOG_SLEEPS, LOG_AWAKE, LOG_TAKEN, LOG_WRITTEN, LOG_SYNCED };

/* A worker: its hub, and what has not reached it yet. */
struct world_worker {
    struct hub hub;
    bool log_moved, stop, mail; /* news on their way */
    bool stopped;
    struct model_push *pushes; /* in its mail */
    size_t push_count, push_capacity;
};

struct world {
    struct trace trace;
    uint64_t random;
    struct model model;
    struct hub_shared shared;
    struct embedded_config store_config;
    struct embedded *store;
    struct witness witness;
    struct faulty_disk *disk;
    struct world_worker workers[WORLD_HUBS_MAX];
    size_t worker_count;
    struct client *clients[WORLD_CLIENTS]; /* NULL: a free place */
    uint32_t tags;
    int64_t wall_ms; /* the wall clock at instant 0 */
    bool stopping;   /* somebody or the seed has asked for it */
    uint64_t stop_step;

    enum world_log log;
    struct wal_chunk chunk;
    struct disk_file *chunk_file;
    struct instant log_deadline;
    bool segment_awake;
    struct instant segment_deadline;
    bool upkeep_awake;
    struct instant upkeep_deadline;
    uint64_t synced; /* everything up to this mutation is on disk, by the disk's word */
    bool disk_full;
    bool log_failed;  /* a write or sync was made to fail */
    uint64_t doom_in; /* changes of the disk until it is caught as it is; 0: it is not */
    struct faulty_disk *caught;
};

/* Plays one seed. Returns how many steps it took. */
uint64_t world_play(uint64_t seed, uint64_t steps, bool verbose);

#endif
