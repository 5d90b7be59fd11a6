/* kith forget NAME: what is known of somebody's devices is forgotten. He is met anew then. */

#include "kith/command.h"
#include "kith/trust.h"
#include "meet/peer_trust.h"

#include <stdio.h>

static int say(struct session *s, const char *name, size_t count)
{
    struct output *o = &s->output;
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_str(&j, "forgotten", name);
        json_number(&j, "devices", (int64_t)count);
        output_json(o, &j);
    } else if (!o->quiet) {
        char text[ACCOUNT_NAME_BYTES + WHERE_TEXT_BYTES + 64];
        snprintf(text, sizeof text, "Forgot %zu device%s of %s at %s", count,
                 count == 1 ? "" : "s", name, s->where_text);
        output_line(o, "", bytes_from_str(text));
    }
    return EXIT_DONE;
}

int forget_run(struct session *s)
{
    struct trouble t;
    struct bytes word;
    char name[ACCOUNT_NAME_BYTES + 1];
    size_t count = 0;
    int code = session_word(s, 1, "Whom: ", "the name is missing", &word);
    if (code != EXIT_DONE)
        return code;
    if (!account_name_is_valid(word))
        return session_fail(s, EXIT_USAGE, "nobody can be called that");
    account_name_fold(word, name);
    if (self_known_hub(&s->self, &t) != TROUBLE_NONE ||
        peer_trust_forget(&s->self, name, &count, &t) != TROUBLE_NONE)
        return session_trouble(s, &t);
    if (count == 0)
        return session_fail(s, EXIT_NO, "nothing is known of %s at %s", name, s->where_text);
    return say(s, name, count);
}
