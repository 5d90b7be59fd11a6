#ifndef KITH_IO_CLOCK_H
#define KITH_IO_CLOCK_H

/* The two clocks, read. */

#include "base/time.h"

struct instant clock_instant(void);
struct walltime clock_walltime(void);

#endif
