#include "world_inside.h"

#include <stdlib.h>

/* What workers are to tell those who want to be told. */

static void on_wake(void *ctx)
{
    struct world_worker *worker = ctx;
    worker->mail = true;
}

void world_mail_begin(struct world_worker *worker)
{
    worker->hub.mail.wake = on_wake;
    worker->hub.mail.ctx = worker;
}

void world_mail_end(struct world_worker *worker)
{
    for (size_t i = 0; i < worker->push_count; i++)
        model_push_fini(&worker->pushes[i]);
    free(worker->pushes);
    worker->pushes = NULL;
    worker->push_count = worker->push_capacity = 0;
}

/* Does anybody there want to be told of anything, and anybody at all of the table? */
static bool is_told_at(const struct world *w, size_t hub)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        if (w->clients[i] && w->clients[i]->hub == hub &&
            w->clients[i]->session.prefix_count + w->clients[i]->session.channel_count > 0)
            return true;
    return false;
}

static bool table_is_followed(const struct world *w)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        if (w->clients[i] && w->clients[i]->session.prefix_count > 0)
            return true;
    return false;
}

static struct model_push *add_push(struct world_worker *worker)
{
    if (worker->push_count == worker->push_capacity) {
        worker->push_capacity = worker->push_capacity ? 2 * worker->push_capacity : 16;
        worker->pushes =
            realloc(worker->pushes, worker->push_capacity * sizeof *worker->pushes);
        if (!worker->pushes)
            abort();
    }
    return &worker->pushes[worker->push_count++];
}

void world_post(struct world *w, const struct witness_change *changes, size_t n)
{
    for (size_t i = 0; i < n && table_is_followed(w); i++)
        for (size_t hub = 0; hub < w->worker_count; hub++)
            if (changes[i].space == STORE_USER && is_told_at(w, hub))
                model_push_init(add_push(&w->workers[hub]), &w->model, &changes[i]);
}

void world_post_message(struct world *w)
{
    for (size_t hub = 0; hub < w->worker_count && w->model.published; hub++)
        if (is_told_at(w, hub))
            model_push_init_message(add_push(&w->workers[hub]), &w->model);
}

static void tell(struct world *w, size_t hub, const struct model_push *push)
{
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        if (w->clients[i] && w->clients[i]->hub == hub)
            client_told(w->clients[i], push);
}

void world_take_mail(struct world *w, struct world_worker *worker)
{
    size_t hub = (size_t)(worker - w->workers);
    worker->mail = false;
    for (size_t i = 0; i < worker->push_count; i++)
        tell(w, hub, &worker->pushes[i]);
    world_mail_end(worker);
    hub_take_mail(&worker->hub);
}
