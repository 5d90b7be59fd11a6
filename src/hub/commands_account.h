#ifndef KITH_HUB_COMMANDS_ACCOUNT_H
#define KITH_HUB_COMMANDS_ACCOUNT_H

/* What the commands about accounts share. */

#include "hub/accounts.h"
#include "hub/command.h"

struct member;

/* The connection's; NULL: it is nobody's, and that is answered. */
const struct member *account_member(struct call *call);

/* A salt, and the cost of new passwords; no hash. */
struct password account_fresh_password(struct call *call);

/* Answers that a password is none that may be chosen. */
int account_wrong_choice(struct call *call);

/* AUTH, without its answer when all is well: then *ret_done, and COMMAND_DONE. */
int account_auth(struct call *call, const struct bytes *name, struct bytes secret,
                 bool *ret_done);

#endif
