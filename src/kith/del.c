/* kith del KEY...: removes keys, and says of each whether it was there. */

#include "kith/command.h"

static void print_deleted(struct output *o, struct bytes key)
{
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_bytes(&j, "key", key);
        json_bool(&j, "deleted", true);
        output_json(o, &j);
    } else if (!o->quiet) {
        output_line(o, "Deleted key:", key);
    }
}

static int delete_key(struct session *s, struct bytes key)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("DEL"), key};
    int code = session_check_key(s, key);
    if (code == EXIT_DONE)
        code = session_ask(s, argv, 2, &reply);
    if (code != EXIT_DONE)
        return code;
    if (reply->kind != RESP_INTEGER)
        return session_strange(s);
    if (reply->number == 0)
        return session_no_such_key(s, key);
    print_deleted(&s->output, key);
    return EXIT_DONE;
}

int del_run(struct session *s)
{
    struct bytes key;
    int code = session_word(s, 1, "Key: ", "the key is missing", &key);
    if (code != EXIT_DONE)
        return code;
    code = delete_key(s, key);
    for (size_t i = 2; i < s->options.word_count && code <= EXIT_NO; i++) {
        int next = delete_key(s, bytes_from_str(s->options.words[i]));
        code = next > code ? next : code;
    }
    return code;
}
