#ifndef KITH_HUB_ACCOUNTS_H
#define KITH_HUB_ACCOUNTS_H

/* Accounts in the system keyspace:
 *
 *     "account:" NAME     a record (people/account.h), by the name folded
 *     "device:" 32 bytes  the name, folded, of the account that may have it: by fingerprint
 *     "token:" 32 bytes   likewise: by the token's hash
 *     "invite:" 32 bytes  who invited, or nothing: by the invite's hash; it ends by itself
 *     "setup"             the hash of the setup token, while there is one
 *     "admins"            how many accounts are admins: u32, little-endian
 *
 * What an account's record does not say is not so, whatever an index says: an index that points
 * to nothing is harmless.
 *
 * Functions return what store_get or store_update do, and the conditions below; what is read is
 * copied. Names given are valid. */

#include "people/account.h"
#include "store/store.h"

enum {
    ACCOUNTS_NONE = STORE_FN_FIRST, /* there is no such account, device, token */
    ACCOUNTS_TAKEN,                 /* there is such an account */
    ACCOUNTS_NO_TICKET,             /* the invite, or the setup token, is none (any more) */
    ACCOUNTS_ELSEWHERE,             /* the device, or token, is another account's */
    ACCOUNTS_FULL,                  /* it has as many devices, or tokens, as there may be */
    ACCOUNTS_STALE,                 /* it is no longer what the caller saw */
    ACCOUNTS_LAST_ADMIN,            /* there would be no admin any more */
    ACCOUNTS_DAMAGED,               /* the record cannot be read */
    ACCOUNTS_REFUSED,               /* for the caller's own function */
    ACCOUNTS_REMOVE,                /* likewise: the account is to go */
};

int accounts_read(struct store *s, struct walltime now, struct bytes name, struct account *ret,
                  uint64_t *ret_lsn);

/* The account that has a device, or a token that is not over. */
int accounts_by_device(struct store *s, struct walltime now, const struct fingerprint *f,
                       struct account *ret, uint64_t *ret_lsn);
int accounts_by_token(struct store *s, struct walltime now, const struct ticket *t,
                      struct account *ret, uint64_t *ret_lsn);

enum accounts_index { ACCOUNTS_DEVICE, ACCOUNTS_TOKEN };
enum accounts_ticket { ACCOUNTS_NO_TICKET_NEEDED, ACCOUNTS_INVITE, ACCOUNTS_SETUP };

/* A change of one account, and of what goes with it, as one. */
struct accounts_change {
    struct bytes name;

    /* From what the account is (where it does not exist: zeros) to what it shall be. 0;
     * ACCOUNTS_REMOVE; any other number refuses. Pure; perhaps called more than once. */
    int (*fn)(void *ctx, struct account *a, bool exists);
    void *ctx;

    /* An index that is put, or removed; hash NULL: none. It is not put where another account
     * has that device, or token, which is ACCOUNTS_ELSEWHERE, and where it names another
     * account it stays. ACCOUNTS_STALE, too: who has it has changed at this very moment. */
    enum accounts_index index;
    const uint8_t *hash; /* 32 bytes */
    bool unindexes;

    /* What is used up by it. */
    enum accounts_ticket uses;
    struct ticket ticket;
};

int accounts_change(struct store *s, struct walltime now, const struct accounts_change *c,
                    uint64_t *ret_lsn);

/* Keeps an invite until then; by: the inviter's name, may be empty. */
int accounts_invite(struct store *s, struct walltime now, struct bytes by,
                    const struct ticket *t, struct walltime expires, uint64_t *ret_lsn);

/* Where there is no admin, keeps this as the setup token, the only one, and says so. */
int accounts_offer_setup(struct store *s, struct walltime now, const struct ticket *t,
                         bool *ret_offered, uint64_t *ret_lsn);

/* Visits some accounts, as store_scan does; a stays for the call. -ENOMEM. */
typedef void (*accounts_each_fn)(void *ctx, const struct account *a);
int accounts_scan(struct store *s, struct walltime now, uint64_t *cursor, size_t budget,
                  accounts_each_fn fn, void *ctx, uint64_t *ret_lsn);

#endif
