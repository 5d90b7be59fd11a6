#ifndef KITH_BASE_STEADY_TIME_H
#define KITH_BASE_STEADY_TIME_H

/* A time of day that neither goes back nor stands still where the wall clock is set back: what
 * is to last a second from now lasts a second, whatever the clock says. There it goes on from
 * where it was, a sixteenth slower, until the clock has caught up. A zeroed one has not begun.
 */

#include "base/time.h"

struct steady_time {
    struct instant since; /* then ... */
    struct walltime at;   /* ... the wall clock was there, further than ever */
};

/* What time it is, from both clocks; now is never earlier than the last time. */
struct walltime steady_time_go(struct steady_time *s, struct instant now, struct walltime wall);

#endif
