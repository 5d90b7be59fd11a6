#include "kithd/committer.h"

#include "io/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* A thread that works in steps, and sleeps until it is woken or a deadline. */
struct committer_thread {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool woken, ending;
};

struct committer {
    struct embedded *store;
    committer_fn fn;
    void *ctx;
    atomic_uint_fast64_t moves;
    struct committer_thread log, segments;
};

static int thread_init(struct committer_thread *t)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int r = pthread_cond_init(&t->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&t->mutex, NULL);
    return -r;
}

static void thread_fini(struct committer_thread *t)
{
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->mutex);
}

static void thread_wake(struct committer_thread *t, bool ending)
{
    pthread_mutex_lock(&t->mutex);
    t->woken = true;
    t->ending |= ending;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->mutex);
}

/* False when the thread is to end. */
static bool thread_sleep(struct committer_thread *t, struct instant until)
{
    pthread_mutex_lock(&t->mutex);
    struct timespec at = {.tv_sec = (time_t)(until.ns / 1000000000u),
                          .tv_nsec = (long)(until.ns % 1000000000u)};
    int r = 0;
    while (!t->woken && !t->ending && r == 0)
        r = until.ns == INSTANT_NEVER.ns ? pthread_cond_wait(&t->wake, &t->mutex)
                                         : pthread_cond_timedwait(&t->wake, &t->mutex, &at);
    t->woken = false;
    bool ending = t->ending;
    pthread_mutex_unlock(&t->mutex);
    return !ending;
}

static void announce_move(struct committer *c)
{
    atomic_fetch_add(&c->moves, 1);
    c->fn(c->ctx, COMMITTER_MOVED, 0);
}

static void *run_log(void *arg)
{
    struct committer *c = arg;
    for (;;) {
        struct instant deadline = INSTANT_NEVER;
        int r = embedded_log_step(c->store, clock_instant(), &deadline);
        if (r < 0) {
            c->fn(c->ctx, COMMITTER_FAILED, r);
            return NULL;
        }
        if (r == 0)
            announce_move(c);
        if (wal_state(embedded_wal(c->store)) == WAL_CLOSED)
            return NULL;
        if (embedded_segment_wanted(c->store))
            thread_wake(&c->segments, false);
        if (r == EMBEDDED_IDLE)
            thread_sleep(&c->log, deadline);
    }
}

static void *run_segments(void *arg)
{
    struct committer *c = arg;
    int last_error = 0;
    for (;;) {
        struct instant deadline = INSTANT_NEVER;
        int r = embedded_segment_step(c->store, clock_instant(), &deadline);
        if (r < 0 && r != last_error)
            c->fn(c->ctx, COMMITTER_FULL, r);
        /* Who waited for room is told of a failure, too: writes are refused from now on. */
        if (r != EMBEDDED_IDLE) {
            last_error = r;
            announce_move(c);
        } else if (!thread_sleep(&c->segments, deadline)) {
            return NULL;
        }
    }
}

int committer_start(struct committer **ret, struct embedded *store, committer_fn fn, void *ctx)
{
    struct committer *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->store = store;
    c->fn = fn;
    c->ctx = ctx;
    int r = thread_init(&c->log);
    if (r < 0)
        goto no_log;
    r = thread_init(&c->segments);
    if (r < 0)
        goto no_segments;
    r = -pthread_create(&c->segments.thread, NULL, run_segments, c);
    if (r < 0)
        goto no_thread;
    r = -pthread_create(&c->log.thread, NULL, run_log, c);
    if (r < 0)
        goto no_log_thread;
    *ret = c;
    return 0;
no_log_thread:
    thread_wake(&c->segments, true);
    pthread_join(c->segments.thread, NULL);
no_thread:
    thread_fini(&c->segments);
no_segments:
    thread_fini(&c->log);
no_log:
    free(c);
    return r;
}

void committer_wake(struct committer *c)
{
    if (embedded_log_wanted(c->store))
        thread_wake(&c->log, false);
    if (embedded_segment_wanted(c->store))
        thread_wake(&c->segments, false);
}

uint64_t committer_moves(const struct committer *c)
{
    return atomic_load(&c->moves);
}

int committer_finish(struct committer *c)
{
    embedded_close(c->store, clock_walltime());
    thread_wake(&c->log, false);
    pthread_join(c->log.thread, NULL);
    thread_wake(&c->segments, true);
    pthread_join(c->segments.thread, NULL);
    thread_fini(&c->log);
    thread_fini(&c->segments);
    int error = wal_error(embedded_wal(c->store));
    free(c);
    return error;
}
