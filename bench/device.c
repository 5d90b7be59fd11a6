#include "device.h"

#include <sodium.h>
#include <stdio.h>

void device_name(uint64_t n, char ret[DEVICE_NAME_BYTES + 1])
{
    snprintf(ret, DEVICE_NAME_BYTES + 1, "member%llu", (unsigned long long)n);
}

void device_seed(uint64_t n, uint8_t ret[DEVICE_KEY_BYTES])
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(n >> 8 * i);
    crypto_generichash(ret, DEVICE_KEY_BYTES, bytes, sizeof bytes, NULL, 0);
}

struct public_key device_key(uint64_t n)
{
    uint8_t seed[DEVICE_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
    struct public_key key;
    device_seed(n, seed);
    crypto_sign_seed_keypair(key.bytes, secret, seed);
    return key;
}
