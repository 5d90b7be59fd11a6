/* kith echo [TEXT]: sends a message and prints the reply. */

#include "kith/command.h"

#include "io/problem.h"

static void print_reply(struct output *o, struct bytes reply)
{
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_bytes(&j, "reply", reply);
        output_json(o, &j);
    } else {
        output_line(o, o->quiet ? "" : "Received from server: ", reply);
    }
}

int echo_run(struct session *s)
{
    const struct resp_value *reply;
    struct buffer text;
    buffer_init(&text, SIZE_MAX);
    int r = options_join(&s->options, 1, &text);
    struct bytes argv[] = {bytes_from_str("ECHO"), buffer_view(&text)};
    if (s->options.word_count == 1)
        argv[1] = bytes_from_str("Hello, server!");
    if (r < 0) {
        buffer_fini(&text);
        return session_fail(s, EXIT_NO, "%s", problem_text(r));
    }
    int code = session_ask(s, argv, 2, &reply);
    if (code == EXIT_DONE && reply->kind != RESP_BULK)
        code = session_strange(s);
    if (code == EXIT_DONE)
        print_reply(&s->output, reply->text);
    buffer_fini(&text);
    return code;
}
