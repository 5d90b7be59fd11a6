/* kith ls [PREFIX]: the keys there are. */

#include "kith/command.h"

#define COUNT "1000" /* a scan's step: enough to make the round trips few */

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

static void print_key(struct session *s, struct bytes key)
{
    if (!s->output.json) {
        output_line(&s->output, "", key);
        return;
    }
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "key", key);
    output_json(&s->output, &j);
}

/* Prints one step's keys; *cursor is where the next one begins. */
static int step(struct session *s, struct bytes pattern, struct buffer *cursor)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("SCAN"),  buffer_view(cursor),
                           bytes_from_str("MATCH"), pattern,
                           bytes_from_str("COUNT"), bytes_from_str(COUNT)};
    int code = session_ask(s, argv, 6, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_ARRAY || reply->number != 2 || reply[1].kind != RESP_BULK ||
        reply[2].kind != RESP_ARRAY)
        return session_strange(s);
    buffer_truncate(cursor, 0);
    if (buffer_append_bytes(cursor, reply[1].text) != 0)
        return session_strange(s);
    const struct resp_value *keys = &reply[2];
    for (int64_t i = 0; i < keys->number && s->output.failed == 0; i++)
        print_key(s, keys[1 + i].text);
    return EXIT_DONE;
}

int ls_run(struct session *s)
{
    enum { CURSOR_BYTES = 32 };
    struct buffer pattern, cursor;
    buffer_init(&pattern, SIZE_MAX);
    buffer_init(&cursor, CURSOR_BYTES);
    int code = EXIT_USAGE;
    if (write_pattern(&pattern, s->options.word_count > 1 ? s->options.words[1] : "") != 0 ||
        buffer_append_str(&cursor, "0") != 0)
        code = session_fail(s, EXIT_USAGE, "out of memory");
    else
        do
            code = step(s, buffer_view(&pattern), &cursor);
        while (code == EXIT_DONE && s->output.failed == 0 &&
               !bytes_equal_str(buffer_view(&cursor), "0"));
    buffer_fini(&pattern);
    buffer_fini(&cursor);
    return code;
}
