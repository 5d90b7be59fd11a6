#include "world.h"

#include "support/seeds.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct seeds o = {.first = 1, .count = 1000};
    struct world_tally t = {0};
    if (!seeds_parse(&o, argc, argv))
        return 2;
    for (uint64_t i = 0; i < o.count; i++)
        world_play(o.first + i, o.verbose, &t);
    printf("seeds: %llu, connections: %llu, published: %llu, dropped: %llu, asked again: %llu, "
           "refused: %llu\n",
           (unsigned long long)o.count, (unsigned long long)t.connections,
           (unsigned long long)t.published, (unsigned long long)t.dropped,
           (unsigned long long)t.asked_again, (unsigned long long)t.refused);
    return 0;
}
