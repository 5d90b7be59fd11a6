#ifndef KITH_TESTS_VISITSIM_LIAR_H
#define KITH_TESTS_VISITSIM_LIAR_H

/* A hub that lies: what it tells devices is changed on its way to them, or made up. It has a
 * key of its own, sees all that passes, and keeps it to say it again. It tells
 *
 *   - other keys, names and ids in introductions, earlier ones again, and ones that it has made
 *     up, after invitations of its own;
 *   - other lists of somebody's devices: with its key among them, unsigned, or signed by itself
 *     or in another's name; in place of another; without signatures;
 *   - letters that it has altered, that are another device's or were told before, with other
 *     ids and senders, and ones that its key has signed.
 *
 * What is asked of it reaches the real hub all the same. */

#include "visitor.h"

struct liar;

void liar_init(struct world *w);
void liar_fini(struct world *w); /* it lies no more */

/* What a device is answered, and told. Where it is a lie *values and *count are changed; they
 * hold until the next call. */
void liar_reply(struct visitor *v, enum visitor_request request,
                const struct resp_value **values, size_t *count);
void liar_push(struct visitor *v, const struct resp_value **values, size_t *count);

/* What it says unasked, if anything. */
bool liar_says(struct visitor *v, const struct resp_value **values, size_t *count);

#endif
