#include "base/clean.h"

#include "base/utf8.h"

static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0)            /* C0, DEL, C1 */
           || c == 0xad || c == 0x61c                     /* soft hyphen, Arabic letter mark */
           || c == 0x180e                                 /* Mongolian vowel separator */
           || (c >= 0x200b && c <= 0x200f)                /* zero width, LRM, RLM */
           || (c >= 0x2028 && c <= 0x202e)                /* separators, bidi embeddings */
           || (c >= 0x2060 && c <= 0x206f)                /* word joiner, bidi isolates */
           || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) /* BOM, interlinear annotations */
           || (c >= 0x1bca0 && c <= 0x1bca3)              /* shorthand format controls */
           || (c >= 0x1d173 && c <= 0x1d17a)              /* musical format controls */
           || (c >= 0xe0000 && c <= 0xe007f);             /* tags */
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
