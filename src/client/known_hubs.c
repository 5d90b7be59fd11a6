#include "client/known_hubs.h"

#include "base/fingerprint.h"

struct entry {
    struct bytes address, fingerprint;
};

static struct bytes next_line(struct bytes *text)
{
    size_t end = bytes_find(*text, '\n');
    struct bytes line = bytes_first(*text, end);
    *text = bytes_from(*text, end < text->len ? end + 1 : end);
    return line;
}

static bool means_nothing(struct bytes line)
{
    return line.len == 0 || line.data[0] == '#';
}

static bool read_entry(struct bytes line, struct entry *ret)
{
    struct fingerprint print;
    size_t end = bytes_find(line, ' ');
    if (end == 0 || end == line.len)
        return false;
    *ret = (struct entry){bytes_first(line, end), bytes_from(line, end + 1)};
    return fingerprint_read(ret->fingerprint, &print);
}

int known_hubs_find(struct bytes text, struct bytes address, struct bytes *ret,
                    size_t *ret_line)
{
    struct bytes found = {0};
    for (size_t n = 1; text.len > 0; n++) {
        struct bytes line = next_line(&text);
        struct entry e;
        if (means_nothing(line))
            continue;
        bool whole = read_entry(line, &e), is_it = whole && bytes_equal(e.address, address);
        if (!whole || (is_it && found.len > 0)) {
            *ret_line = n;
            return KNOWN_HUBS_DAMAGED;
        }
        if (is_it)
            found = e.fingerprint;
    }
    *ret = found;
    return 0;
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
        struct entry e;
        if (!read_entry(line, &e) || !bytes_equal(e.address, address))
            r = append_line(out, line);
    }
    if (r == 0)
        r = buffer_append_bytes(out, address);
    if (r == 0)
        r = buffer_append_str(out, " ");
    return r == 0 ? append_line(out, fingerprint) : r;
}
