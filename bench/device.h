#ifndef KITH_BENCH_DEVICE_H
#define KITH_BENCH_DEVICE_H

/* The members that measurements are made with: the nth is called memberN, and has one device,
 * whose secret key is a hash of n: no secret at all. */

#include "base/fingerprint.h"

enum { DEVICE_NAME_BYTES = 32, DEVICE_KEY_BYTES = 32 };

void device_name(uint64_t n, char ret[DEVICE_NAME_BYTES + 1]);
void device_seed(uint64_t n, uint8_t ret[DEVICE_KEY_BYTES]);
struct public_key device_key(uint64_t n);

#endif
