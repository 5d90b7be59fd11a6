#ifndef KITH_PEOPLE_PASSWORD_H
#define KITH_PEOPLE_PASSWORD_H

/* What is kept of a password: its Argon2id hash (libsodium; RFC 9106), with the salt and the
 * cost it was made at, so that the cost may be another one later. Hashing takes a tenth of a
 * second and 64 MiB, on purpose: it is done on a thread that may wait. */

#include "base/bytes.h"

enum { PASSWORD_SALT_BYTES = 16, PASSWORD_HASH_BYTES = 32 };

struct password_cost {
    uint32_t passes;
    uint32_t memory_kib;
};

/* libsodium's INTERACTIVE; and the least there is, for tests. */
extern const struct password_cost password_cost_default, password_cost_least;

/* Kept in an account's record, as it is here. */
struct password {
    struct password_cost cost;
    uint8_t salt[PASSWORD_SALT_BYTES];
    uint8_t hash[PASSWORD_HASH_BYTES];
};

/* LIMIT_PASSWORD_BYTES_MIN to LIMIT_PASSWORD_BYTES. */
bool password_is_acceptable(struct bytes text);

/* Could a hash of that cost have been made here? What comes from a record is asked. */
bool password_cost_is_valid(const struct password_cost *cost);

/* cost and salt are set, hash becomes that of the text. -ENOMEM. */
int password_make(struct password *p, struct bytes text);

/* 0 and whether it is the one; it takes as long in either case. -ENOMEM. */
int password_check(const struct password *p, struct bytes text, bool *ret_right);

#endif
