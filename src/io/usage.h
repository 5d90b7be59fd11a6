#ifndef KITH_IO_USAGE_H
#define KITH_IO_USAGE_H

/* What this process has used. What cannot be read is 0. */

#include "base/usage.h"

void usage_read(struct usage *ret);

#endif
