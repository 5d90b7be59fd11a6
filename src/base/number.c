#include "base/number.h"

bool number_parse_u64(struct bytes b, uint64_t *ret)
{
    if (b.len == 0 || b.len > 20 || (b.len > 1 && b.data[0] == '0'))
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.data[i];
        if (c < '0' || c > '9' || v > (UINT64_MAX - (uint64_t)(c - '0')) / 10)
            return false;
        v = v * 10 + (uint64_t)(c - '0');
    }
    *ret = v;
    return true;
}

bool number_parse_i64(struct bytes b, int64_t *ret)
{
    bool negative = b.len > 0 && b.data[0] == '-';
    uint64_t v;
    if (!number_parse_u64(negative ? bytes_from(b, 1) : b, &v))
        return false;
    if (negative) {
        if (v == 0 || v > (uint64_t)INT64_MAX + 1)
            return false;
        *ret = (int64_t)(0 - v);
        return true;
    }
    if (v > INT64_MAX)
        return false;
    *ret = (int64_t)v;
    return true;
}

static size_t put_digits(char *out, uint64_t v)
{
    char digits[NUMBER_INT64_CHARS];
    size_t n = 0, len = 0;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    while (n > 0)
        out[len++] = digits[--n];
    return len;
}

size_t number_format_u64(char out[NUMBER_INT64_CHARS], uint64_t v)
{
    return put_digits(out, v);
}

size_t number_format_i64(char out[NUMBER_INT64_CHARS], int64_t v)
{
    if (v >= 0)
        return put_digits(out, (uint64_t)v);
    out[0] = '-';
    return 1 + put_digits(out + 1, 0 - (uint64_t)v);
}
