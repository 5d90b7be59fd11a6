#include "wire/endpoint.h"

#include "base/number.h"

#include <stdio.h>

static bool read_port(struct bytes text, uint16_t *ret)
{
    uint64_t n;
    if (!number_parse_u64(text, &n) || n == 0 || n > UINT16_MAX)
        return false;
    *ret = (uint16_t)n;
    return true;
}

bool endpoint_read(struct bytes text, struct endpoint *ret)
{
    bool bracketed = bytes_starts_with(text, "[");
    size_t end = bytes_find(text, bracketed ? ']' : ':'), colon = end + bracketed;
    struct bytes address = bytes_from(bytes_first(text, end), bracketed);
    struct endpoint e;
    if (text.len >= ENDPOINT_TEXT_BYTES || colon >= text.len || text.data[colon] != ':' ||
        (bytes_find(address, ':') < address.len) != bracketed ||
        !net_address_read(address, &e.address) ||
        !read_port(bytes_from(text, colon + 1), &e.port))
        return false;
    *ret = e;
    return true;
}

void endpoint_write(char out[ENDPOINT_TEXT_BYTES], const struct endpoint *e)
{
    char address[NET_ADDRESS_TEXT_BYTES];
    net_address_write(address, &e->address);
    bool v4 = net_address_is_v4(&e->address);
    snprintf(out, ENDPOINT_TEXT_BYTES, "%s%s%s:%u", v4 ? "" : "[", address, v4 ? "" : "]",
             e->port);
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return net_address_equal(&a->address, &b->address) && a->port == b->port;
}
