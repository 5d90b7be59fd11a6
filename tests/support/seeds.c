#include "support/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool take_number(struct seeds *s, const char *option, uint64_t n)
{
    if (strcmp(option, "--first") == 0)
        s->first = n;
    else if (strcmp(option, "--seeds") == 0)
        s->count = n;
    else if (strcmp(option, "--steps") == 0 && s->steps > 0)
        s->steps = n;
    else if (strcmp(option, "--seed") == 0)
        s->first = n, s->count = 1;
    else
        return false;
    return true;
}

static bool parse(struct seeds *s, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            s->verbose = true;
        else if (s->other && strcmp(argv[i], s->other) == 0)
            s->has_other = true;
        else if (i + 1 == argc || !take_number(s, argv[i], strtoull(argv[i + 1], NULL, 10)))
            return false;
        else
            i++;
    }
    return true;
}

bool seeds_parse(struct seeds *s, int argc, char **argv)
{
    bool has_steps = s->steps > 0;
    if (parse(s, argc, argv))
        return true;
    fprintf(
        stderr,
        "usage: %s [--first N] [--seeds N] [--seed S]%s%s%s%s [--verbose]\n"
        "Plays seeds, one after the other; the first that goes wrong is told and ends it.\n",
        argv[0], has_steps ? " [--steps N]" : "", s->other ? " [" : "",
        s->other ? s->other : "", s->other ? "]" : "");
    return false;
}
