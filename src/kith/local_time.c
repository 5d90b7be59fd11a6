#include "kith/local_time.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static bool is_day(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_yday == b->tm_yday;
}

/* The day before, at noon, so that no clock change matters. */
static bool is_day_before(const struct tm *a, struct tm b)
{
    struct tm before;
    b.tm_mday--;
    b.tm_hour = 12;
    b.tm_isdst = -1;
    time_t t = mktime(&b);
    return localtime_r(&t, &before) && is_day(a, &before);
}

void local_time_write(struct walltime t, struct walltime now, char out[LOCAL_TIME_BYTES])
{
    time_t then = (time_t)(t.ms / 1000), present = (time_t)(now.ms / 1000);
    struct tm a, b;
    size_t n = 0;
    char text[LOCAL_TIME_BYTES];
    bool can = localtime_r(&then, &a) && localtime_r(&present, &b);
    if (can && is_day(&a, &b))
        n = strftime(text, sizeof text, "at %H:%M", &a);
    else if (can && is_day_before(&a, b))
        n = strftime(text, sizeof text, "yesterday at %H:%M", &a);
    else if (can)
        n = strftime(text, sizeof text, "on %Y-%m-%d at %H:%M", &a);
    snprintf(out, LOCAL_TIME_BYTES, "%s", n > 0 ? text : "some time");
}
