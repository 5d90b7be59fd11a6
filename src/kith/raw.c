/* kith --raw WORDS: sends a bare message, as the origin programs did, and prints whatever
 * comes back.
 *
 * The message has no ending of its own; saying that nothing more will be sent is its end, on
 * any hub and from anywhere. The answer is all that arrives until the hub closes. A server
 * that is not kith may answer and then wait for more: there, what came before a second of
 * silence is the answer. */

#include "base/limits.h"
#include "kith/command.h"

enum { RAW_QUIET_MS = 1000 };

static int send_message(struct session *s, struct bytes message)
{
    int code = session_connect(s);
    if (code != EXIT_DONE)
        return code;
    journal_note(&s->journal, "asked", message);
    int r = dial_send(s->dial, message, DIAL_FOREVER);
    if (r == 0)
        r = dial_finish(s->dial);
    if (r < 0)
        return session_fail(s, EXIT_UNREACHABLE, "the connection to %s broke: %s",
                            s->where_text, dial_problem(r));
    return EXIT_DONE;
}

static int receive_answer(struct session *s, struct buffer *answer)
{
    struct bytes data;
    int r = dial_receive(s->dial, DIAL_FOREVER, &data);
    while (r == 0) {
        r = buffer_append_bytes(answer, data);
        if (r != 0)
            return session_fail(s, EXIT_UNREACHABLE, "the answer is too long");
        r = dial_receive(s->dial, RAW_QUIET_MS, &data);
    }
    if (r < 0)
        return session_fail(s, EXIT_UNREACHABLE, "the connection to %s broke: %s",
                            s->where_text, dial_problem(r));
    if (buffer_len(answer) == 0)
        return session_fail(s, EXIT_NO, "%s closed the connection without an answer",
                            s->where_text);
    journal_note(&s->journal, "answered", buffer_view(answer));
    return EXIT_DONE;
}

static void print_answer(struct output *o, struct bytes answer)
{
    if (o->json) {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_bytes(&j, "answer", answer);
        output_json(o, &j);
    } else {
        output_text(o, answer);
    }
}

/* In the words of the text door. */
static int build_keyed(const struct options *o, struct buffer *message)
{
    if (o->value)
        return buffer_printf(message, "STORE %s = %s", o->key, o->value);
    if (strcmp(o->key, "QUIT") == 0)
        return buffer_append_str(message, "QUIT");
    return buffer_printf(message, "GET %s", o->key);
}

static int build_message(struct session *s, struct buffer *message)
{
    const struct options *o = &s->options;
    struct bytes typed;
    if (o->value && !o->key)
        return session_fail(s, EXIT_USAGE, "the key is missing");
    if (o->key && o->word_count > 0)
        return session_fail(s, EXIT_USAGE, "--raw sends --key or words, not both");
    int r = o->key ? build_keyed(o, message) : options_join(o, 0, message);
    if (r == 0 && !o->key && o->word_count == 0) {
        int code = session_prompt(s, "Message: ", "the message is missing", &typed);
        if (code != EXIT_DONE)
            return code;
        r = buffer_append_bytes(message, typed);
    }
    if (r != 0)
        return session_fail(s, EXIT_USAGE, "the message is too long");
    if (buffer_len(message) == 0)
        return session_fail(s, EXIT_USAGE, "the message is missing");
    return EXIT_DONE;
}

int raw_run(struct session *s)
{
    struct buffer message, answer;
    buffer_init(&message, LIMIT_TEXT_LINE_BYTES);
    buffer_init(&answer, LIMIT_REPLY_BYTES);
    int code = build_message(s, &message);
    if (code == EXIT_DONE)
        code = send_message(s, buffer_view(&message));
    if (code == EXIT_DONE)
        code = receive_answer(s, &answer);
    if (code == EXIT_DONE)
        print_answer(&s->output, buffer_view(&answer));
    buffer_fini(&message);
    buffer_fini(&answer);
    return code;
}
