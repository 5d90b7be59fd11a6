#include "hub/growth.h"

#include "hub/hub.h"

#include <errno.h>
#include <stdlib.h>

struct growth {
    struct job job;
    struct growth_plan plan;
    uint64_t version; /* of the old value; 0: there was none */
    struct bytes old;
    struct blob *sources[2]; /* in which old value and part lie */
    struct blob *made;       /* NULL: not yet, or memory was out */
    struct blob_garbage *garbage;
};

static struct growth *growth_of(struct job *job)
{
    return (struct growth *)(void *)job; /* its first member */
}

static void forget(struct growth *g)
{
    blob_unref(g->sources[0]);
    blob_unref(g->sources[1]);
    blob_unref(g->made);
    g->sources[0] = g->sources[1] = g->made = NULL;
}

static void make(struct growth *g)
{
    const struct growth_plan *p = &g->plan;
    uint8_t *memory = malloc(p->len);
    if (!memory)
        return;
    memcpy(memory, g->old.data, g->old.len);
    memset(memory + g->old.len, 0, p->len - g->old.len);
    memcpy(memory + p->offset, p->part.data, p->part.len);
    g->made = blob_new(memory, p->len, g->garbage);
    if (!g->made)
        free(memory);
}

static void growth_job_run(struct job *job, bool last)
{
    struct growth *g = growth_of(job);
    if (last)
        forget(g);
    else
        make(g);
}

static void growth_job_free(struct job *job)
{
    free(growth_of(job));
}

/* The bytes as they are to be had while the job is done: in their blob, or one made of them. */
static struct blob *keep(struct bytes *bytes, struct blob *blob)
{
    if (blob)
        return blob_ref(blob);
    struct blob *copy = blob_copy(*bytes, NULL);
    if (copy)
        *bytes = bytes_make(copy->memory, bytes->len);
    return copy;
}

static int begin(struct growth *g, const struct call *call, const struct store_value *old,
                 const struct growth_plan *plan)
{
    g->plan = *plan;
    g->version = old->version;
    g->old = old->bytes;
    g->sources[0] = keep(&g->old, old->blob);
    g->sources[1] = keep(&g->plan.part, plan->part_blob);
    if (!g->sources[0] || !g->sources[1])
        return -ENOMEM;
    job_ask(&g->job, call->connection);
    return GROWTH_BEGUN;
}

static struct growth *growth_new(struct blob_garbage *garbage)
{
    struct growth *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->job = (struct job){.run = growth_job_run, .free = growth_job_free};
    g->garbage = garbage;
    return g;
}

int growth_take(struct call *call, const struct store_value *old,
                const struct growth_plan *plan, struct blob **ret)
{
    struct connection_extra *extra = connection_extra(call->connection);
    if (extra && !extra->growth)
        extra->growth = growth_new(&call->connection->hub->shared->garbage);
    if (!extra || !extra->growth)
        return -ENOMEM;
    struct growth *g = extra->growth;
    bool was_made = g->sources[0] != NULL;
    if (was_made && !g->made)
        return -ENOMEM;
    if (was_made && g->version == old->version) {
        *ret = g->made;
        return 0;
    }
    forget(g);
    return begin(g, call, old, plan);
}

void growth_end(struct growth *g)
{
    if (g)
        job_leave(&g->job);
}
