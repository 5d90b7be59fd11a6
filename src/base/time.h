#ifndef KITH_BASE_TIME_H
#define KITH_BASE_TIME_H

/* Time as types, so that the two clocks are never mixed up. Nothing below the io floor
 * reads a clock: time is always an argument. */

#include <stdint.h>

/* A moment of the monotonic clock: deadlines and durations. */
struct instant {
    uint64_t ns;
};

/* A moment of the wall clock, milliseconds since 1970-01-01 UTC: what is shown and stored. */
struct walltime {
    int64_t ms;
};

#define INSTANT_NEVER ((struct instant){UINT64_MAX})

static inline struct instant instant_after_ms(struct instant t, uint64_t ms)
{
    return (struct instant){t.ns + ms * 1000000u};
}

static inline struct instant instant_min(struct instant a, struct instant b)
{
    return a.ns < b.ns ? a : b;
}

#endif
