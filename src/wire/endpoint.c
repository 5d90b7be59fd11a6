#include "wire/endpoint.h"

#include "base/number.h"

#include <stdio.h>

enum { V4_BYTES = 4, V4_OFFSET = ENDPOINT_ADDRESS_BYTES - V4_BYTES };

static const uint8_t mapped[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};

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
static int read_groups(struct bytes text, uint8_t out[ENDPOINT_ADDRESS_BYTES])
{
    int n = 0;
    for (bool more = text.len > 0; more;) {
        size_t colon = bytes_find(text, ':');
        struct bytes group = bytes_first(text, colon);
        more = colon < text.len;
        bool v4 = !more && bytes_find(group, '.') < group.len;
        int bytes = v4 ? V4_BYTES : 2;
        if (n + bytes > ENDPOINT_ADDRESS_BYTES ||
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

static bool read_v6(struct bytes text, uint8_t out[ENDPOINT_ADDRESS_BYTES])
{
    uint8_t head[ENDPOINT_ADDRESS_BYTES], tail[ENDPOINT_ADDRESS_BYTES];
    size_t gap = find_gap(text);
    int before = read_groups(bytes_first(text, gap), head);
    if (gap == text.len) {
        memcpy(out, head, ENDPOINT_ADDRESS_BYTES);
        return before == ENDPOINT_ADDRESS_BYTES;
    }
    int after = read_groups(bytes_from(text, gap + 2), tail);
    if (before < 0 || after < 0 || before + after > ENDPOINT_ADDRESS_BYTES - 2 ||
        bytes_find(bytes_first(text, gap), '.') < gap)
        return false;
    memset(out, 0, ENDPOINT_ADDRESS_BYTES);
    memcpy(out, head, (size_t)before);
    memcpy(out + ENDPOINT_ADDRESS_BYTES - after, tail, (size_t)after);
    return true;
}

static bool read_port(struct bytes text, uint16_t *ret)
{
    uint64_t n;
    if (!number_parse_u64(text, &n) || n < ENDPOINT_PORT_MIN || n > UINT16_MAX)
        return false;
    *ret = (uint16_t)n;
    return true;
}

bool endpoint_read(struct bytes text, struct endpoint *ret)
{
    struct endpoint e;
    if (text.len > ENDPOINT_TEXT_BYTES)
        return false;
    if (!bytes_starts_with(text, "[")) {
        size_t colon = bytes_find(text, ':');
        memcpy(e.address, mapped, sizeof mapped);
        if (colon == text.len || !read_v4(bytes_first(text, colon), e.address + V4_OFFSET) ||
            !read_port(bytes_from(text, colon + 1), &e.port))
            return false;
        *ret = e;
        return true;
    }
    size_t end = bytes_find(text, ']');
    if (end + 1 >= text.len || text.data[end + 1] != ':' ||
        !read_v6(bytes_from(bytes_first(text, end), 1), e.address) ||
        !read_port(bytes_from(text, end + 2), &e.port))
        return false;
    *ret = e;
    return true;
}

/* ---- writing */

enum { GROUPS = ENDPOINT_ADDRESS_BYTES / 2 };

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

void endpoint_write_address(char out[ENDPOINT_ADDRESS_TEXT_BYTES],
                            const uint8_t address[ENDPOINT_ADDRESS_BYTES])
{
    if (memcmp(address, mapped, sizeof mapped) == 0) {
        const uint8_t *v4 = address + V4_OFFSET;
        snprintf(out, ENDPOINT_ADDRESS_TEXT_BYTES, "%u.%u.%u.%u", v4[0], v4[1], v4[2], v4[3]);
        return;
    }
    size_t zeros, count, n = 0;
    find_zeros(address, &zeros, &count);
    for (size_t i = 0; i < GROUPS; i++) {
        const char *colon = i > 0 && i != zeros + count ? ":" : "";
        if (i == zeros) {
            n += (size_t)snprintf(out + n, ENDPOINT_ADDRESS_TEXT_BYTES - n, "::");
            i += count - 1;
        } else {
            n += (size_t)snprintf(out + n, ENDPOINT_ADDRESS_TEXT_BYTES - n, "%s%x", colon,
                                  group_at(address, i));
        }
    }
}
