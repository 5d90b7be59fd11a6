#include "io/own_addresses.h"

#include "io/address.h"

#include <uv.h>

static unsigned count_bits(const uint8_t *mask, size_t n)
{
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++)
        bits += (unsigned)__builtin_popcount(mask[i]);
    return bits;
}

static struct own_address take(const uv_interface_address_t *i)
{
    struct own_address own = {0};
    struct address a = {.is_v6 = i->address.address4.sin_family == AF_INET6};
    if (a.is_v6) {
        a.v6 = i->address.address6.sin6_addr;
        own.prefix_bits = count_bits(i->netmask.netmask6.sin6_addr.s6_addr, 16);
    } else {
        a.v4 = i->address.address4.sin_addr;
        own.prefix_bits = count_bits((const uint8_t *)&i->netmask.netmask4.sin_addr, 4);
    }
    address_as_v6(&a, own.address.bytes);
    return own;
}

size_t own_addresses(struct own_address *out, size_t max)
{
    uv_interface_address_t *all;
    int count;
    if (uv_interface_addresses(&all, &count) < 0)
        return 0;
    size_t n = 0;
    for (int i = 0; i < count && n < max; i++)
        out[n++] = take(&all[i]);
    uv_free_interface_addresses(all, count);
    return n;
}

bool own_addresses_equal(const struct own_address *a, size_t a_count,
                         const struct own_address *b, size_t b_count)
{
    for (size_t i = 0; i < a_count && a_count == b_count; i++)
        if (!net_address_equal(&a[i].address, &b[i].address) ||
            a[i].prefix_bits != b[i].prefix_bits)
            return false;
    return a_count == b_count;
}

static bool is_link_local(const struct net_address *a)
{
    const uint8_t *b = a->bytes;
    return net_address_is_v4(a) ? b[12] == 169 && b[13] == 254
                                : b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
}

bool own_addresses_for_others(const struct own_address *own, size_t count, bool is_v6,
                              struct net_address *ret)
{
    for (size_t i = 0; i < count; i++) {
        const struct net_address *a = &own[i].address;
        if (net_address_is_v4(a) == is_v6 || net_address_is_loopback(a) || is_link_local(a))
            continue;
        *ret = *a;
        return true;
    }
    return false;
}

bool own_addresses_lack(const struct own_address *own, size_t count, const struct channel *c)
{
    struct address near_end;
    struct net_address at;
    if (count == OWN_ADDRESSES_MAX || !channel_own_end(c, &near_end))
        return false;
    address_as_v6(&near_end, at.bytes);
    for (size_t i = 0; i < count; i++)
        if (net_address_equal(&own[i].address, &at))
            return false;
    return true;
}
