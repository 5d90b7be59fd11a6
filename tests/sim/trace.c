#include "trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void trace_say(const struct trace *t, const char *format, ...)
{
    if (!t->verbose)
        return;
    printf("%8llu %12.6f  ", (unsigned long long)t->step, (double)t->now.ns / 1e9);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void trace_fail(const struct trace *t, const char *format, ...)
{
    fflush(stdout);
    fprintf(stderr, "seed %llu, step %llu: ", (unsigned long long)t->seed,
            (unsigned long long)t->step);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nplay it again: --seed %llu --verbose\n", (unsigned long long)t->seed);
    exit(1);
}
