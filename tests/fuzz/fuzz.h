#ifndef KITH_FUZZ_H
#define KITH_FUZZ_H

/* What a fuzz target defines. It aborts (assert) where a promise does not hold, returns 0
 * otherwise, and keeps nothing from one input to the next. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
