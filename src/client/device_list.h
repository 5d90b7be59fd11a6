#ifndef KITH_CLIENT_DEVICE_LIST_H
#define KITH_CLIENT_DEVICE_LIST_H

/* The devices of an account, as a hub answers DEVICES and DEVICES OF name: an array of
 *
 *     [fingerprint, key, label, since, signer or null, signature or null]
 *
 * Each fingerprint must be its key's. One that is signed by itself is read as unsigned. What
 * they say of each other is for others to judge (people/device.h). */

#include "people/device.h"
#include "wire/resp_reply.h"

/* ret has room for LIMIT_ACCOUNT_DEVICES. False where the reply is none, or has more. */
bool device_list_read(const struct resp_value *values, size_t count, struct device *ret,
                      size_t *ret_n);

/* The device with that key needs the word of an older one of the list: it is not the first, and
 * nobody has signed it. */
bool device_list_is_unsigned(const struct device *devices, size_t n,
                             const struct public_key *key);

#endif
