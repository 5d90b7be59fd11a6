#include "client/json.h"

#include "base/clean.h"
#include "base/utf8.h"

#include <sodium.h>

static void put(struct json *j, const void *data, size_t n)
{
    int r = j->failed ? 0 : buffer_append(j->out, data, n);
    if (r != 0)
        j->failed = r;
}

static void put_str(struct json *j, const char *s)
{
    put(j, s, strlen(s));
}

static void put_unit(struct json *j, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u'};
    for (int i = 0; i < 4; i++)
        text[2 + i] = hex[unit >> (12 - 4 * i) & 0xf];
    put(j, text, sizeof text);
}

/* As \u escapes; past U+FFFF they come in pairs (RFC 8259, section 7). */
static void put_escape(struct json *j, uint32_t code)
{
    if (code < 0x10000) {
        put_unit(j, code);
        return;
    }
    put_unit(j, 0xd800 + ((code - 0x10000) >> 10));
    put_unit(j, 0xdc00 + ((code - 0x10000) & 0x3ff));
}

static void put_char(struct json *j, struct bytes c, uint32_t code)
{
    if (code == '\n') {
        put_str(j, "\\n");
    } else if (code == '\r') {
        put_str(j, "\\r");
    } else if (code == '\t') {
        put_str(j, "\\t");
    } else if (!clean_is_clean(c)) {
        put_escape(j, code);
    } else {
        if (code == '"' || code == '\\')
            put_str(j, "\\");
        put(j, c.data, c.len);
    }
}

/* How many bytes at the front are written as they are, most of nearly any text. */
static size_t plain(struct bytes text)
{
    size_t n = 0;
    while (n < text.len && text.data[n] >= ' ' && text.data[n] < 0x7f && text.data[n] != '"' &&
           text.data[n] != '\\')
        n++;
    return n;
}

/* text is UTF-8. */
static void put_text(struct json *j, struct bytes text)
{
    put_str(j, "\"");
    while (text.len > 0) {
        size_t as_it_is = plain(text);
        put(j, text.data, as_it_is);
        text = bytes_from(text, as_it_is);
        if (text.len == 0)
            break;
        uint32_t code = 0;
        size_t n = utf8_decode(text, &code);
        put_char(j, bytes_first(text, n), code);
        text = bytes_from(text, n);
    }
    put_str(j, "\"");
}

static void put_base64(struct json *j, struct bytes b)
{
    size_t len = sodium_base64_ENCODED_LEN(b.len, sodium_base64_VARIANT_ORIGINAL);
    uint8_t *space;
    put_str(j, "\"");
    int r = j->failed ? 0 : buffer_reserve(j->out, len, &space);
    if (r != 0)
        j->failed = r;
    if (j->failed)
        return;
    sodium_bin2base64((char *)space, len, b.data, b.len, sodium_base64_VARIANT_ORIGINAL);
    buffer_wrote(j->out, len - 1); /* without its NUL */
    put_str(j, "\"");
}

static void put_comma(struct json *j)
{
    if (j->comma)
        put_str(j, ",");
    j->comma = true;
}

static void put_name(struct json *j, const char *name, const char *suffix)
{
    put_comma(j);
    put_str(j, "\"");
    put_str(j, name);
    put_str(j, suffix);
    put_str(j, "\":");
}

struct json json_begin(struct buffer *out)
{
    struct json j = {.out = out};
    put_str(&j, "{");
    return j;
}

void json_bytes(struct json *j, const char *name, struct bytes value)
{
    if (utf8_is_valid(value)) {
        put_name(j, name, "");
        put_text(j, value);
    } else {
        put_name(j, name, "_base64");
        put_base64(j, value);
    }
}

void json_str(struct json *j, const char *name, const char *value)
{
    json_bytes(j, name, bytes_from_str(value));
}

void json_number(struct json *j, const char *name, int64_t value)
{
    put_name(j, name, "");
    int r = j->failed ? 0 : buffer_printf(j->out, "%lld", (long long)value);
    if (r != 0)
        j->failed = r;
}

void json_bool(struct json *j, const char *name, bool value)
{
    put_name(j, name, "");
    put_str(j, value ? "true" : "false");
}

void json_open(struct json *j, const char *name)
{
    put_name(j, name, "");
    put_str(j, "{");
    j->comma = false;
}

void json_close(struct json *j)
{
    put_str(j, "}");
    j->comma = true;
}

void json_pair(struct json *j, struct bytes name, struct bytes value)
{
    if (!utf8_is_valid(name) || !utf8_is_valid(value))
        return;
    put_comma(j);
    put_text(j, name);
    put_str(j, ":");
    put_text(j, value);
}

int json_end(struct json *j)
{
    put_str(j, "}\n");
    return j->failed;
}
