#ifndef KITH_TESTS_SIM_TRACE_H
#define KITH_TESTS_SIM_TRACE_H

/* Where a simulation stands, so that what goes wrong can be told and played again. */

#include "base/time.h"

#include <stdbool.h>

struct trace {
    uint64_t seed, step;
    struct instant now;
    bool verbose;
};

/* A line of the timeline, where it is wanted. */
void trace_say(const struct trace *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says what is wrong, and how to play it again; ends the process. */
_Noreturn void trace_fail(const struct trace *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define trace_check(t, condition, ...)    \
    do {                                  \
        if (!(condition))                 \
            trace_fail((t), __VA_ARGS__); \
    } while (0)

#endif
