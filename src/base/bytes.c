#include "base/bytes.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return true;
}

bool bytes_starts_with(struct bytes b, const char *prefix)
{
    size_t n = strlen(prefix);
    return b.len >= n && bytes_equal(bytes_first(b, n), bytes_make(prefix, n));
}

struct bytes bytes_trim(struct bytes b)
{
    while (b.len > 0 && is_blank(b.data[0]))
        b = bytes_from(b, 1);
    while (b.len > 0 && is_blank(b.data[b.len - 1]))
        b.len--;
    return b;
}

size_t bytes_find(struct bytes b, uint8_t c)
{
    const uint8_t *at = b.len > 0 ? memchr(b.data, c, b.len) : NULL;
    return at ? (size_t)(at - b.data) : b.len;
}

struct bytes bytes_next_word(struct bytes *rest)
{
    struct bytes b = *rest;
    while (b.len > 0 && is_blank(b.data[0]))
        b = bytes_from(b, 1);
    size_t n = 0;
    while (n < b.len && !is_blank(b.data[n]))
        n++;
    *rest = bytes_from(b, n);
    return bytes_first(b, n);
}

struct bytes bytes_next_line(struct bytes *rest)
{
    struct bytes b = *rest;
    size_t n = bytes_find(b, '\n');
    *rest = bytes_from(b, n < b.len ? n + 1 : n);
    return bytes_first(b, n > 0 && n < b.len && b.data[n - 1] == '\r' ? n - 1 : n);
}
