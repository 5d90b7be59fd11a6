/* kith quit: stops the hub. A hub that stops closes the connection and answers nothing. */

#include "kith/command.h"

int quit_run(struct session *s)
{
    struct output *o = &s->output;
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("SHUTDOWN")};
    int code = session_ask_last(s, argv, 1, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply)
        return session_strange(s);
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_bool(&j, "stopped", true);
        output_json(o, &j);
    } else if (!o->quiet) {
        output_line(o, "Server Quitting..!", bytes_make(NULL, 0));
    }
    return EXIT_DONE;
}
