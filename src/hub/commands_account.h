#ifndef KITH_HUB_COMMANDS_ACCOUNT_H
#define KITH_HUB_COMMANDS_ACCOUNT_H

/* What the commands about accounts share. */

#include "hub/accounts.h"
#include "hub/command.h"

struct member;
struct revocation;

/* The connection's; NULL: it is nobody's, and that is answered. */
const struct member *account_member(struct call *call);

/* The same, where it was not a program's token that made it so: a token may use the table, not
 * manage the account. */
const struct member *account_owner(struct call *call);

/* Now, as the store counts it. */
struct walltime account_now(const struct call *call);

/* Changes an account; 0, or what went wrong (accounts.h). The reply waits for the change. */
int account_change(struct call *call, const struct accounts_change *c);

/* Answers OK, or what went wrong. told: the account's connections are looked after. */
int account_answer_changed(struct call *call, struct bytes name, int result, bool told);

/* The same, told; and where it is OK, everybody present is told of the devices that were taken
 * from it. */
int account_answer_revoked(struct call *call, struct bytes name, int result,
                           const struct revocation *revoked);

/* "EX seconds" from argument i on, or nothing: then *ret is fallback, which may be
 * STORE_NO_EXPIRY. False: it is something else, and that is answered. */
bool account_read_expiry(struct call *call, size_t i, struct walltime fallback,
                         struct walltime *ret);

/* A salt, and the cost of new passwords; no hash. */
struct password account_fresh_password(struct call *call);

/* Answers that a password is none that may be chosen. */
int account_wrong_choice(struct call *call);
int account_wrong_name(struct call *call);

/* Answers that there are no new accounts here, and how somebody is let in. */
int account_closed(struct call *call);

/* AUTH, without its answer when all is well: then *ret_done, and COMMAND_DONE. */
int account_auth(struct call *call, const struct bytes *name, struct bytes secret,
                 bool *ret_done);

#endif
