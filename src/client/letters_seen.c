#include "client/letters_seen.h"

enum { LINE_BYTES = RANDOM_ID_TEXT_LEN + 1 };

static struct bytes next_line(struct bytes *text)
{
    size_t end = bytes_find(*text, '\n');
    struct bytes line = bytes_first(*text, end);
    *text = bytes_from(*text, end < text->len ? end + 1 : end);
    return line;
}

bool letters_seen_has(struct bytes text, const struct random_id *id)
{
    char line[RANDOM_ID_TEXT_LEN + 1];
    random_id_write(line, id);
    while (text.len > 0)
        if (bytes_equal_str(next_line(&text), line))
            return true;
    return false;
}

int letters_seen_add(struct buffer *text, const struct random_id *id)
{
    char line[LINE_BYTES + 1];
    random_id_write(line, id);
    line[RANDOM_ID_TEXT_LEN] = '\n';
    while (buffer_len(text) + LINE_BYTES > LETTERS_SEEN_BYTES) {
        struct bytes rest = buffer_view(text);
        next_line(&rest);
        buffer_consume(text, buffer_len(text) - rest.len);
    }
    return buffer_append(text, line, LINE_BYTES);
}
