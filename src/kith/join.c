/* kith join WHERE: meets a hub over TLS, and remembers what it is known by. */

#include "kith/command.h"
#include "kith/trust.h"

#include <stdio.h>

static int say(struct session *s)
{
    struct output *o = &s->output;
    const char *fingerprint = s->self.hub_print;
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_str(&j, "joined", s->where_text);
        json_str(&j, "fingerprint", fingerprint);
        output_json(o, &j);
    } else if (!o->quiet) {
        char text[WHERE_TEXT_BYTES + FINGERPRINT_TEXT_LEN + 32];
        snprintf(text, sizeof text, "Joined kith://%s#%s", s->where_text, fingerprint);
        output_line(o, "", bytes_from_str(text));
    }
    return EXIT_DONE;
}

int join_run(struct session *s)
{
    if (s->options.word_count < 2)
        return session_fail(s, EXIT_USAGE, "the hub is missing; kith help join says more");
    const char *text = s->options.words[1];
    const char *problem = where_parse(bytes_from_str(text), &s->where);
    if (!problem && s->where.path[0])
        problem = "a hub on this machine needs no joining";
    if (problem)
        return session_fail(s, EXIT_USAGE, "%.200s: %s", text, problem);
    s->where.secure = true;
    where_format(&s->where, s->where_text);
    int code = session_connect(s);
    if (code == EXIT_DONE)
        code = trust_remember(s);
    return code == EXIT_DONE ? say(s) : code;
}
