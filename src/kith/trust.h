#ifndef KITH_KITH_TRUST_H
#define KITH_KITH_TRUST_H

/* Who is at either end. This device's own key lies in the profile's folder and is made on first
 * use; it is shown on every TLS connection.
 *
 * Is the hub at the other end of a TLS connection the one that was meant? Where WHERE names a
 * fingerprint, that decides. Else the one it had when it was met first does, which is
 * remembered in the profile's known_hubs; meeting it for the first time is said. */

#include "io/profile.h"
#include "kith/session.h"

/* Speaks TLS on the session's connection, and judges. An exit code; EXIT_CHANGED where it is
 * another one. */
int trust_hub(struct session *s);

/* The session's config for TLS, made where it is not yet. */
int trust_config(struct session *s);

/* Judges whose key the other end of another connection has shown. */
int trust_key(struct session *s, const struct public_key *key);

/* Remembers what the hub at the other end, which was judged, is known by. */
int trust_remember(struct session *s);

/* The profile's name: --as, or "default". */
const char *trust_profile(const struct session *s);

/* The device's secret key; whoever asks wipes it. */
int trust_seed(struct session *s, uint8_t ret[PROFILE_KEY_BYTES]);

/* Sets the session's identity, once; where there is no home folder to keep a key in, there is
 * none. */
int trust_identity(struct session *s);

#endif
