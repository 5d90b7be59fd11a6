#include "base/log_line.h"

#include "base/clean.h"

enum { LOG_VALUE_BYTES_MAX = 256 };

static const char *const level_names[] = {"info", "warning", "error"};

static void note(struct log_line *line, int r)
{
    if (r != 0)
        line->failed = true;
}

struct log_line log_line_begin(struct buffer *out, enum log_level level, const char *message)
{
    struct log_line line = {.out = out, .start = buffer_len(out)};
    note(&line, buffer_printf(out, "level=%s", level_names[level]));
    log_line_str(&line, "msg", message);
    return line;
}

static bool needs_quotes(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\')
            return true;
    }
    return value.len == 0;
}

static void append_quoted(struct log_line *line, struct bytes value, bool cut)
{
    note(line, buffer_append(line->out, "\"", 1));
    while (value.len > 0) {
        size_t n = bytes_find(value, '"');
        size_t slash = bytes_find(value, '\\');
        n = n < slash ? n : slash;
        note(line, clean_append(line->out, bytes_first(value, n), LOG_VALUE_BYTES_MAX));
        if (n < value.len) {
            note(line, buffer_append(line->out, "\\", 1));
            note(line, buffer_append(line->out, value.data + n, 1));
            n++;
        }
        value = bytes_from(value, n);
    }
    note(line, buffer_append_str(line->out, cut ? "...\"" : "\""));
}

/* At most n bytes, not cut within a UTF-8 sequence. */
static struct bytes first_characters(struct bytes b, size_t n)
{
    size_t len = n;
    while (len + 3 > n && (b.data[len] & 0xc0) == 0x80)
        len--;
    return bytes_first(b, len);
}

void log_line_bytes(struct log_line *line, const char *key, struct bytes value)
{
    bool cut = value.len > LOG_VALUE_BYTES_MAX;
    struct bytes shown = cut ? first_characters(value, LOG_VALUE_BYTES_MAX) : value;
    note(line, buffer_printf(line->out, " %s=", key));
    if (needs_quotes(shown))
        append_quoted(line, shown, cut);
    else
        note(line, clean_append(line->out, value, LOG_VALUE_BYTES_MAX));
}

void log_line_str(struct log_line *line, const char *key, const char *value)
{
    log_line_bytes(line, key, bytes_from_str(value));
}

void log_line_number(struct log_line *line, const char *key, int64_t value)
{
    note(line, buffer_printf(line->out, " %s=%lld", key, (long long)value));
}

void log_line_end(struct log_line *line)
{
    note(line, buffer_append(line->out, "\n", 1));
    if (line->failed)
        buffer_truncate(line->out, line->start);
}
