#include "client/known_hubs.h"

static struct bytes next_line(struct bytes *text)
{
    size_t end = bytes_find(*text, '\n');
    struct bytes line = bytes_first(*text, end);
    *text = bytes_from(*text, end < text->len ? end + 1 : end);
    return line;
}

/* The fingerprint, where the line is about that address. */
static struct bytes match(struct bytes line, struct bytes address)
{
    struct bytes none = {0};
    if (line.len <= address.len + 1 || memcmp(line.data, address.data, address.len) != 0 ||
        line.data[address.len] != ' ')
        return none;
    return bytes_from(line, address.len + 1);
}

struct bytes known_hubs_find(struct bytes text, struct bytes address)
{
    while (text.len > 0) {
        struct bytes found = match(next_line(&text), address);
        if (found.len > 0)
            return found;
    }
    return (struct bytes){0};
}

static int append_line(struct buffer *out, struct bytes line)
{
    int r = buffer_append_bytes(out, line);
    return r == 0 ? buffer_append_str(out, "\n") : r;
}

int known_hubs_set(struct bytes text, struct bytes address, struct bytes fingerprint,
                   struct buffer *out)
{
    int r = 0;
    while (r == 0 && text.len > 0) {
        struct bytes line = next_line(&text);
        if (match(line, address).len == 0)
            r = append_line(out, line);
    }
    if (r == 0)
        r = buffer_append_bytes(out, address);
    if (r == 0)
        r = buffer_append_str(out, " ");
    return r == 0 ? append_line(out, fingerprint) : r;
}
