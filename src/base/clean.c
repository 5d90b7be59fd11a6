#include "base/clean.h"

/* Length of the well-formed UTF-8 sequence at the front (RFC 3629), 0 where there is none. */
static size_t utf8_decode(struct bytes b, uint32_t *ret_code)
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

static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) /* C0, DEL, C1 */
           || c == 0xad || c == 0x61c          /* soft hyphen, Arabic letter mark */
           || c == 0x180e                      /* Mongolian vowel separator */
           || (c >= 0x200b && c <= 0x200f)     /* zero width, LRM, RLM */
           || (c >= 0x2028 && c <= 0x202e)     /* separators, bidi embeddings */
           || (c >= 0x2060 && c <= 0x206f)     /* word joiner, bidi isolates */
           || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f) ||
           (c >= 0x1bca0 && c <= 0x1bca3) || (c >= 0x1d173 && c <= 0x1d17a);
}

static size_t clean_prefix(struct bytes b)
{
    uint32_t code;
    size_t n = utf8_decode(b, &code);
    return n > 0 && !is_unsafe(code) ? n : 0;
}

bool clean_is_clean(struct bytes text)
{
    while (text.len > 0) {
        size_t n = clean_prefix(text);
        if (n == 0)
            return false;
        text = bytes_from(text, n);
    }
    return true;
}

int clean_append(struct buffer *out, struct bytes text, size_t max)
{
    while (text.len > 0) {
        size_t n = clean_prefix(text);
        bool clean = n > 0;
        n = clean ? n : 1;
        if (n > max)
            return buffer_append_str(out, "...");
        int r = clean ? buffer_append(out, text.data, n)
                      : buffer_printf(out, "\\x%02x", text.data[0]);
        if (r != 0)
            return r;
        max -= n;
        text = bytes_from(text, n);
    }
    return 0;
}
