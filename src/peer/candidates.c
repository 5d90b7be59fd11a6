#include "peer/candidates.h"

static bool is_forbidden(const struct net_address *a)
{
    static const struct net_address unspecified;
    const uint8_t *b = a->bytes;
    if (net_address_is_v4(a))
        return b[12] == 0 || b[12] >= 224;
    bool link_local = b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
    return net_address_equal(a, &unspecified) || link_local || b[0] == 0xff;
}

static bool bit(const struct net_address *a, unsigned i)
{
    return a->bytes[i / 8] >> (7 - i % 8) & 1;
}

/* Bits from..to of a are all alike. */
static bool is_all(const struct net_address *a, unsigned from, unsigned to, bool value)
{
    for (unsigned i = from; i < to; i++)
        if (bit(a, i) != value)
            return false;
    return true;
}

static bool lies_in(const struct net_address *a, const struct own_address *own)
{
    bool v4 = net_address_is_v4(&own->address);
    unsigned prefix = own->prefix_bits + (v4 ? 96 : 0);
    if (own->prefix_bits == 0 || prefix > 128 || net_address_is_v4(a) != v4)
        return false;
    for (unsigned i = 0; i < prefix; i++)
        if (bit(a, i) != bit(&own->address, i))
            return false;
    bool has_special = v4 && prefix < 127; /* RFC 3021: two addresses are two hosts */
    return !has_special || (!is_all(a, prefix, 128, false) && !is_all(a, prefix, 128, true));
}

static bool is_near(const struct candidate_rules *rules, const struct net_address *a)
{
    for (size_t i = 0; i < rules->own_count && i < OWN_ADDRESSES_MAX; i++)
        if (lies_in(a, &rules->own[i]))
            return true;
    return false;
}

static enum candidate_verdict judge(const struct candidate_rules *rules, struct candidate *c)
{
    if (c->at.port < ENDPOINT_PORT_MIN)
        return CANDIDATE_LOW_PORT;
    if (is_forbidden(&c->at.address))
        return CANDIDATE_FORBIDDEN;
    bool local = net_address_is_loopback(&c->at.address);
    if (local && !(rules->hub_is_local && net_address_is_loopback(&rules->seen)))
        return CANDIDATE_FORBIDDEN;
    if (local || is_near(rules, &c->at.address))
        c->rank = net_address_is_v4(&c->at.address) ? CANDIDATE_RANK_SUBNET_V4
                                                    : CANDIDATE_RANK_SUBNET_V6;
    else if (net_address_equal(&c->at.address, &rules->seen))
        c->rank = CANDIDATE_RANK_SEEN;
    else
        return CANDIDATE_FOREIGN;
    return CANDIDATE_GOOD;
}

static bool is_there(const struct candidates *c, const struct endpoint *at)
{
    for (size_t i = 0; i < c->count; i++)
        if (endpoint_equal(&c->list[i].at, at))
            return true;
    return false;
}

enum candidate_verdict candidates_add(struct candidates *c, const struct candidate_rules *rules,
                                      struct bytes text)
{
    struct candidate new;
    if (c->offered == CANDIDATES_MAX)
        return CANDIDATE_TOO_MANY;
    c->offered++;
    if (!endpoint_read(text, &new.at))
        return CANDIDATE_MALFORMED;
    enum candidate_verdict v = judge(rules, &new);
    if (v != CANDIDATE_GOOD)
        return v;
    if (is_there(c, &new.at))
        return CANDIDATE_TWICE;
    size_t at = c->count++;
    for (; at > 0 && c->list[at - 1].rank > new.rank; at--)
        c->list[at] = c->list[at - 1];
    c->list[at] = new;
    return CANDIDATE_GOOD;
}

const char *candidate_verdict_words(enum candidate_verdict v)
{
    static const char *const words[] = {
        [CANDIDATE_GOOD] = "may be dialed",
        [CANDIDATE_MALFORMED] = "is no address and port",
        [CANDIDATE_LOW_PORT] = "has a port below 1024",
        [CANDIDATE_FORBIDDEN] = "is of a kind that is never dialed",
        [CANDIDATE_FOREIGN] =
            "is in no subnet of this machine, and not where the hub sees them",
        [CANDIDATE_TWICE] = "was named before",
        [CANDIDATE_TOO_MANY] = "is one too many",
    };
    return words[v];
}
