#include "hub/job.h"

#include "hub/hub.h"

#include <assert.h>

void job_ask(struct job *j, struct connection *c)
{
    assert(j->state == JOB_RESTS);
    j->hub = c->hub;
    j->connection = c;
    j->state = JOB_ASKED;
    list_append(&j->hub->jobs, &j->link);
}

void job_begin(struct job *j)
{
    j->state = JOB_RUNS;
    j->last = j->connection == NULL;
}

void job_leave(struct job *j)
{
    if (!j)
        return;
    j->connection = NULL;
    if (j->state != JOB_RESTS)
        return;
    if (!j->hub) {
        job_end(j); /* it was never asked: nothing in it takes time */
        return;
    }
    j->state = JOB_ASKED;
    list_append(&j->hub->jobs, &j->link);
}

void job_done(struct job *j)
{
    j->state = JOB_RESTS;
    if (j->connection)
        connection_job_done(j->connection);
    else if (j->last)
        j->free(j);
    else
        job_leave(j);
}

void job_end(struct job *j)
{
    j->run(j, true);
    j->free(j);
}
