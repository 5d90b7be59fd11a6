/* kith get KEY: fetches a value. */

#include "kith/command.h"

static void print_value(struct output *o, struct bytes key, struct bytes value)
{
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_bytes(&j, "key", key);
        json_bytes(&j, "value", value);
        output_json(o, &j);
        return;
    }
    output_text(o, value);
    if (!o->terminal)
        output_bytes(o, bytes_from_str("\n"));
}

int get_key(struct session *s, struct bytes key)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("GET"), key};
    int code = session_check_key(s, key);
    if (code == EXIT_DONE)
        code = session_ask(s, argv, 2, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind == RESP_NULL)
        return session_no_such_key(s, key);
    if (reply->kind != RESP_BULK)
        return session_strange(s);
    print_value(&s->output, key, reply->text);
    return EXIT_DONE;
}

int get_run(struct session *s)
{
    struct bytes key;
    int code = session_word(s, 1, "Key: ", "the key is missing", &key);
    return code == EXIT_DONE ? get_key(s, key) : code;
}
