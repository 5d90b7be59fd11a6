#ifndef KITH_MEET_PEER_TRUST_H
#define KITH_MEET_PEER_TRUST_H

/* Whose devices are believed: what the profile's known_peers says (client/known_peers.h),
 * judged as client/known_peer.h does, and changed. Names are accounts', valid, and mean one on
 * the hub that self->hub_print names. Each call reads the file anew: other processes change it,
 * too.
 *
 * A file that is damaged, or cannot be read, is trouble; it is never written over. */

#include "client/known_peer.h"
#include "meet/self.h"

struct peer_trust {
    bool unsure;   /* to be judged again, with the list of his devices */
    bool verified; /* he is, at this device */
};

/* Is the device with that key his? devices: the n that the hub says are; NULL: it was not asked
 * yet. One that is believed is remembered. TROUBLE_CHANGED: it is not believed. */
enum trouble_kind peer_trust(const struct self *s, const char *name,
                             const struct public_key *key, const struct device *devices,
                             size_t n, struct peer_trust *ret_trust, struct trouble *ret);

/* Words were compared, and were the same, or not. */
enum trouble_kind peer_trust_words(const struct self *s, const char *name,
                                   const struct public_key *key, bool same,
                                   struct trouble *ret);

/* What is known of him. */
enum trouble_kind peer_trust_known(const struct self *s, const char *name,
                                   struct known_peer *ret_known, struct trouble *ret);

/* Nothing is known of him any more; *ret_count devices were. */
enum trouble_kind peer_trust_forget(const struct self *s, const char *name, size_t *ret_count,
                                    struct trouble *ret);

/* Calls fn with the name of each who is verified, perhaps more than once. */
enum trouble_kind peer_trust_verified(const struct self *s,
                                      void (*fn)(void *ctx, struct bytes name), void *ctx,
                                      struct trouble *ret);

#endif
