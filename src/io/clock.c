#include "io/clock.h"

#include <time.h>

struct instant clock_instant(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct instant){(uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec};
}

struct walltime clock_walltime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (struct walltime){(int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000};
}
