/* kith watch [PREFIX]: tells each change of keys that begin so, until it is stopped. */

#include "client/answer.h"
#include "kith/command.h"

static int print_json(struct session *s, const struct answer_change *c)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_str(&j, "change", answer_change_word(c->kind));
    if (c->kind != ANSWER_FLUSHED)
        json_bytes(&j, "key", c->key);
    if (c->kind == ANSWER_SET)
        json_bytes(&j, "value", c->value);
    output_json(&s->output, &j);
    return EXIT_DONE;
}

/* The line of a change; what buffer_append returns. */
static int write_line(struct buffer *out, const struct answer_change *c)
{
    if (c->kind == ANSWER_FLUSHED)
        return buffer_append_str(out, "(all keys removed)");
    int r = buffer_append_bytes(out, c->key);
    if (r == 0 && c->kind != ANSWER_SET)
        return buffer_append_str(out, c->kind == ANSWER_EXPIRED ? " (expired)" : " (removed)");
    if (r == 0)
        r = buffer_append_str(out, " = ");
    return r == 0 ? buffer_append_bytes(out, c->value) : r;
}

static int print_change(struct session *s, const struct answer_change *c)
{
    if (s->output.json)
        return print_json(s, c);
    struct buffer line;
    buffer_init(&line, SIZE_MAX);
    int code = EXIT_DONE;
    if (write_line(&line, c) == 0)
        output_line(&s->output, "", buffer_view(&line));
    else
        code = session_fail(s, EXIT_NO, "out of memory");
    buffer_fini(&line);
    return code;
}

int watch_run(struct session *s)
{
    const struct resp_value *reply;
    const char *prefix = s->options.word_count > 1 ? s->options.words[1] : "";
    struct bytes hello[] = {bytes_from_str("HELLO"), bytes_from_str("3")};
    struct bytes follow[] = {bytes_from_str("FOLLOW"), bytes_from_str(prefix)};
    int code = session_ask(s, hello, 2, &reply);
    if (code == EXIT_DONE)
        code = session_ask(s, follow, 2, &reply);
    while (code == EXIT_DONE && s->output.failed == 0) {
        struct answer_change change;
        code = session_hear(s, &reply);
        if (code == EXIT_DONE)
            code =
                answer_change(reply, &change) ? print_change(s, &change) : session_strange(s);
    }
    return code;
}
