#ifndef KITH_TESTS_SIM_WORLD_INSIDE_H
#define KITH_TESTS_SIM_WORLD_INSIDE_H

/* What the parts of the world share. */

#include "world.h"

static inline uint64_t pick(struct world *w, uint64_t below)
{
    return faulty_random(&w->random) % below;
}

static inline bool chance(struct world *w, uint64_t of)
{
    return pick(w, of) == 0;
}

#define CHECK(w, ...) trace_check(&(w)->trace, __VA_ARGS__)
#define SAY(w, ...) trace_say(&(w)->trace, __VA_ARGS__)

static inline struct walltime wall(const struct world *w)
{
    return (struct walltime){w->wall_ms + (int64_t)(w->trace.now.ns / 1000000)};
}

/* world_hubs.c: a worker's turn; what its hub has run and what leaves it. A turn may go on:
 * what it brought waits then. */
void world_begin_turn(struct world *w, struct world_worker *worker);
void world_observe(struct world *w,
                   struct world_worker *worker); /* after each call of the hub */
void world_end_turn(struct world *w, struct world_worker *worker);
void world_maybe_end_turn(struct world *w, struct world_worker *worker);
void world_ask_to_stop(struct world *w, const char *who);
void world_forget(struct world *w, struct client *c);

/* world_clients.c: one of them does something; all read, and send what they have. */
void world_step_client(struct world *w);
bool world_settle_clients(struct world *w);

/* world_store.c: the store on its disk, and the threads behind it, whose steps are taken here.
 * What the log's thread does next, if it is awake: at times a whole step of its own, else piece
 * by piece. */
void world_log_step(struct world *w);
void world_wake_log(struct world *w); /* where its deadline has come */

/* What the segments' thread and the upkeep's do next. False: nothing yet. */
bool world_segment_step(struct world *w);
bool world_upkeep_step(struct world *w);

/* All that the store did has been told, and the model stands where the log stands. */
void world_check_log(struct world *w);

/* The wall clock jumps a little, or far. */
void world_jump_clock(struct world *w, bool far);

/* world_mail.c: changes and messages on their way to those who are told, worker by worker. */
void world_mail_begin(struct world_worker *worker);
void world_mail_end(struct world_worker *worker);
void world_post(struct world *w, const struct witness_change *changes, size_t n);
void world_post_message(struct world *w); /* where the request just run has published one */
void world_take_mail(struct world *w, struct world_worker *worker);

/* Somebody may have made work for these threads. */
void world_wake_threads(struct world *w);

void world_fill_disk(struct world *w); /* or makes room again */
void world_fail_disk(struct world *w); /* its next change, while the log is being written */
void world_lift_faults(struct world *w);
void world_replace_disk(struct world *w, struct faulty_disk *disk);
struct faulty_disk *world_cut_power(struct world *w, struct faulty_disk *disk);

/* Cuts the power of a copy, all lost that can be, and looks. */
void world_look_deeper(struct world *w);

/* Opens the store, caught at times by another crash while it recovers. */
void world_recover(struct world *w, bool in_good_order);

/* Its threads run until the log is closed, then it finishes. False: the disk was caught
 * meanwhile. */
bool world_close_store(struct world *w);

#endif
