#include "kith/session.h"

#include "base/limits.h"
#include "base/number.h"
#include "client/answer.h"
#include "io/problem.h"
#include "io/terminal.h"
#include "kith/trust.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SESSION_CONNECT_MS = 10000, ADVICE_BYTES = 2 * SELF_COMMAND_BYTES + 64 };

int session_init(struct session *s, const struct options *options)
{
    *s = (struct session){.options = *options, .journal = {.fd = -1}};
    self_init(&s->self, options->as, &s->where, s->where_text);
    output_init(&s->output, options->json, options->quiet);
    conversation_init(&s->conversation, LIMIT_REPLY_BYTES);
    buffer_init(&s->asked[0], LIMIT_TEXT_LINE_BYTES);
    buffer_init(&s->asked[1], LIMIT_TEXT_LINE_BYTES);
    if (options->as && !self_profile_is_valid(options->as))
        return session_fail(
            s, EXIT_USAGE,
            "--as is 1 to 32 of letters, digits, '_', '-' and '.', which is not "
            "the first; not %.64s",
            options->as);
    const char *given = options->hub, *environment = getenv("KITH_HUB");
    const char *problem = where_choose(given, environment, &s->where);
    if (problem)
        return session_fail(s, EXIT_USAGE, "%s %.200s: %s", given ? "--hub" : "KITH_HUB",
                            given ? given : environment, problem);
    where_format(&s->where, s->where_text);
    return EXIT_DONE;
}

int session_open_log(struct session *s)
{
    const char *path = s->options.log;
    int r = path ? journal_open(&s->journal, path) : 0;
    if (r < 0)
        return session_fail(s, EXIT_USAGE, "cannot log to %.200s: %s", path, problem_text(r));
    return EXIT_DONE;
}

void session_fini(struct session *s)
{
    conversation_fini(&s->conversation);
    journal_close(&s->journal);
    buffer_fini(&s->asked[0]);
    buffer_fini(&s->asked[1]);
    dial_free(s->dial);
    self_fini(&s->self);
}

int session_fail(struct session *s, enum exit_code code, const char *format, ...)
{
    char message[TROUBLE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    journal_note(&s->journal, "failed", bytes_from_str(message));
    if (s->silent)
        return code;
    if (!s->output.json) {
        output_error_line("kith: ", bytes_from_str(message));
        return code;
    }
    struct buffer b;
    buffer_init(&b, 8 * LIMIT_KIB);
    struct json j = json_begin(&b);
    json_str(&j, "error", message);
    json_number(&j, "code", code);
    output_json(&s->output, &j);
    return code;
}

int session_trouble(struct session *s, const struct trouble *t)
{
    static const enum exit_code codes[] = {[TROUBLE_NONE] = EXIT_DONE,
                                           [TROUBLE_FAILED] = EXIT_NO,
                                           [TROUBLE_UNREACHABLE] = EXIT_UNREACHABLE,
                                           [TROUBLE_FOREIGN] = EXIT_UNREACHABLE,
                                           [TROUBLE_DENIED] = EXIT_DENIED,
                                           [TROUBLE_CHANGED] = EXIT_CHANGED};
    return session_fail(s, codes[t->kind], "%s", t->words);
}

void session_met(struct session *s)
{
    char text[WHERE_TEXT_BYTES + 160];
    if (s->output.quiet || s->output.json || s->silent)
        return;
    snprintf(text, sizeof text,
             "met the hub at %s for the first time; remembered its fingerprint: %s",
             s->where_text, s->self.hub_print);
    output_error_line("kith: ", bytes_from_str(text));
}

int session_peer_port(struct session *s, uint16_t *ret)
{
    const char *text = s->options.peer_port;
    uint64_t port = 0;
    if (text && (!number_parse_u64(bytes_from_str(text), &port) || port < 1024 || port > 65535))
        return session_fail(s, EXIT_USAGE, "--peer-port is 1024 to 65535, not '%.64s'", text);
    *ret = (uint16_t)port;
    return EXIT_DONE;
}

int session_check_key(struct session *s, struct bytes key)
{
    if (key.len > 0 && key.len <= LIMIT_KEY_BYTES)
        return EXIT_DONE;
    return session_fail(s, EXIT_USAGE, "a key is 1 to %zu bytes (64 KiB), not %zu",
                        LIMIT_KEY_BYTES, key.len);
}

int session_no_such_key(struct session *s, struct bytes key)
{
    if (!s->output.json) {
        if (!s->output.quiet)
            output_error_line("Invalid Key:", key);
        return EXIT_NO;
    }
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    struct json j = json_begin(&b);
    json_str(&j, "error", "Invalid Key");
    json_number(&j, "code", EXIT_NO);
    json_bytes(&j, "key", key);
    output_json(&s->output, &j);
    return EXIT_NO;
}

int session_strange(struct session *s)
{
    struct trouble t;
    self_strange(&s->self, &t);
    return session_trouble(s, &t);
}

static int open_dial(struct session *s)
{
    int r = dial_new(&s->dial);
    if (r != 0)
        return r;
    return s->where.path[0]
               ? dial_open_unix(s->dial, s->where.path, SESSION_CONNECT_MS)
               : dial_open_tcp(s->dial, s->where.host, s->where.port, SESSION_CONNECT_MS);
}

static int no_hub(struct session *s, int error)
{
    struct trouble t;
    self_no_hub(&s->self, dial_problem(error), error == -ECONNREFUSED, &t);
    return session_trouble(s, &t);
}

int session_connect(struct session *s)
{
    if (s->dial)
        return EXIT_DONE;
    int r = open_dial(s), code = EXIT_DONE;
    if (r != 0)
        code = no_hub(s, r);
    else if (s->where.secure)
        code = trust_hub(s);
    if (code != EXIT_DONE)
        session_hang_up(s); /* who asks again must not find a hub that was not believed */
    return code;
}

void session_hang_up(struct session *s)
{
    dial_free(s->dial);
    s->dial = NULL;
    conversation_fini(&s->conversation);
    conversation_init(&s->conversation, LIMIT_REPLY_BYTES);
}

static void note_request(struct session *s, const struct bytes *argv, size_t argc)
{
    struct buffer b;
    buffer_init(&b, LIMIT_KIB);
    int r = 0;
    for (size_t i = 0; r == 0 && i < argc; i++) {
        struct bytes word = argv[i];
        r = i > 0 ? buffer_append_str(&b, " ") : 0;
        if (r == 0)
            r = buffer_append_bytes(&b, word.len > 300 ? bytes_first(word, 300) : word);
    }
    journal_note(&s->journal, "asked", buffer_view(&b)); /* as much of it as fitted */
    buffer_fini(&b);
}

static void note_reply(struct session *s, const struct resp_value *value)
{
    char number[32];
    struct bytes text = value->text;
    if (value->kind == RESP_INTEGER || value->kind == RESP_BOOLEAN) {
        snprintf(number, sizeof number, "%lld", (long long)value->number);
        text = bytes_from_str(number);
    }
    journal_note(&s->journal, value->kind == RESP_NULL ? "answered nothing" : "answered", text);
}

enum { ASK_CLOSED = 1, ASK_FOREIGN = 2 };

/* The next reply; ASK_CLOSED where the hub closed instead, ASK_FOREIGN, -errno. */
static int receive_reply(struct session *s, const struct resp_value **ret)
{
    size_t count;
    for (;;) {
        int r = conversation_next(&s->conversation, ret, &count);
        if (r <= 0)
            return r;
        if (r == CONVERSATION_FOREIGN)
            return ASK_FOREIGN;
        struct bytes data;
        r = dial_receive(s->dial, DIAL_FOREVER, &data);
        if (r == DIAL_END)
            return ASK_CLOSED;
        r = r == 0 ? conversation_feed(&s->conversation, data) : r;
        if (r != 0)
            return r < 0 ? r : ASK_FOREIGN;
    }
}

/* A hub may refuse a request, and close, before it is sent to its end: what it said counts
 * for more than that sending failed. */
static int exchange(struct session *s, const struct resp_value **ret)
{
    struct bytes out = conversation_output(&s->conversation);
    int sent = out.len > 0 ? dial_send(s->dial, out, DIAL_FOREVER) : 0;
    conversation_sent(&s->conversation, out.len);
    int r = receive_reply(s, ret);
    return r != 0 && r != ASK_FOREIGN && sent < 0 ? sent : r;
}

/* What to type where the hub refuses that; it begins with a semicolon, or is empty. */
static void advise(const struct session *s, struct bytes why, char out[ADVICE_BYTES])
{
    char command[SELF_COMMAND_BYTES];
    self_command(&s->self, command);
    out[0] = '\0';
    if (bytes_starts_with(why, "NOINVITE"))
        snprintf(out, ADVICE_BYTES, "; the same with --invite asks for it");
    else if (bytes_starts_with(why, "NOPERM from another machine ") && !s->where.secure)
        snprintf(out, ADVICE_BYTES, "; to log in write --hub kith://%s", s->where_text);
    else if (bytes_starts_with(why, "NOPERM from another machine the table "))
        snprintf(out, ADVICE_BYTES, "; %s register makes an account, %s login adds the device",
                 command, command);
}

static int refused(struct session *s, struct bytes why)
{
    char advice[ADVICE_BYTES];
    bool denied = answer_is_denial(why);
    advise(s, why, advice);
    if (denied || bytes_starts_with(why, "ERR "))
        bytes_next_word(&why); /* for programs */
    why = bytes_trim(why);
    int shown = why.len < 400 ? (int)why.len : 400;
    if (denied)
        return session_fail(s, EXIT_DENIED, "not allowed: %.*s%s", shown,
                            (const char *)why.data, advice);
    return session_fail(s, EXIT_NO, "the hub says: %.*s", shown, (const char *)why.data);
}

/* As much of it as is no secret goes into the log. */
static int add(struct session *s, const struct bytes *argv, size_t argc, size_t noted)
{
    int code = session_connect(s);
    if (code != EXIT_DONE)
        return code;
    note_request(s, argv, noted);
    int r = conversation_ask(&s->conversation, argv, argc);
    return r < 0 ? session_fail(s, EXIT_NO, "%s", problem_text(r)) : EXIT_DONE;
}

int session_add(struct session *s, const struct bytes *argv, size_t argc)
{
    return add(s, argv, argc, argc);
}

/* The next answer; *ret_value is NULL where the hub closes instead. */
static int take_or_end(struct session *s, const struct resp_value **ret_value)
{
    const struct resp_value *value = NULL;
    int r = exchange(s, &value);
    if (r == -ENOMEM)
        return session_fail(s, EXIT_NO, "%s", problem_text(r));
    if (r < 0)
        return session_fail(s, EXIT_UNREACHABLE, "the connection to %s broke: %s",
                            s->where_text, dial_problem(r));
    if (r == ASK_FOREIGN)
        return session_strange(s);
    if (r == 0 && !s->unheard)
        note_reply(s, value);
    if (r == 0 && value->kind == RESP_FAILURE)
        return refused(s, value->text);
    *ret_value = r == ASK_CLOSED ? NULL : value;
    return EXIT_DONE;
}

int session_ask_last(struct session *s, const struct bytes *argv, size_t argc,
                     const struct resp_value **ret_value)
{
    int code = session_add(s, argv, argc);
    return code == EXIT_DONE ? take_or_end(s, ret_value) : code;
}

int session_take(struct session *s, const struct resp_value **ret_value)
{
    const struct resp_value *value = NULL;
    int code = take_or_end(s, &value);
    if (code == EXIT_DONE && !value)
        return session_fail(s, EXIT_UNREACHABLE, "%s closed the connection without an answer",
                            s->where_text);
    if (code == EXIT_DONE)
        *ret_value = value;
    return code;
}

int session_ask(struct session *s, const struct bytes *argv, size_t argc,
                const struct resp_value **ret_value)
{
    int code = session_add(s, argv, argc);
    return code == EXIT_DONE ? session_take(s, ret_value) : code;
}

int session_ask_secretly(struct session *s, const struct bytes *argv, size_t argc,
                         const struct resp_value **ret_value)
{
    int code = add(s, argv, argc, 1);
    return code == EXIT_DONE ? session_take(s, ret_value) : code;
}

int session_ask_unheard(struct session *s, const struct bytes *argv, size_t argc,
                        const struct resp_value **ret_value)
{
    s->unheard = true;
    int code = session_ask(s, argv, argc, ret_value);
    s->unheard = false;
    return code;
}

int session_hear(struct session *s, const struct resp_value **ret_value)
{
    int r = receive_reply(s, ret_value);
    if (r == 0)
        return EXIT_DONE;
    if (r == ASK_FOREIGN)
        return session_strange(s);
    return session_fail(s, EXIT_UNREACHABLE, "the connection to %s ended%s%s", s->where_text,
                        r < 0 ? ": " : "", r < 0 ? dial_problem(r) : "");
}

int session_announce_reading(struct session *s, int fd, const char *what)
{
    if (isatty(fd) != 1)
        return EXIT_DONE;
    int code = session_connect(s);
    if (code != EXIT_DONE || s->output.quiet)
        return code;
    char text[80];
    snprintf(text, sizeof text, "reading %s from the terminal, until Ctrl+D", what);
    output_error_line("kith: ", bytes_from_str(text));
    return EXIT_DONE;
}

int session_prompt(struct session *s, const char *prompt, const char *missing,
                   struct bytes *ret)
{
    if (!terminal_is_there())
        return session_fail(s, EXIT_USAGE, "%s; kith --help says more", missing);
    int code = session_connect(s); /* nobody types for a hub that is not there */
    if (code != EXIT_DONE)
        return code;
    struct buffer *line = buffer_len(&s->asked[0]) == 0 ? &s->asked[0] : &s->asked[1];
    int r = terminal_ask(prompt, line);
    if (r < 0)
        return session_fail(s, EXIT_USAGE, "cannot read from the terminal: %s",
                            problem_text(r));
    if (r == TERMINAL_END || buffer_len(line) == 0)
        return session_fail(s, EXIT_USAGE, "%s", missing);
    *ret = buffer_view(line);
    return EXIT_DONE;
}

int session_word(struct session *s, size_t i, const char *prompt, const char *missing,
                 struct bytes *ret)
{
    if (i >= s->options.word_count)
        return session_prompt(s, prompt, missing, ret);
    *ret = bytes_from_str(s->options.words[i]);
    return EXIT_DONE;
}
