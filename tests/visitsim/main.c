#include "world.h"

#include "support/seeds.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

/* A key costs more than much of a seed: each device has the same in all of them. */
static void make_identities(struct identity **identities, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t seed[IDENTITY_SEED_BYTES];
        world_write_seed(i, seed);
        if (identity_new(&identities[i], seed, NULL, 0) != 0)
            abort();
    }
}

enum { WARM_UP = 100, GROWTH_BYTES = 128 * 1024 };

/* What a seed takes it gives back; what malloc itself puts aside no longer grows after some. */
static void check_memory(const struct seeds *o, uint64_t played, size_t *at_first)
{
    struct trace trace = {.seed = o->first + played};
    size_t now = mallinfo2().uordblks;
    if (played == WARM_UP)
        *at_first = now;
    trace_check(&trace, played <= WARM_UP || now < *at_first + GROWTH_BYTES,
                "%zu bytes more are taken than after %d seeds", now - *at_first, WARM_UP);
}

int main(int argc, char **argv)
{
    struct seeds o = {.first = 1, .count = 300};
    struct identity *identities[WORLD_KEYS];
    struct world_counts counts = {0};
    size_t at_first = 0;
    if (!seeds_parse(&o, argc, argv))
        return 2;
    /* Each seed takes and gives back the same megabytes: they are kept. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    make_identities(identities, WORLD_KEYS);
    for (uint64_t i = 0; i < o.count; i++) {
        world_play(o.first + i, o.verbose, identities, &counts);
        check_memory(&o, i, &at_first);
    }
    printf("seeds: %llu, steps: %llu, talks: %llu, texts: %llu, changes of path: %llu, "
           "letters: %llu, compared: %llu, lies: %llu\n",
           (unsigned long long)o.count, (unsigned long long)counts.steps,
           (unsigned long long)counts.talks, (unsigned long long)counts.texts,
           (unsigned long long)counts.switches, (unsigned long long)counts.letters,
           (unsigned long long)counts.compared, (unsigned long long)counts.lies);
    for (size_t i = 0; i < WORLD_KEYS; i++)
        identity_free(identities[i]);
    return 0;
}
