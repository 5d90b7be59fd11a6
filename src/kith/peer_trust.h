#ifndef KITH_KITH_PEER_TRUST_H
#define KITH_KITH_PEER_TRUST_H

/* Is the device the hub says is somebody's the one it was? The first that is met is believed
 * and remembered, in the profile's known_peers, for that name on that hub, which is known by
 * its fingerprint:
 *
 *     NAME@HUB FINGERPRINT
 *
 * Another one later is a hard stop: it may be a new device of his, or the hub lies. */

#include "kith/session.h"

/* An exit code, EXIT_CHANGED where it is another one; what is wrong is in why, unless
 * EXIT_DONE.
 */
enum { PEER_TRUST_BYTES = 700 };
int peer_trust(struct session *s, const char *name, const struct fingerprint *print,
               char why[PEER_TRUST_BYTES]);

#endif
