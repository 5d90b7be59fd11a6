#include "base/utf8.h"

size_t utf8_decode(struct bytes b, uint32_t *ret_code)
{
    uint8_t c = b.data[0];
    size_t n = c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : (c & 0xf0) == 0xe0    ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;
    if (n == 0 || n > b.len)
        return 0;
    uint32_t code = n == 1 ? c : c & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((b.data[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (b.data[i] & 0x3f);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *ret_code = code;
    return n;
}

bool utf8_is_valid(struct bytes b)
{
    uint32_t code;
    while (b.len > 0) {
        size_t n = utf8_decode(b, &code);
        if (n == 0)
            return false;
        b = bytes_from(b, n);
    }
    return true;
}
