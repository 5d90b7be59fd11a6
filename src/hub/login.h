#ifndef KITH_HUB_LOGIN_H
#define KITH_HUB_LOGIN_H

/* Whose a connection becomes, by what, and whether it still is.
 *
 * A password is guessed slowly: attempts are counted by address and by account
 * (people/throttle.h), and one costs a hash, whether there is such an account or not. A secret
 * is taken where nobody listens: over TLS, or on this machine. */

#include "hub/accounts.h"
#include "hub/command.h"
#include "hub/connection.h"

/* The key that the connection's other end showed; NULL: none. */
const struct public_key *login_device(const struct connection *c);

/* Where the key it showed is an account's device, the connection becomes that member's. 0;
 * STORE_BUSY: what says so is not durable yet; ACCOUNTS_NONE; or what the store returned. */
int login_by_device(struct connection *c, uint64_t *ret_lsn);

/* The connection becomes the account's: by a device of it, by a token of it (else NULL), or by
 * its password. What was present stays so. -ENOMEM. */
int login_as(struct connection *c, const struct account *a, const struct public_key *device,
             const struct token *token);

/* When the token it is known by ends; login_expire then ends the connection. */
struct instant login_deadline(const struct connection *c);
void login_expire(struct connection *c);

/* False: no secret is to be said here, and that is answered. */
bool login_takes_secrets(struct call *call);

/* Counts an attempt at an account, whose name is valid. False: it has to wait, and that is
 * answered. login_forgive: it was right. */
bool login_begin_attempt(struct call *call, struct bytes name);
void login_forgive(struct call *call, struct bytes name);

/* An account has changed: every worker reviews its connections. */
void login_account_changed(struct hub *hub, struct bytes name);

/* Ends those of this worker's connections that are no longer their member's, for one account
 * by its name folded, or for all (NULL); the others' rights become what they are now. */
void login_review(struct hub *hub, const struct bytes *folded);

/* Answers a condition of accounts.h, or what the store returned; as command_store_failed. */
int login_answer(struct call *call, int result);

#endif
