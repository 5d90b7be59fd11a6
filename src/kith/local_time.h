#ifndef KITH_KITH_LOCAL_TIME_H
#define KITH_KITH_LOCAL_TIME_H

/* When something was, as a person where this machine is would say it: "at 14:03", "yesterday at
 * 14:03", "on 2026-11-12 at 14:03". A day that is to come is written out; a moment no calendar
 * has is "some time". */

#include "base/time.h"

enum { LOCAL_TIME_BYTES = 48 };

void local_time_write(struct walltime t, struct walltime now, char out[LOCAL_TIME_BYTES]);

#endif
