#ifndef KITH_PEOPLE_INTRODUCTION_RECORD_H
#define KITH_PEOPLE_INTRODUCTION_RECORD_H

/* An introduction that was accepted, as a record; integers little-endian:
 *
 *     u8 version (1)   i64 since (ms since 1970, not negative)
 *     who invited, then who accepted, each:
 *         device's public key[32]   u8 n   account's name, folded[n]
 *
 * It says who may meet at the relay, and nothing else. */

#include "people/introduction.h"

enum {
    INTRODUCTION_RECORD_BYTES_MAX = 1 + 8 + 2 * (PUBLIC_KEY_BYTES + 1 + ACCOUNT_NAME_BYTES)
};

/* Writes to out, and returns what was written. Of i, key and device of both sides are set. */
struct bytes introduction_record_encode(uint8_t out[INTRODUCTION_RECORD_BYTES_MAX],
                                        const struct introduction *i, struct walltime since);

/* False where it is no such record, whatever it is: nothing is returned then. Of *ret, key and
 * device of both sides are set, all else is zero. */
bool introduction_record_decode(struct bytes record, struct introduction *ret,
                                struct walltime *ret_since);

#endif
