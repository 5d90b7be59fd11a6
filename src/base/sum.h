#ifndef KITH_BASE_SUM_H
#define KITH_BASE_SUM_H

/* XXH3-128 with a seed: what a piece of content is compared by, on the wire and on disk. It
 * guards against accident, not against forgers. */

#include "base/bytes.h"

enum { SUM_BYTES = 16 };

void sum_bytes(struct bytes b, uint64_t seed, uint8_t ret[SUM_BYTES]);

#endif
