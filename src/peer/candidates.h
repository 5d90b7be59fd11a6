#ifndef KITH_PEER_CANDIDATES_H
#define KITH_PEER_CANDIDATES_H

/* Where another device says it can be reached, and which of that may be dialed: nobody makes a
 * member scan a network, or knock at what is not theirs.
 *
 * A candidate is an endpoint. It may be dialed where its port is at least ENDPOINT_PORT_MIN and
 * its address
 *   - lies in a subnet of one's own interfaces, and is neither its network nor its broadcast
 * address,
 *   - or is the one the hub sees the other device at,
 * and is not link-local IPv6 (which means nothing without a zone), multicast, reserved or
 * unspecified. Loopback only where the hub is reached over loopback and sees the other there,
 * too: then both are on one machine.
 *
 * Order: one's own subnets first, IPv6 before IPv4, then what the hub sees. At most
 * CANDIDATES_MAX are looked at; what follows is CANDIDATE_TOO_MANY. */

#include "wire/endpoint.h"

enum { CANDIDATES_MAX = 16, OWN_ADDRESSES_MAX = 64 };

/* The lower, the sooner. */
enum candidate_rank { CANDIDATE_RANK_SUBNET_V6, CANDIDATE_RANK_SUBNET_V4, CANDIDATE_RANK_SEEN };

struct candidate {
    struct endpoint at;
    uint8_t rank; /* an enum candidate_rank */
};

struct own_address {
    struct net_address address;
    unsigned prefix_bits; /* of IPv4: 1 to 32, of IPv6: 1 to 128; else it is passed over */
};

struct candidate_rules {
    const struct own_address *own; /* of the interfaces, loopback left out or not */
    size_t own_count;
    struct net_address seen; /* of the other device, by the hub; unspecified: not known */
    bool hub_is_local;       /* the hub is reached over loopback */
};

enum candidate_verdict {
    CANDIDATE_GOOD,
    CANDIDATE_MALFORMED,
    CANDIDATE_LOW_PORT,
    CANDIDATE_FORBIDDEN, /* never dialed: multicast, broadcast, unspecified, reserved, ... */
    CANDIDATE_FOREIGN,   /* in none of one's own subnets */
    CANDIDATE_TWICE,
    CANDIDATE_TOO_MANY
};

struct candidates {
    struct candidate list[CANDIDATES_MAX]; /* in the order to be dialed */
    size_t count;
    size_t offered; /* texts looked at or refused */
};

/* Judges a text, and where it is GOOD, puts it into its place. c was zeroed at first. */
enum candidate_verdict candidates_add(struct candidates *c, const struct candidate_rules *rules,
                                      struct bytes text);

/* In words, for `kith doctor`; static. */
const char *candidate_verdict_words(enum candidate_verdict v);

#endif
