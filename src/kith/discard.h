#ifndef KITH_KITH_DISCARD_H
#define KITH_KITH_DISCARD_H

/* kith letters --discard: what one device has left for this one is thrown away, unread. Which
 * letters those are the hub says, which could throw away any itself. */

#include "kith/session.h"

/* An exit code; EXIT_NO where none waits. */
int discard_letters(struct session *s, struct bytes fingerprint);

#endif
