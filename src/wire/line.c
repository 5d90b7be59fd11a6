#include "wire/line.h"

static int found(struct bytes in, size_t newline, size_t max, size_t *ret_consumed,
                 struct bytes *ret_text, enum line_ending *ret_ending)
{
    bool crlf = newline > 0 && in.data[newline - 1] == '\r';
    size_t len = crlf ? newline - 1 : newline;
    if (len > max)
        return LINE_TOO_LONG;
    *ret_consumed = newline + 1;
    *ret_text = bytes_first(in, len);
    *ret_ending = crlf ? LINE_CRLF : LINE_LF;
    return 0;
}

int line_parse(struct line *l, struct bytes in, size_t max, size_t *ret_consumed,
               struct bytes *ret_text, enum line_ending *ret_ending)
{
    /* Past these bytes no ending helps any more. */
    size_t reach = in.len > max && in.len - max > 2 ? max + 2 : in.len;
    if (l->searched < reach) {
        size_t newline =
            l->searched + bytes_find(bytes_from(bytes_first(in, reach), l->searched), '\n');
        if (newline < reach) {
            l->searched = 0;
            return found(in, newline, max, ret_consumed, ret_text, ret_ending);
        }
        l->searched = reach;
    }
    size_t len = in.len > 0 && in.data[in.len - 1] == '\r' ? in.len - 1 : in.len;
    return len > max ? LINE_TOO_LONG : LINE_MORE;
}

void line_take_bare(struct line *l)
{
    l->searched = 0;
}

struct bytes line_ending_bytes(enum line_ending ending)
{
    switch (ending) {
    case LINE_LF:
        return bytes_from_str("\n");
    case LINE_CRLF:
        return bytes_from_str("\r\n");
    case LINE_BARE:
        break;
    }
    return bytes_make(NULL, 0);
}
