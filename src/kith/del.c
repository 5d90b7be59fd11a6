/* kith del KEY...: removes keys, and says of each whether it was there. Ends with the first
 * that cannot be removed. */

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

/* EXIT_DONE with whether it was there. */
static int delete_key(struct session *s, struct bytes key, bool *ret_was_there)
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
    *ret_was_there = reply->number > 0;
    if (*ret_was_there)
        print_deleted(&s->output, key);
    else
        session_no_such_key(s, key);
    return EXIT_DONE;
}

int del_run(struct session *s)
{
    struct bytes key;
    int code = session_word(s, 1, "Key: ", "the key is missing", &key);
    if (code != EXIT_DONE)
        return code;
    bool all_there = true, was_there = false;
    for (size_t i = 2; (code = delete_key(s, key, &was_there)) == EXIT_DONE; i++) {
        all_there &= was_there;
        if (i >= s->options.word_count)
            return all_there ? EXIT_DONE : EXIT_NO;
        key = bytes_from_str(s->options.words[i]);
    }
    if (s->options.word_count > 2 && !s->output.json)
        output_error_line("kith: not removed, nor what follows: ", key);
    return code;
}
