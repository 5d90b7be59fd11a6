#include "world.h"

#include "support/seeds.h"

#include <stdio.h>
#include <stdlib.h>

/* --returns measures how long two are apart where only one has noticed. */
enum { RETURN_MS_MAX = 9000 };

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int measure_returns(uint64_t first, uint64_t seeds, bool verbose)
{
    uint64_t *ms = calloc(seeds, sizeof *ms);
    if (!ms)
        abort();
    for (uint64_t i = 0; i < seeds; i++)
        ms[i] = world_measure_return(first + i, verbose);
    qsort(ms, seeds, sizeof *ms, compare);
    uint64_t most = ms[seeds - 1];
    printf("seeds: %llu, apart for %llu ms in the median, %llu ms at most\n",
           (unsigned long long)seeds, (unsigned long long)ms[seeds / 2],
           (unsigned long long)most);
    free(ms);
    return most <= RETURN_MS_MAX ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct seeds o = {.first = 1, .count = 200, .other = "--returns"};
    uint64_t messages = 0, switches = 0;
    if (!seeds_parse(&o, argc, argv))
        return 2;
    if (o.has_other && o.count > 0)
        return measure_returns(o.first, o.count, o.verbose);
    for (uint64_t i = 0; i < o.count; i++)
        messages += world_play(o.first + i, o.verbose, &switches);
    printf("seeds: %llu, messages: %llu, changes of path: %llu\n", (unsigned long long)o.count,
           (unsigned long long)messages, (unsigned long long)switches);
    return messages > 0 && switches > 0 ? 0 : 1;
}
