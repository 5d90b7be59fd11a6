#ifndef KITH_HUB_JOB_H
#define KITH_HUB_JOB_H

/* Work that takes time, for one connection, done by a thread that may wait.
 *
 *   a command        job_ask, and returns COMMAND_AGAIN_JOB: the connection rests
 *   the hub's caller HUB_EVENT_JOB -> job_run, on such a thread -> hub_job_done
 *   the same command is run again, finds its job in the connection's extra, and answers
 *
 * The job stays the connection's; it may be asked again. When the connection goes, it is run a
 * last time, to give back what takes time to give back, and then freed.
 *
 * States: RESTS -> ASKED -> RUNS -> RESTS, and from any of them, with the last run, freed. */

#include "base/list.h"

#include <stdbool.h>

struct connection;
struct hub;

enum job_state { JOB_RESTS, JOB_ASKED, JOB_RUNS };

struct job {
    /* On a thread that may wait: it touches what is the job's alone. last: nobody wants a
     * result any more. */
    void (*run)(struct job *j, bool last);
    void (*free)(struct job *j);
    struct hub *hub;               /* NULL: it has never been asked */
    struct connection *connection; /* NULL: it is gone */
    struct list link;              /* in hub.jobs, while ASKED */
    enum job_state state;
    bool last; /* as it was when the run began */
};

/* Wants the job to be run. It is at rest, and its run and free are set. */
void job_ask(struct job *j, struct connection *c);

/* The hub hands it out. */
void job_begin(struct job *j);

/* The hub's caller runs what HUB_EVENT_JOB gave him. Any thread. */
static inline void job_run(struct job *j)
{
    j->run(j, j->last);
}

/* Its connection goes. Takes NULL. */
void job_leave(struct job *j);

/* It has been run: a connection that waits goes on. */
void job_done(struct job *j);

/* The hub ends: runs it a last time, here, and frees it. */
void job_end(struct job *j);

#endif
