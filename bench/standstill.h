#ifndef KITH_BENCH_STANDSTILL_H
#define KITH_BENCH_STANDSTILL_H

/* When a processor stood still: when a thread there that goes before all others did not run
 * although its timer said so. No program can do that to it, only the host of a virtual machine,
 * for tens of milliseconds, be it idle or not, and the kernel, with its housekeeping.
 *
 * Threads that go first need root; without, nothing is seen. */

#include <stdint.h>

struct standstill;

struct standstill *standstill_new(void);

/* From now on, to the end of the process. At most two processors. */
void standstill_watch(struct standstill *s, int processor);

/* Looks at what was seen up to now: the calls below know of that. */
void standstill_look(struct standstill *s);

/* How much of the time from begin to end (CLOCK_MONOTONIC, nanoseconds) a processor stood
 * still.
 */
uint64_t standstill_within(const struct standstill *s, uint64_t begin, uint64_t end);

/* The longest between the last two looks. */
uint64_t standstill_longest(const struct standstill *s);

#endif
