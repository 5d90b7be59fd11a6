#ifndef KITH_CLIENT_KNOWN_PEERS_H
#define KITH_CLIENT_KNOWN_PEERS_H

/* The people somebody has met, as the profile's file known_peers has them: a text, a device a
 * line,
 *
 *     NAME@HUB FINGERPRINT HOW SECONDS KEY
 *
 * with the account's name, the hub's fingerprint, the device's, how it came to be believed
 * (known_how_word), when (since 1970-01-01 UTC), and the device's key. `NAME@HUB FINGERPRINT`,
 * as older kiths wrote it, is a device that was met, nobody knows when. Empty lines and those
 * that begin with '#' are kept and mean nothing.
 *
 * Any other line is damage, and so are more devices of one person than can be remembered, or
 * one of them twice: nothing is believed then, and nothing written. */

#include "base/buffer.h"
#include "client/known_peer.h"

enum { KNOWN_PEERS_DAMAGED = 100, KNOWN_PEERS_END = 101 };

/* Whose devices. */
struct known_name {
    struct bytes name; /* valid */
    struct bytes hub;  /* its fingerprint, as text */
};

/* The next device of anybody; *rest moves behind it, *line is the number of its line, 0 before
 * the first. END; DAMAGED, in that line. Texts point into *rest. */
int known_peers_next(struct bytes *rest, size_t *line, struct known_name *ret_who,
                     struct known_device *ret);

/* All of his. DAMAGED, in line *ret_line, counted from 1. */
int known_peers_find(struct bytes text, const struct known_name *who, struct known_peer *ret,
                     size_t *ret_line);

/* Appends to out the text with that device of his, in place of what was known of it. The text
 * is one that known_peers_find has taken. What buffer_append returns. */
int known_peers_set(struct bytes text, const struct known_name *who,
                    const struct known_device *device, struct buffer *out);

/* The same, of a device that is DOUBTED; and those of his that are believed for what another
 * has signed are no more known: which one, is not known either. */
int known_peers_doubt(struct bytes text, const struct known_name *who,
                      const struct known_device *device, struct buffer *out);

/* Appends to out the text without him. Likewise. */
int known_peers_forget(struct bytes text, const struct known_name *who, struct buffer *out);

#endif
