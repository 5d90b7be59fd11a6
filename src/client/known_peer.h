#ifndef KITH_CLIENT_KNOWN_PEER_H
#define KITH_CLIENT_KNOWN_PEER_H

/* What is known of one person on one hub: his devices, and why each is believed. The first that
 * is met is believed; later ones only where a believed one vouches for them, by a chain of
 * signatures (people/device.h). The list of devices comes from the hub, which may lie in it:
 * only the signatures count. Of somebody who is
 * verified, only a verified device can vouch for another.
 *
 * A device whose words were not the same is DOUBTED: never believed, and no word of it counts.
 * Whoever believes nobody any more, but knows somebody, believes no new one either: what is
 * known has to be forgotten first. */

#include "base/limits.h"
#include "people/device.h"

/* Why a device is believed; from KNOWN_VOUCHED on, the person is verified at it. */
enum known_how {
    KNOWN_DOUBTED, /* not at all */
    KNOWN_MET,     /* it was the first */
    KNOWN_SIGNED,  /* by one that was believed */
    KNOWN_VOUCHED, /* by one that was verified */
    KNOWN_WORDS,   /* verified, by five words */
};

struct known_device {
    struct fingerprint print;
    enum known_how how;
    struct walltime since; /* 0: not known */
    bool has_key;
    struct public_key key;
};

struct known_peer {
    struct known_device devices[LIMIT_KNOWN_DEVICES];
    size_t count;
};

/* NULL: not known. */
const struct known_device *known_peer_device(const struct known_peer *p,
                                             const struct fingerprint *print);

/* At any of his devices. */
bool known_peer_is_verified(const struct known_peer *p);

static inline bool known_how_is_verified(enum known_how how)
{
    return how >= KNOWN_VOUCHED;
}

/* A word for it, and back: false where it is none. */
const char *known_how_word(enum known_how how);
bool known_how_read(struct bytes word, enum known_how *ret);

enum known_verdict {
    KNOWN_BELIEVED, /* and known; *ret is how */
    KNOWN_NEW,      /* believed, and to be remembered as *ret */
    KNOWN_UNSURE,   /* it is for the list of his devices to say */
    KNOWN_STRANGE,  /* not believed: none of the known ones vouches for it */
    KNOWN_REFUSED,  /* not believed: DOUBTED */
    KNOWN_TOO_MANY, /* not believed: no more devices of one person can be remembered */
};

/* The device with that key is said to be his, whose account has that name. devices: the n that
 * the hub says are, at most LIMIT_ACCOUNT_DEVICES; NULL: it was not asked yet. */
enum known_verdict known_peer_judge(const struct known_peer *p, struct bytes name,
                                    const struct public_key *key, const struct device *devices,
                                    size_t n, struct walltime now, struct known_device *ret);

#endif
