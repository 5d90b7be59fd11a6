#ifndef KITH_KITH_TRUST_H
#define KITH_KITH_TRUST_H

/* Who is at either end (meet/self.h), for a command: what is wrong is said. All return an exit
 * code. */

#include "kith/session.h"

/* Speaks TLS on the session's connection, and judges; meeting the hub for the first time is
 * said. EXIT_CHANGED where it is another one. */
int trust_hub(struct session *s);

/* Remembers what the hub at the other end, which was judged, is known by. */
int trust_remember(struct session *s);

/* The device's secret key; whoever asks wipes it. */
int trust_seed(struct session *s, uint8_t ret[PROFILE_KEY_BYTES]);

/* Sets s->self.identity, once; where there is no home folder to keep a key in, there is none.
 */
int trust_identity(struct session *s);

#endif
