/* kith store KEY VALUE: keeps a value in the hub's table. */

#include "base/limits.h"
#include "base/number.h"
#include "client/answer.h"
#include "io/problem.h"
#include "kith/command.h"
#include "kith/duration.h"
#include "kith/reading.h"

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

static int not_stored(struct session *s, struct bytes key)
{
    if (!s->output.json) {
        output_error_about("Not Saved for key:", key,
                           s->options.if_absent ? ": it has a value already"
                                                : ": its value is not the one given");
        return EXIT_NO;
    }
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_bytes(&j, "key", key);
    json_str(&j, "stored", "no");
    output_json(&s->output, &j);
    return EXIT_NO;
}

/* Adds the conditions and the expiry that the options ask for. */
static int add_options(struct session *s, char digits[NUMBER_INT64_CHARS], struct bytes *argv,
                       size_t *n)
{
    const struct options *o = &s->options;
    if (o->if_absent)
        argv[(*n)++] = bytes_from_str("NX");
    if (o->if_equal) {
        argv[(*n)++] = bytes_from_str("IFEQ");
        argv[(*n)++] = bytes_from_str(o->if_equal);
    }
    if (!o->expire)
        return EXIT_DONE;
    int64_t ms;
    if (!duration_read(o->expire, &ms))
        return session_fail(s, EXIT_USAGE,
                            "--expire takes a time, as in 500ms, 30s, 10m, 12h or 7d, not "
                            "'%.64s'",
                            o->expire);
    argv[(*n)++] = bytes_from_str("PX");
    argv[(*n)++] = bytes_make(digits, number_format_i64(digits, ms));
    return EXIT_DONE;
}

int store_pair(struct session *s, struct bytes key, struct bytes value)
{
    const struct resp_value *reply;
    char digits[NUMBER_INT64_CHARS];
    struct bytes argv[8] = {bytes_from_str("STORE"), key, value};
    size_t n = 3;
    int code = session_check_key(s, key);
    if (code == EXIT_DONE)
        code = add_options(s, digits, argv, &n);
    if (code == EXIT_DONE)
        code = session_ask(s, argv, n, &reply);
    if (code != EXIT_DONE)
        return code;
    enum answer_stored answer = answer_stored(reply);
    if (answer == ANSWER_STRANGE)
        return session_strange(s);
    if (answer == ANSWER_NOT_STORED)
        return not_stored(s, key);
    return print_stored(s, key, answer == ANSWER_UPDATED);
}

static int store_input(struct session *s, struct bytes key)
{
    struct buffer b;
    int code = session_announce_reading(s, STDIN_FILENO, "the value");
    if (code != EXIT_DONE)
        return code;
    buffer_init(&b, LIMIT_VALUE_BYTES + 2 * LIMIT_READ_BYTES);
    int r = reading_all(&b, LIMIT_VALUE_BYTES);
    if (r == -EFBIG)
        code = session_fail(s, EXIT_USAGE, "a value is at most 64 MiB");
    else if (r < 0)
        code = session_fail(s, EXIT_USAGE, "cannot read standard input: %s", problem_text(r));
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
