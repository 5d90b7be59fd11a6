#ifndef KITH_MEET_PEER_TRUST_H
#define KITH_MEET_PEER_TRUST_H

/* Is the device the hub says is somebody's the one it was? The first that is met is believed
 * and remembered, in the profile's known_peers, for that name on that hub, which is known by
 * its fingerprint:
 *
 *     NAME@HUB FINGERPRINT
 *
 * Another one later is a hard stop: it may be a new device of his, or the hub lies. */

#include "meet/self.h"

/* TROUBLE_CHANGED where it is another one. */
enum trouble_kind peer_trust(const struct self *s, const char *name,
                             const struct fingerprint *print, struct trouble *ret);

#endif
