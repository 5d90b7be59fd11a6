#include "kith/scan.h"

#define COUNT "1000" /* a step: enough to make the round trips few */

enum { CURSOR_BYTES = 32 };

/* A pattern that matches what begins with the prefix, and nothing in it is special. */
static int write_pattern(struct buffer *out, const char *prefix)
{
    int r = 0;
    for (; *prefix && r == 0; prefix++) {
        if (strchr("*?[]\\^-", *prefix))
            r = buffer_append_str(out, "\\");
        if (r == 0)
            r = buffer_append(out, prefix, 1);
    }
    return r == 0 ? buffer_append_str(out, "*") : r;
}

static int begin(struct scan *scan, struct session *s)
{
    *scan = (struct scan){.session = s};
    buffer_init(&scan->pattern, SIZE_MAX);
    buffer_init(&scan->cursor, CURSOR_BYTES);
    return buffer_append_str(&scan->cursor, "0");
}

int scan_init(struct scan *scan, struct session *s, const char *prefix)
{
    int r = begin(scan, s);
    return r == 0 ? write_pattern(&scan->pattern, prefix) : r;
}

int scan_init_match(struct scan *scan, struct session *s, const char *pattern)
{
    int r = begin(scan, s);
    return r == 0 ? buffer_append_str(&scan->pattern, pattern) : r;
}

void scan_fini(struct scan *scan)
{
    buffer_fini(&scan->pattern);
    buffer_fini(&scan->cursor);
}

static bool is_scan_reply(const struct resp_value *reply)
{
    if (reply->kind != RESP_ARRAY || reply->number != 2 || reply[1].kind != RESP_BULK ||
        reply[2].kind != RESP_ARRAY)
        return false;
    for (int64_t i = 0; i < reply[2].number; i++) {
        if (reply[3 + i].kind != RESP_BULK)
            return false;
    }
    return true;
}

int scan_next(struct scan *scan, const struct resp_value **ret_keys, size_t *ret_count)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("SCAN"),  buffer_view(&scan->cursor),
                           bytes_from_str("MATCH"), buffer_view(&scan->pattern),
                           bytes_from_str("COUNT"), bytes_from_str(COUNT)};
    int code = session_ask(scan->session, argv, 6, &reply);
    if (code != EXIT_DONE)
        return code;
    if (!is_scan_reply(reply))
        return session_strange(scan->session);
    buffer_truncate(&scan->cursor, 0);
    if (buffer_append_bytes(&scan->cursor, reply[1].text) != 0)
        return session_strange(scan->session);
    scan->is_over = bytes_equal_str(reply[1].text, "0");
    *ret_keys = &reply[3];
    *ret_count = (size_t)reply[2].number;
    return EXIT_DONE;
}
