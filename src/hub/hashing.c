#include "hub/hashing.h"

#include "hub/hub.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

static struct hashing *hashing_of(struct job *job)
{
    return (struct hashing *)(void *)job; /* its first member */
}

static size_t text_bytes(const struct hashing *h)
{
    return h->plan.given.len + h->plan.chosen.len;
}

/* ---- on a thread that may wait ---- */

/* Whoever waits is on one worker or another: all of them look. */
static void leave_place(struct hub_shared *shared)
{
    atomic_fetch_sub(&shared->hashing.going, 1);
    if (atomic_load(&shared->hashing.waiting) == 0)
        return;
    for (size_t i = 0; i < atomic_load(&shared->exchange.box_count); i++)
        exchange_wake(&shared->exchange, i);
}

static void run(struct job *job, bool last)
{
    struct hashing *h = hashing_of(job);
    if (h->done)
        return;
    if (!last && h->plan.checks)
        h->result = password_check(&h->plan.kept, h->plan.given, &h->right);
    if (!last && h->plan.makes && h->result == 0 && (h->right || !h->plan.checks))
        h->result = password_make(&h->plan.fresh, h->plan.chosen);
    h->done = true;
    leave_place(h->job.hub->shared);
}

static void free_hashing(struct job *job)
{
    struct hashing *h = hashing_of(job);
    sodium_memzero(h->text, text_bytes(h));
    free(h);
}

/* ---- places ---- */

static bool take_place(struct hub *hub)
{
    struct hub_hashings *s = &hub->shared->hashing;
    size_t going = atomic_load(&s->going);
    while (going < LIMIT_HASHES)
        if (atomic_compare_exchange_weak(&s->going, &going, going + 1))
            return true;
    return false;
}

/* It no longer waits. */
static void leave_queue(struct hashing *h)
{
    list_remove(&h->wait_link);
    atomic_fetch_sub(&h->job.hub->shared->hashing.waiting, 1);
}

void hashing_go_on(struct hub *hub)
{
    while (!list_is_empty(&hub->hashings) && take_place(hub)) {
        struct hashing *h = list_entry(hub->hashings.next, struct hashing, wait_link);
        leave_queue(h);
        job_ask(&h->job, h->job.connection);
    }
}

/* Counted first and then looked once more: a place that was left in between is seen here, or
 * who left it saw that somebody waits. */
static bool wait_for_place(struct hub *hub, struct hashing *h)
{
    if (atomic_fetch_add(&hub->shared->hashing.waiting, 1) >= LIMIT_HASHES_WAITING) {
        atomic_fetch_sub(&hub->shared->hashing.waiting, 1);
        return false;
    }
    list_append(&hub->hashings, &h->wait_link);
    hashing_go_on(hub);
    return true;
}

/* ---- for commands ---- */

static struct hashing *hashing_new(struct call *call, const struct hashing_plan *plan)
{
    size_t given = plan->given.len, chosen = plan->chosen.len;
    struct hashing *h = calloc(1, sizeof *h + given + chosen);
    if (!h)
        return NULL;
    h->job = (struct job){
        .run = run, .free = free_hashing, .hub = call->hub, .connection = call->connection};
    h->plan = *plan;
    if (given)
        memcpy(h->text, plan->given.data, given);
    if (chosen)
        memcpy(h->text + given, plan->chosen.data, chosen);
    h->plan.given = bytes_make(h->text, given);
    h->plan.chosen = bytes_make(h->text + given, chosen);
    return h;
}

int hashing_begin(struct call *call, const struct hashing_plan *plan, uint64_t tag)
{
    struct connection_extra *extra = connection_extra(call->connection);
    struct hashing *h = extra ? hashing_new(call, plan) : NULL;
    if (!h)
        return command_store_failed(call, -ENOMEM);
    h->tag = tag;
    if (!wait_for_place(call->hub, h)) {
        free_hashing(&h->job);
        return command_error(call, "TRYAGAIN", "too many log in at this moment: try again");
    }
    extra->hashing = h;
    return COMMAND_AGAIN_JOB;
}

const struct hashing *hashing_result(const struct connection *c)
{
    const struct hashing *h = c->extra ? c->extra->hashing : NULL;
    return h && h->done ? h : NULL;
}

void hashing_made_change(struct connection *c, uint64_t lsn)
{
    c->extra->hashing->lsn = lsn;
}

void hashing_end(struct connection *c)
{
    struct hashing *h = c->extra ? c->extra->hashing : NULL;
    if (!h)
        return;
    free_hashing(&h->job);
    c->extra->hashing = NULL;
}

void hashing_leave(struct hashing *h)
{
    if (!h)
        return;
    if (list_is_linked(&h->wait_link)) {
        leave_queue(h);
        free_hashing(&h->job);
    } else if (h->done && h->job.state == JOB_RESTS) {
        free_hashing(&h->job);
    } else {
        job_leave(&h->job);
    }
}
