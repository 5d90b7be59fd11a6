#ifndef KITH_KITH_DURATION_H
#define KITH_KITH_DURATION_H

/* How long, as people write it: 500ms, 30s, 10m, 12h, 7d. */

#include <stdbool.h>
#include <stdint.h>

/* False where it is none, or nothing. */
bool duration_read(const char *text, int64_t *ret_ms);

#endif
