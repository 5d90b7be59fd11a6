#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: peersim [--first N] [--seeds N] [--seed S] [--verbose]\n"
                            "Plays seeds, one after the other; the first that goes wrong is "
                            "told and ends it.\n";

int main(int argc, char **argv)
{
    uint64_t first = 1, seeds = 200, messages = 0, switches = 0;
    bool verbose = false;
    for (int i = 1; i < argc; i++) {
        bool has_number = i + 1 < argc;
        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = true;
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
    for (uint64_t i = 0; i < seeds; i++)
        messages += world_play(first + i, verbose, &switches);
    printf("seeds: %llu, messages: %llu, changes of path: %llu\n", (unsigned long long)seeds,
           (unsigned long long)messages, (unsigned long long)switches);
    return messages > 0 && switches > 0 ? 0 : 1;
}
