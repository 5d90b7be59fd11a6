/* kith name [NEW]: what the hub is called, or calls it so. */

#include "kith/command.h"

int name_run(struct session *s)
{
    struct output *o = &s->output;
    const struct options *options = &s->options;
    bool set = options->word_count > 1;
    const struct resp_value *reply;
    struct bytes argv[2] = {bytes_from_str("NAME")};
    if (set)
        argv[1] = bytes_from_str(options->words[1]);
    int code = session_ask(s, argv, set ? 2 : 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_BULK && reply->kind != RESP_STATUS)
        return session_strange(s);
    struct bytes name = set ? argv[1] : reply->text;
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_bytes(&j, "name", name);
        output_json(o, &j);
    } else if (!set || !o->quiet) {
        output_line(o, "", name);
    }
    return EXIT_DONE;
}
