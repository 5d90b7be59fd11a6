#ifndef KITH_KITHD_WORKER_H
#define KITH_KITHD_WORKER_H

/* A worker: a thread with a libuv loop and a hub's mind (hub/hub.h). It accepts from the shared
 * listeners, feeds what arrives, and writes each connection once a turn, after everything that
 * came in this turn has been executed. */

#include "hub/hub.h"
#include "io/listener.h"
#include "io/log_file.h"
#include "kithd/committer.h"

struct worker_config {
    struct hub_shared *shared;
    const struct listener *listeners;
    const bool *replies_full; /* of each listener */
    size_t listener_count;
    int backlog;
    int descriptors_max; /* see link.h */
    bool one_at_a_time;
    struct committer *committer;
    struct log_file *log;
    void (*stop_wanted)(void *ctx); /* somebody who may has said QUIT; on the worker's thread */
    void (*ended)(void *ctx);       /* the worker's thread is at its end; called on it */
    void *ctx;
};

struct worker;

/* Starts a worker; all of config must outlive it. -errno. */
int worker_start(struct worker **ret, const struct worker_config *config);

/* The store's log has moved. Any thread; cheap where nobody here waits for what is durable now.
 */
void worker_log_moved(struct worker *w);

/* Stop in good order: what is owed leaves first, for at most LIMIT_STOP_MS. Any thread. */
void worker_stop(struct worker *w);

/* Stop at once: nothing leaves any more. Any thread. */
void worker_abort(struct worker *w);

/* Waits for the thread's end. Until it is freed, the functions above may still be called. */
void worker_join(struct worker *w);
void worker_free(struct worker *w);

#endif
