#ifndef KITH_HUB_GROWTH_H
#define KITH_HUB_GROWTH_H

/* A large value that is made of another one: a copy of it, longer perhaps, with something
 * written into it. The copy is made by a thread that may wait (hub/job.h), so that nobody else
 * waits for it; then the command runs again, and puts it if the old value is still the same
 * one.
 *
 *   apply, with the old value   growth_take: GROWTH_BEGUN, return COMMAND_WAITS
 *   command_apply               returns COMMAND_AGAIN_JOB
 *   apply, again                growth_take: 0 with the new value, or GROWTH_BEGUN anew
 *
 * A connection makes one at a time; growth_end when the command is over. */

#include "hub/command.h"
#include "hub/job.h"

enum { GROWTH_BEGUN = 1 };

/* What the new value is: the old one, zeros up to len where that is shorter, and part at an
 * offset. offset + part.len is at most len. */
struct growth_plan {
    size_t len, offset;
    struct bytes part;
    struct blob *part_blob; /* in which the part lies; NULL: in none */
};

struct growth;

/* Under the store's locks. 0: *ret is the new value's blob, which stays the connection's.
 * GROWTH_BEGUN: it is being made. -ENOMEM. */
int growth_take(struct call *call, const struct store_value *old,
                const struct growth_plan *plan, struct blob **ret);

/* The command is over, or its connection goes: what is left of it is freed by such a thread,
 * too. Takes NULL. */
void growth_end(struct growth *g);

#endif
