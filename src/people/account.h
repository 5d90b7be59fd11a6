#ifndef KITH_PEOPLE_ACCOUNT_H
#define KITH_PEOPLE_ACCOUNT_H

/* An account: a name, a password's hash, and what belongs to it, its devices and its programs'
 * tokens. As a record, integers little-endian:
 *
 *     u8 version (1)   u8 flags (1: admin)   u64 generation   i64 since (ms since 1970)
 *     u32 passes   u32 memory_kib   salt[16]   hash[32]       the password
 *     u8 n   name[n]
 *     u8 count, and for each device:
 *         key[32]   i64 since   u8 n   label[n]   u8 signed (0, 1)   signer[32] signature[64]
 *     u8 count, and for each token:
 *         hash[32]   i64 since   i64 expires (0: never)   u8 n   label[n]
 *
 * signer and signature stand only where signed is 1. */

#include "base/buffer.h"
#include "base/limits.h"
#include "people/device.h"
#include "people/password.h"
#include "people/ticket.h"

struct token {
    struct ticket ticket;
    struct walltime since, expires; /* expires.ms 0: never */
    char label[DEVICE_LABEL_BYTES + 1];
};

struct account {
    char name[ACCOUNT_NAME_BYTES + 1]; /* as its owner wrote it */
    bool admin;
    uint64_t generation; /* drawn when it was made, and anew by a reset: another is another */
    struct walltime since;
    struct password password;
    struct device devices[LIMIT_ACCOUNT_DEVICES];
    size_t device_count;
    struct token tokens[LIMIT_ACCOUNT_TOKENS]; /* labels are different */
    size_t token_count;
};

enum { ACCOUNT_RECORD_BYTES_MAX = 32 * 1024 };

/* -ENOMEM. */
int account_encode(const struct account *a, struct buffer *out);

/* False where it is no such record, whatever it is. */
bool account_decode(struct bytes record, struct account *ret);

/* NULL: it has none like that. */
struct device *account_device(struct account *a, const struct fingerprint *f);
struct token *account_token(struct account *a, const struct ticket *t);
struct token *account_token_labelled(struct account *a, struct bytes label);

/* Add to the end; false where there are as many as there may be. */
bool account_add_device(struct account *a, const struct device *d);
bool account_add_token(struct account *a, const struct token *t);

void account_remove_device(struct account *a, struct device *d);
void account_remove_token(struct account *a, struct token *t);

static inline bool token_is_over(const struct token *t, struct walltime now)
{
    return t->expires.ms > 0 && t->expires.ms <= now.ms;
}

#endif
