#ifndef KITH_TRANSFERSIM_WORLD_H
#define KITH_TRANSFERSIM_WORLD_H

/* One transfer under a seed: a source that changes, vanishes and fails, an inbox that fails,
 * rots and loses power, connections that are cut, and messages that come twice or late. A while
 * later nothing of that happens any more, and the transfer must end.
 *
 * What must hold: whatever is published is, file by file, one version of the source; DONE is
 * said of no less than all; what was kept is not sent again; nobody takes the other for broken
 * who is not. */

#include <stdbool.h>
#include <stdint.h>

struct world_tally {
    uint64_t connections, published, dropped, asked_again, refused;
};

/* Tells what went wrong, with the seed, and ends the process with 1. */
void world_play(uint64_t seed, bool verbose, struct world_tally *tally);

#endif
