/* kith store KEY VALUE: keeps a value in the hub's table. */

#include "base/limits.h"
#include "kith/command.h"

#include <errno.h>
#include <unistd.h>

static int print_stored(struct session *s, struct bytes key, bool updated)
{
    struct output *o = &s->output;
    if (!o->json) {
        const char *words =
            updated ? "Update Successfully for key:" : "Saved Successfully for key:";
        if (!o->quiet)
            output_line(o, words, key);
        return EXIT_DONE;
    }
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "key", key);
    json_str(&j, "stored", updated ? "updated" : "saved");
    output_json(o, &j);
    return EXIT_DONE;
}

int store_pair(struct session *s, struct bytes key, struct bytes value)
{
    const struct resp_value *reply;
    struct bytes argv[] = {bytes_from_str("STORE"), key, value};
    int code = session_ask(s, argv, 3, &reply);
    if (code != EXIT_DONE)
        return code;
    bool updated = bytes_equal_str(reply->text, "Updated");
    if (reply->kind != RESP_STATUS || (!updated && !bytes_equal_str(reply->text, "Saved")))
        return session_strange(s);
    return print_stored(s, key, updated);
}

/* All of standard input; -EFBIG where it is more than a value can be. */
static int read_input(struct buffer *b)
{
    for (;;) {
        uint8_t *space;
        int r = buffer_reserve(b, LIMIT_READ_BYTES, &space);
        if (r != 0)
            return r < 0 ? r : -EFBIG;
        ssize_t n = read(STDIN_FILENO, space, LIMIT_READ_BYTES);
        if (n == 0)
            return buffer_len(b) > LIMIT_VALUE_BYTES ? -EFBIG : 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        buffer_wrote(b, n > 0 ? (size_t)n : 0);
    }
}

static int store_input(struct session *s, struct bytes key)
{
    struct buffer b;
    buffer_init(&b, LIMIT_VALUE_BYTES + 2 * LIMIT_READ_BYTES);
    int r = read_input(&b);
    int code;
    if (r == -EFBIG)
        code = session_fail(s, EXIT_USAGE, "a value has at most 64 MiB");
    else if (r < 0)
        code = session_fail(s, EXIT_USAGE, "cannot read standard input: %s", strerror(-r));
    else
        code = store_pair(s, key, buffer_view(&b));
    buffer_fini(&b);
    return code;
}

int store_run(struct session *s)
{
    const struct options *o = &s->options;
    struct bytes key, value;
    int code = session_word(s, 1, "Key: ", "the key is missing", &key);
    if (code != EXIT_DONE)
        return code;
    if (o->word_count > 2 && o->literal_from > 2 && strcmp(o->words[2], "-") == 0)
        return store_input(s, key);
    code = session_word(s, 2, "Value: ", "the value is missing", &value);
    return code == EXIT_DONE ? store_pair(s, key, value) : code;
}
