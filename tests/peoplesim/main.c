#include "town.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: peoplesim [--first N] [--seeds N] [--seed S] [--steps N] "
                            "[--verbose]\n"
                            "Plays seeds, one after the other; the first that goes wrong is "
                            "told and ends it.\n";

struct options {
    uint64_t first, seeds, steps;
    bool verbose;
};

static bool parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            o->verbose = true;
            continue;
        }
        if (i + 1 == argc)
            return false;
        uint64_t n = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--first") == 0)
            o->first = n;
        else if (strcmp(argv[i], "--seeds") == 0)
            o->seeds = n;
        else if (strcmp(argv[i], "--steps") == 0)
            o->steps = n;
        else if (strcmp(argv[i], "--seed") == 0)
            o->first = n, o->seeds = 1;
        else
            return false;
        i++;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {.first = 1, .seeds = 300, .steps = 1000};
    if (!parse(&o, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    /* Each seed takes and gives back the same megabytes: they are kept. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    for (uint64_t i = 0; i < o.seeds; i++)
        town_play(o.first + i, o.steps, o.verbose);
    printf("seeds: %llu\n", (unsigned long long)o.seeds);
    return 0;
}
