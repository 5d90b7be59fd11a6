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

/* To that side, on all its account's connections, since it may have come back to the hub
 * meanwhile: the other one waits for it at the relay. */
void introducer_tell_waits(struct hub_shared *s, const struct random_id *id,
                           const struct introduction_side *to);

/* The account that invited has taken it back, by that connection: to the invited, and to the
 * one that had asked, where that is another. */
void introducer_tell_cancelled(struct hub_shared *s, const struct introduction *i,
                               uint64_t canceller);

/* Ends those whose time is over. */
void introducer_tick(struct hub *hub);

/* A present connection ends, and with it perhaps its account goes: what hangs on it is over. */
void introducer_drop(struct hub_shared *s, const struct connection *c, bool account_gone);

#endif
