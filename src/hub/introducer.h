#ifndef KITH_HUB_INTRODUCER_H
#define KITH_HUB_INTRODUCER_H

/* Who is told what when people/introduction.h has been asked, or has waited long enough. The
 * words of each notice stand in hub/notice.h. */

#include "hub/connection.h"
#include "people/introduction.h"

/* How the connection stands in an introduction. It is a present member's, with a device. */
void introducer_describe(const struct connection *c, const char *candidates,
                         struct introduction_side *ret);

/* To every present connection of the account that is invited. */
void introducer_tell_invited(struct hub_shared *s, const struct random_id *id,
                             const struct introduction_side *from, const char *to_key);

/* To the two; to what else is present of the account that accepted, that it is answered. */
void introducer_tell_accepted(struct hub_shared *s, const struct introduction *i);

/* To who invited, why it was declined; to what else is present of the account that declined on
 * that connection, that it is answered. */
void introducer_tell_declined(struct hub_shared *s, const struct introduction *i,
                              uint64_t decliner, const char *reason);

/* To the invited, that it is over. */
void introducer_tell_over(struct hub_shared *s, const struct introduction *i,
                          const char *reason);

/* One that was accepted, by this process or one before it, where the member's device is one of
 * the two: which, 0 who invited, 1 the other; else -1. *ret_fresh: not longer ago than
 * LIMIT_RELAY_FRESH_MS. */
int introducer_find(struct hub *hub, const struct random_id *id, const struct member *m,
                    struct introduction *ret, bool *ret_fresh);

/* To the other one of the two, on all its account's connections, since it may have come back to
 * the hub meanwhile: that side waits at the relay; or does not believe that the other device is
 * that account's. */
void introducer_tell_waits(struct hub_shared *s, const struct introduction *i, int side);
void introducer_tell_unbelieved(struct hub_shared *s, const struct introduction *i, int side);

/* The account that invited has taken it back, by that connection: to the invited, and to the
 * one that had asked, where that is another. */
void introducer_tell_cancelled(struct hub_shared *s, const struct introduction *i,
                               uint64_t canceller);

/* Ends those whose time is over. */
void introducer_tick(struct hub *hub);

/* A present connection ends, and with it perhaps its account goes: what hangs on it is over. */
void introducer_drop(struct hub_shared *s, const struct connection *c, bool account_gone);

#endif
