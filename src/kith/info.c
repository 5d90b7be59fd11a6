/* kith info [SECTION]: what the hub says about itself. */

#include "kith/command.h"

static struct bytes next_line(struct bytes *rest)
{
    size_t n = bytes_find(*rest, '\n');
    struct bytes line = bytes_first(*rest, n);
    *rest = bytes_from(*rest, n < rest->len ? n + 1 : n);
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Lines are "name:value", titles "# Section", and blank ones. */
static void print_json(struct output *o, struct bytes text)
{
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    while (text.len > 0) {
        struct bytes line = next_line(&text);
        size_t colon = bytes_find(line, ':');
        if (line.len > 0 && line.data[0] != '#' && colon < line.len)
            json_pair(&j, bytes_first(line, colon), bytes_from(line, colon + 1));
    }
    output_json(o, &j);
}

int info_run(struct session *s)
{
    const struct options *options = &s->options;
    const struct resp_value *reply;
    struct bytes argv[2] = {bytes_from_str("INFO")};
    bool section = options->word_count > 1;
    if (section)
        argv[1] = bytes_from_str(options->words[1]);
    int code = session_ask(s, argv, section ? 2 : 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_BULK)
        return session_strange(s);
    struct bytes text = reply->text;
    if (section && text.len == 0)
        return session_fail(s, EXIT_NO, "there is no section %.64s; kith info prints them all",
                            options->words[1]);
    if (s->output.json)
        print_json(&s->output, text);
    else
        while (text.len > 0)
            output_line(&s->output, "", next_line(&text));
    return EXIT_DONE;
}
