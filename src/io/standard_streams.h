#ifndef KITH_IO_STANDARD_STREAMS_H
#define KITH_IO_STANDARD_STREAMS_H

/* Where a standard stream is closed when a program starts, the next file or socket would take
 * its place, and what is meant for people would go there. Opens what is closed on /dev/null, so
 * that reading from it, and with `fails` writing to it, is an error; else what is written is
 * discarded. Call it first. -errno. */

#include <stdbool.h>

int standard_streams_hold(bool fails);

#endif
