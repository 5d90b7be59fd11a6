#include "kithd/committer.h"

#include "base/steady_time.h"
#include "io/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
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
    unsigned workers;
    atomic_uint turns; /* of workers, under way */
    struct committer_thread log, segments, upkeep;
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

/* The signal comes last: on one processor the thread may run at once, and shall not find the
 * mutex taken. */
static void thread_wake(struct committer_thread *t, bool ending)
{
    pthread_mutex_lock(&t->mutex);
    t->woken = true;
    t->ending |= ending;
    pthread_mutex_unlock(&t->mutex);
    pthread_cond_signal(&t->wake);
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

/* Where workers wait for this processor, they run first: what they append meanwhile goes to
 * disk in one sync instead of two. Where they have processors of their own, this costs nothing.
 */
static void announce_and_give_way(struct committer *c)
{
    announce_move(c);
    sched_yield();
}

/* Of several workers each appends a part of what could be one sync. Those that have begun end
 * their turns first; the first end wakes this thread. A single one has run already. */
static void wait_for_turns(struct committer *c)
{
    enum { WAIT_MS = 1 };
    if (c->workers > 1 && atomic_load(&c->turns) > 0)
        thread_sleep(&c->log, instant_after_ms(clock_instant(), WAIT_MS));
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
        if (r == 0) {
            announce_and_give_way(c);
            wait_for_turns(c);
        }
        if (wal_state(embedded_wal(c->store)) == WAL_CLOSED)
            return NULL;
        if (embedded_segment_wanted(c->store))
            thread_wake(&c->segments, false);
        if (embedded_upkeep_wanted(c->store))
            thread_wake(&c->upkeep, false);
        if (r == EMBEDDED_IDLE)
            thread_sleep(&c->log, deadline);
    }
}

/* What nobody waits for gives way to what somebody does. A thread's own, on Linux; where it may
 * not be, nothing is lost. */
static void give_way(void)
{
    enum { NICE = 19 };
    setpriority(PRIO_PROCESS, 0, NICE);
}

static void *run_segments(void *arg)
{
    struct committer *c = arg;
    give_way();
    int last_error = 0;
    for (;;) {
        struct instant deadline = INSTANT_NEVER;
        int r = embedded_segment_step(c->store, clock_instant(), &deadline);
        if (r < 0 && r != last_error)
            c->fn(c->ctx, COMMITTER_STUCK, r);
        if (r == 0 && last_error < 0)
            c->fn(c->ctx, COMMITTER_UNSTUCK, last_error);
        /* Who waited for room is told of a failure, too: writes are refused from now on. */
        if (r != EMBEDDED_IDLE) {
            last_error = r;
            announce_move(c);
        } else if (!thread_sleep(&c->segments, deadline)) {
            return NULL;
        }
    }
}

/* As long as a step took, the thread rests: there are others who want the processor, and the
 * locks. */
static bool rest_after_step(struct committer *c, struct instant begun)
{
    enum { REST_NS_MIN = 50 * 1000 };
    struct instant now = clock_instant();
    uint64_t ns = now.ns - begun.ns;
    return thread_sleep(&c->upkeep,
                        (struct instant){now.ns + (ns > REST_NS_MIN ? ns : REST_NS_MIN)});
}

static void *run_upkeep(void *arg)
{
    struct committer *c = arg;
    give_way();
    int last_error = 0;
    struct steady_time time = {0};
    for (;;) {
        struct instant deadline, now = clock_instant();
        struct walltime wall = store_time(embedded_store(c->store), clock_walltime());
        wall = steady_time_go(&time, now, wall);
        int r = embedded_upkeep_step(c->store, now, wall, &deadline);
        if (r < 0 && r != last_error)
            c->fn(c->ctx, COMMITTER_UNSAVED, r);
        if (r <= 0)
            last_error = r;
        committer_wake(c); /* what was swept belongs on disk, also where nobody else writes */
        bool goes_on = r == 0 ? rest_after_step(c, now) : thread_sleep(&c->upkeep, deadline);
        if (!goes_on)
            return NULL;
    }
}

static int begin_thread(struct committer_thread *t, void *(*run)(void *), struct committer *c)
{
    int r = thread_init(t);
    if (r < 0)
        return r;
    r = -pthread_create(&t->thread, NULL, run, c);
    if (r < 0)
        thread_fini(t);
    return r;
}

static void end_thread(struct committer_thread *t)
{
    thread_wake(t, true);
    pthread_join(t->thread, NULL);
    thread_fini(t);
}

int committer_start(struct committer **ret, struct embedded *store, unsigned workers,
                    committer_fn fn, void *ctx)
{
    struct committer *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->store = store;
    c->workers = workers;
    c->fn = fn;
    c->ctx = ctx;
    int r = thread_init(&c->log); /* the others wake it */
    if (r < 0)
        goto no_log;
    r = begin_thread(&c->segments, run_segments, c);
    if (r < 0)
        goto no_segments;
    r = begin_thread(&c->upkeep, run_upkeep, c);
    if (r < 0)
        goto no_upkeep;
    r = -pthread_create(&c->log.thread, NULL, run_log, c);
    if (r < 0)
        goto not_begun;
    *ret = c;
    return 0;
not_begun:
    end_thread(&c->upkeep);
no_upkeep:
    end_thread(&c->segments);
no_segments:
    thread_fini(&c->log);
no_log:
    free(c);
    return r;
}

void committer_begin_turn(struct committer *c)
{
    atomic_fetch_add(&c->turns, 1);
}

void committer_end_turn(struct committer *c)
{
    atomic_fetch_sub(&c->turns, 1);
    committer_wake(c);
}

void committer_wake(struct committer *c)
{
    if (embedded_log_wanted(c->store))
        thread_wake(&c->log, false);
    if (embedded_segment_wanted(c->store))
        thread_wake(&c->segments, false);
    if (embedded_upkeep_wanted(c->store))
        thread_wake(&c->upkeep, false);
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
    end_thread(&c->upkeep);
    end_thread(&c->segments);
    thread_fini(&c->log);
    int unsaved = embedded_finish(c->store, clock_walltime());
    if (unsaved < 0)
        c->fn(c->ctx, COMMITTER_UNSAVED, unsaved);
    int error = wal_error(embedded_wal(c->store));
    free(c);
    return error;
}
