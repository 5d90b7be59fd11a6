#ifndef KITH_TESTS_SEEDS_H
#define KITH_TESTS_SEEDS_H

/* The command line of a simulation:
 *
 *     NAME [--first N] [--seeds N] [--seed S] [--steps N] [--verbose] [OTHER]
 *
 * Seeds are played one after the other; --seed plays one. */

#include <stdbool.h>
#include <stdint.h>

struct seeds {
    uint64_t first, count;
    uint64_t steps; /* of each; 0 from the caller: there is no such option */
    bool verbose;
    const char *other; /* a switch of the simulation's own, as "--returns"; NULL: none */
    bool has_other;
};

/* What stands there takes the place of what the caller has set. False where it cannot be
 * understood, which was said. */
bool seeds_parse(struct seeds *s, int argc, char **argv);

#endif
