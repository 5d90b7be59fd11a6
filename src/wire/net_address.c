#include "wire/net_address.h"

#include "base/number.h"

#include <stdio.h>

enum { V4_BYTES = 4, V4_OFFSET = NET_ADDRESS_BYTES - V4_BYTES, NETWORK_BYTES = 8 };

static const uint8_t mapped[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
    return memcmp(a->bytes, b->bytes, NET_ADDRESS_BYTES) == 0;
}

bool net_address_is_v4(const struct net_address *a)
{
    return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

bool net_address_is_loopback(const struct net_address *a)
{
    static const struct net_address v6 = {.bytes = {[NET_ADDRESS_BYTES - 1] = 1}};
    return net_address_equal(a, &v6) || (net_address_is_v4(a) && a->bytes[V4_OFFSET] == 127);
}

struct net_address net_address_network(const struct net_address *a)
{
    struct net_address network = *a;
    if (!net_address_is_v4(a))
        memset(network.bytes + NETWORK_BYTES, 0, NET_ADDRESS_BYTES - NETWORK_BYTES);
    return network;
}

static bool read_v4(struct bytes text, uint8_t out[V4_BYTES])
{
    for (size_t i = 0; i < V4_BYTES; i++) {
        size_t dot = bytes_find(text, '.');
        uint64_t n;
        if ((dot == text.len) != (i == V4_BYTES - 1) ||
            !number_parse_u64(bytes_first(text, dot), &n) || n > UINT8_MAX)
            return false;
        out[i] = (uint8_t)n;
        text = bytes_from(text, dot == text.len ? dot : dot + 1);
    }
    return true;
}

static int hex_digit(uint8_t c)
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
        int digit = hex_digit(text.data[i]);
        if (digit < 0)
            return false;
        n = n << 4 | (unsigned)digit;
    }
    out[0] = (uint8_t)(n >> 8);
    out[1] = (uint8_t)n;
    return true;
}

/* Groups between colons, the last of which may be an IPv4 address; how many bytes they are, or
 * -1. Empty text is no groups. */
static int read_groups(struct bytes text, uint8_t out[NET_ADDRESS_BYTES])
{
    int n = 0;
    for (bool more = text.len > 0; more;) {
        size_t colon = bytes_find(text, ':');
        struct bytes group = bytes_first(text, colon);
        more = colon < text.len;
        bool v4 = !more && bytes_find(group, '.') < group.len;
        int bytes = v4 ? V4_BYTES : 2;
        if (n + bytes > NET_ADDRESS_BYTES ||
            !(v4 ? read_v4(group, out + n) : read_group(group, out + n)))
            return -1;
        n += bytes;
        text = bytes_from(text, more ? colon + 1 : colon);
    }
    return n;
}

/* Where "::" stands, or text.len. */
static size_t find_gap(struct bytes text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.data[i] == ':' && text.data[i + 1] == ':')
            return i;
    return text.len;
}

static bool read_v6(struct bytes text, uint8_t out[NET_ADDRESS_BYTES])
{
    uint8_t head[NET_ADDRESS_BYTES], tail[NET_ADDRESS_BYTES];
    size_t gap = find_gap(text);
    int before = read_groups(bytes_first(text, gap), head);
    if (gap == text.len) {
        memcpy(out, head, NET_ADDRESS_BYTES);
        return before == NET_ADDRESS_BYTES;
    }
    int after = read_groups(bytes_from(text, gap + 2), tail);
    if (before < 0 || after < 0 || before + after > NET_ADDRESS_BYTES - 2 ||
        bytes_find(bytes_first(text, gap), '.') < gap)
        return false;
    memset(out, 0, NET_ADDRESS_BYTES);
    memcpy(out, head, (size_t)before);
    memcpy(out + NET_ADDRESS_BYTES - after, tail, (size_t)after);
    return true;
}

bool net_address_read(struct bytes text, struct net_address *ret)
{
    struct net_address a;
    memcpy(a.bytes, mapped, sizeof mapped);
    if (!read_v4(text, a.bytes + V4_OFFSET) && !read_v6(text, a.bytes))
        return false;
    *ret = a;
    return true;
}

/* ---- writing */

enum { GROUPS = NET_ADDRESS_BYTES / 2 };

static unsigned group_at(const uint8_t *address, size_t i)
{
    return (unsigned)address[2 * i] << 8 | address[2 * i + 1];
}

/* The longest run of two or more groups of zero, the first of those as long. */
static void find_zeros(const uint8_t *address, size_t *ret_first, size_t *ret_count)
{
    *ret_first = GROUPS;
    *ret_count = 1;
    for (size_t i = 0; i < GROUPS; i++) {
        size_t n = 0;
        while (i + n < GROUPS && group_at(address, i + n) == 0)
            n++;
        if (n > *ret_count) {
            *ret_first = i;
            *ret_count = n;
        }
        i += n;
    }
}

void net_address_write(char out[NET_ADDRESS_TEXT_BYTES], const struct net_address *a)
{
    const uint8_t *address = a->bytes;
    if (net_address_is_v4(a)) {
        const uint8_t *v4 = address + V4_OFFSET;
        snprintf(out, NET_ADDRESS_TEXT_BYTES, "%u.%u.%u.%u", v4[0], v4[1], v4[2], v4[3]);
        return;
    }
    size_t zeros, count, n = 0;
    find_zeros(address, &zeros, &count);
    for (size_t i = 0; i < GROUPS; i++) {
        const char *colon = i > 0 && i != zeros + count ? ":" : "";
        if (i == zeros) {
            n += (size_t)snprintf(out + n, NET_ADDRESS_TEXT_BYTES - n, "::");
            i += count - 1;
        } else {
            n += (size_t)snprintf(out + n, NET_ADDRESS_TEXT_BYTES - n, "%s%x", colon,
                                  group_at(address, i));
        }
    }
}
