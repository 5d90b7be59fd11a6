#include "town.h"

#include "support/seeds.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct seeds o = {.first = 1, .count = 300, .steps = 1000};
    if (!seeds_parse(&o, argc, argv))
        return 2;
    /* Each seed takes and gives back the same megabytes: they are kept. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    for (uint64_t i = 0; i < o.count; i++)
        town_play(o.first + i, o.steps, o.verbose);
    printf("seeds: %llu\n", (unsigned long long)o.count);
    return 0;
}
