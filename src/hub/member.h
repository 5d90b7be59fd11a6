#ifndef KITH_HUB_MEMBER_H
#define KITH_HUB_MEMBER_H

/* Who is at the other end of a connection, once that is known: an account, and the device whose
 * key was shown. A connection is a member's by a known device's key (as its handshake ends), by
 * a password, or by a token; it stays so until it ends, or what it is known by does.
 *
 * Present, which others see, is who has said LOGIN or REGISTER, not who only showed a key or a
 * token: programs of a member come and go without anybody being told. */

#include "hub/connection.h"

#include "base/fingerprint.h"
#include "people/account_name.h"
#include "people/password.h"
#include "people/ticket.h"

struct member {
    char name[ACCOUNT_NAME_BYTES + 1]; /* as its owner wrote it */
    char key[ACCOUNT_NAME_BYTES + 1];  /* folded: what it is looked up by */
    bool admin;
    bool has_device; /* the connection is TLS, and showed a key that is the account's */
    struct public_key device; /* where it has one */
    bool present;
    uint64_t generation;           /* of the account, as it was (people/account.h) */
    bool has_token;                /* it is known by a program's token ... */
    struct ticket token;           /* ... by this one ... */
    struct walltime token_expires; /* ... until then; ms 0: for good */
    /* Without device and token it is known by the password that was hashed with this salt. */
    uint8_t password_salt[PASSWORD_SALT_BYTES];
};

/* Makes the connection that member's, a copy of it; any other it was is forgotten, and
 * is present no more. -ENOMEM. */
int member_set(struct connection *c, const struct member *m);

/* The account has another password: who changed it stays. */
void member_set_password(struct connection *c, const struct password *p);

/* NULL: nobody is known there. */
static inline const struct member *connection_member(const struct connection *c)
{
    return c->extra ? c->extra->member : NULL;
}

/* It is present from now on; others are told. Without memory for that, the connection ends. */
void member_appear(struct connection *c);

/* The connection ends, or its account does. Takes NULL. */
void member_free(struct member *m);

#endif
