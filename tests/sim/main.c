#include "world.h"

#include "support/seeds.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct seeds o = {.first = 1, .count = 1500, .steps = 3000};
    if (!seeds_parse(&o, argc, argv))
        return 2;
    uint64_t steps = 0;
    for (uint64_t i = 0; i < o.count; i++)
        steps += world_play(o.first + i, o.steps, o.verbose);
    printf("seeds: %llu, steps: %llu\n", (unsigned long long)o.count,
           (unsigned long long)steps);
    return 0;
}
