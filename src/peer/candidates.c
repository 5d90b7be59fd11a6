#include "peer/candidates.h"

#include "base/number.h"

#include <stdio.h>

static const uint8_t v4_head[12] = {[10] = 0xff, [11] = 0xff};

enum { RANK_SUBNET_V6, RANK_SUBNET_V4, RANK_SEEN, PORT_MIN = 1024 };

bool peer_address_is_v4(const struct peer_address *a)
{
    return memcmp(a->bytes, v4_head, sizeof v4_head) == 0;
}

static bool is_v6(const struct peer_address *a, uint8_t last)
{
    static const uint8_t zeros[15];
    return memcmp(a->bytes, zeros, sizeof zeros) == 0 && a->bytes[15] == last;
}

bool peer_address_is_loopback(const struct peer_address *a)
{
    return is_v6(a, 1) || (peer_address_is_v4(a) && a->bytes[12] == 127);
}

static bool is_same(const struct peer_address *a, const struct peer_address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* ---- reading ---- */

static bool read_v4(struct bytes text, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        size_t len = i < 3 ? bytes_find(text, '.') : text.len;
        uint64_t n;
        if (len > 3 || (i < 3 && len == text.len) ||
            !number_parse_u64(bytes_first(text, len), &n) || n > 255)
            return false;
        out[i] = (uint8_t)n;
        text = bytes_from(text, i < 3 ? len + 1 : len);
    }
    return true;
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_group(struct bytes text, uint8_t out[2])
{
    unsigned n = 0;
    if (text.len == 0 || text.len > 4)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = hex(text.data[i]);
        if (digit < 0)
            return false;
        n = n << 4 | (unsigned)digit;
    }
    out[0] = (uint8_t)(n >> 8);
    out[1] = (uint8_t)n;
    return true;
}

/* Groups between colons; the last may be an IPv4 address where they end the text. Returns how
 * many bytes they make, at most 16; SIZE_MAX where the text is wrong. */
static size_t read_groups(struct bytes text, bool ends, uint8_t out[16])
{
    size_t n = 0;
    while (text.len > 0) {
        size_t len = bytes_find(text, ':');
        struct bytes group = bytes_first(text, len);
        bool is_last = len == text.len;
        if (ends && is_last && n <= 12 && read_v4(group, out + n))
            return n + 4;
        if (n == 16 || !read_group(group, out + n))
            return SIZE_MAX;
        n += 2;
        text = bytes_from(text, is_last ? len : len + 1);
        if (!is_last && text.len == 0)
            return SIZE_MAX;
    }
    return n;
}

static size_t find_gap(struct bytes text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.data[i] == ':' && text.data[i + 1] == ':')
            return i;
    return text.len;
}

/* RFC 4291, section 2.2. */
static bool read_v6(struct bytes text, uint8_t out[16])
{
    uint8_t tail[16];
    size_t gap = find_gap(text), head_len, tail_len = 0;
    memset(out, 0, 16);
    head_len = read_groups(bytes_first(text, gap), gap == text.len, out);
    if (gap == text.len)
        return head_len == 16;
    tail_len = read_groups(bytes_from(text, gap + 2), true, tail);
    if (head_len > 14 || tail_len > 14 || head_len + tail_len > 14)
        return false;
    memcpy(out + 16 - tail_len, tail, tail_len);
    return true;
}

bool peer_address_read(struct bytes text, struct peer_address *ret)
{
    struct peer_address a;
    memcpy(a.bytes, v4_head, sizeof v4_head);
    if (!read_v4(text, a.bytes + 12) && !read_v6(text, a.bytes))
        return false;
    *ret = a;
    return true;
}

bool candidate_read(struct bytes text, struct candidate *ret)
{
    bool bracketed = text.len > 0 && text.data[0] == '[';
    size_t end = bytes_find(text, bracketed ? ']' : ':'), colon = bracketed ? end + 1 : end;
    struct candidate c = {0};
    uint64_t port;
    if (colon >= text.len || text.data[colon] != ':' ||
        !number_parse_u64(bytes_from(text, colon + 1), &port) || port == 0 || port > 65535)
        return false;
    struct bytes address = bytes_from(bytes_first(text, end), bracketed ? 1 : 0);
    if ((bytes_find(address, ':') < address.len) != bracketed ||
        !peer_address_read(address, &c.address))
        return false;
    c.port = (uint16_t)port;
    *ret = c;
    return true;
}

void candidate_write(char out[CANDIDATE_TEXT_BYTES], const struct candidate *c)
{
    const uint8_t *b = c->address.bytes;
    if (peer_address_is_v4(&c->address)) {
        snprintf(out, CANDIDATE_TEXT_BYTES, "%u.%u.%u.%u:%u", b[12], b[13], b[14], b[15],
                 c->port);
        return;
    }
    size_t n = 0;
    out[n++] = '[';
    for (size_t i = 0; i < 16; i += 2)
        n += (size_t)snprintf(out + n, CANDIDATE_TEXT_BYTES - n, i ? ":%x" : "%x",
                              (unsigned)b[i] << 8 | b[i + 1]);
    snprintf(out + n, CANDIDATE_TEXT_BYTES - n, "]:%u", c->port);
}

/* ---- judging ---- */

static bool is_forbidden(const struct peer_address *a)
{
    const uint8_t *b = a->bytes;
    if (peer_address_is_v4(a))
        return b[12] == 0 || b[12] >= 224;
    return is_v6(a, 0) || b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

static bool bit(const struct peer_address *a, unsigned i)
{
    return a->bytes[i / 8] >> (7 - i % 8) & 1;
}

/* Bits from..to of a are all alike. */
static bool is_all(const struct peer_address *a, unsigned from, unsigned to, bool value)
{
    for (unsigned i = from; i < to; i++)
        if (bit(a, i) != value)
            return false;
    return true;
}

static bool lies_in(const struct peer_address *a, const struct own_address *own)
{
    bool v4 = peer_address_is_v4(&own->address);
    unsigned prefix = own->prefix_bits + (v4 ? 96 : 0);
    if (own->prefix_bits == 0 || prefix > 128 || peer_address_is_v4(a) != v4)
        return false;
    for (unsigned i = 0; i < prefix; i++)
        if (bit(a, i) != bit(&own->address, i))
            return false;
    bool has_special = v4 && prefix < 127; /* RFC 3021: two addresses are two hosts */
    return !has_special || (!is_all(a, prefix, 128, false) && !is_all(a, prefix, 128, true));
}

static bool is_near(const struct candidate_rules *rules, const struct peer_address *a)
{
    for (size_t i = 0; i < rules->own_count && i < OWN_ADDRESSES_MAX; i++)
        if (lies_in(a, &rules->own[i]))
            return true;
    return false;
}

static enum candidate_verdict judge(const struct candidate_rules *rules, struct candidate *c)
{
    if (c->port < PORT_MIN)
        return CANDIDATE_LOW_PORT;
    if (is_forbidden(&c->address))
        return CANDIDATE_FORBIDDEN;
    bool local = peer_address_is_loopback(&c->address);
    if (local && !(rules->hub_is_local && peer_address_is_loopback(&rules->seen)))
        return CANDIDATE_FORBIDDEN;
    if (local || is_near(rules, &c->address))
        c->rank = peer_address_is_v4(&c->address) ? RANK_SUBNET_V4 : RANK_SUBNET_V6;
    else if (is_same(&c->address, &rules->seen))
        c->rank = RANK_SEEN;
    else
        return CANDIDATE_FOREIGN;
    return CANDIDATE_GOOD;
}

static bool is_there(const struct candidates *c, const struct candidate *new)
{
    for (size_t i = 0; i < c->count; i++)
        if (is_same(&c->list[i].address, &new->address) && c->list[i].port == new->port)
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
    if (!candidate_read(text, &new))
        return CANDIDATE_MALFORMED;
    enum candidate_verdict v = judge(rules, &new);
    if (v != CANDIDATE_GOOD)
        return v;
    if (is_there(c, &new))
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
