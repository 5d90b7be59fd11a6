#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: peersim [--first N] [--seeds N] [--seed S] [--returns] [--verbose]\n"
    "Plays seeds, one after the other; the first that goes wrong is told and ends it.\n"
    "--returns measures instead how long two are apart where only one has noticed.\n";

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
    uint64_t first = 1, seeds = 200, messages = 0, switches = 0;
    bool verbose = false, returns = false;
    for (int i = 1; i < argc; i++) {
        bool has_number = i + 1 < argc;
        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "--returns") == 0) {
            returns = true;
        } else if (has_number && strcmp(argv[i], "--first") == 0) {
            first = strtoull(argv[++i], NULL, 10);
        } else if (has_number && strcmp(argv[i], "--seeds") == 0) {
            seeds = strtoull(argv[++i], NULL, 10);
        } else if (has_number && strcmp(argv[i], "--seed") == 0) {
            first = strtoull(argv[++i], NULL, 10);
            seeds = 1;
        } else {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (returns && seeds > 0)
        return measure_returns(first, seeds, verbose);
    for (uint64_t i = 0; i < seeds; i++)
        messages += world_play(first + i, verbose, &switches);
    printf("seeds: %llu, messages: %llu, changes of path: %llu\n", (unsigned long long)seeds,
           (unsigned long long)messages, (unsigned long long)switches);
    return messages > 0 && switches > 0 ? 0 : 1;
}
