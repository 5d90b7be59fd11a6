#include "hub/door.h"
#include "hub/hub.h"
#include "hub/member.h"

#include "base/limits.h"
#include "wire/instruction.h"
#include "wire/text_request.h"

static const char *const help_lines[] = {
    "STORE key = value   keep a value; 1 when stored, 0 when not",
    "GET key             the value, or ERROR when there is none",
    "NAME=X              call this hub X",
    "REPLIES full|terse  how STORE and GET answer from now on",
    "WATCH prefix        tell each change of keys that begin so; UNWATCH ends it",
    "QUIT                stop this hub",
    "#HELP               these lines",
    "anything else       comes back as it is",
};

/* For members, before the others. */
static const char *const member_help_lines[] = {
    "GET_CLIENT_LIST       who is here",
    "WHO                   the same, with since when and on how many devices",
    "GET_CLIENT_INFO name  ask somebody to meet; MEET is the same",
    "ACCEPT id             meet who has asked; DECLINE id refuses",
    "CANCEL id             take it back",
    "DISCONNECT_CLIENT     leave",
};

/* Lines end as the question did; a bare question has none, so its answer's lines end in LF. */
static void answer_help(const struct connection *c, struct reply *reply)
{
    enum line_ending ending = reply->ending;
    size_t members = sizeof member_help_lines / sizeof *member_help_lines;
    size_t n = sizeof help_lines / sizeof *help_lines;
    reply->ending = ending == LINE_BARE ? LINE_LF : ending;
    for (size_t i = 0; connection_member(c) && i < members; i++)
        reply_text(reply, bytes_from_str(member_help_lines[i]));
    for (size_t i = 0; i < n; i++) {
        reply->ending = i + 1 < n && ending == LINE_BARE ? LINE_LF : ending;
        reply_text(reply, bytes_from_str(help_lines[i]));
    }
}

static void answer_replies(struct connection *c, bool full, struct reply *reply)
{
    c->dialect = full ? REPLY_TEXT_FULL : REPLY_TEXT_TERSE;
    reply_text(reply, bytes_from_str(full ? "full" : "terse"));
}

static int run_words(struct connection *c, const struct bytes *words, size_t n,
                     struct reply *reply)
{
    struct call call = {.hub = c->hub,
                        .connection = c,
                        .command = command_find(&c->hub->commands, words[0]),
                        .argv = words,
                        .argc = n,
                        .reply = reply};
    return door_run(&call);
}

static int run_command(struct connection *c, const char *name, const struct bytes *arguments,
                       size_t n, struct reply *reply)
{
    struct bytes words[3] = {bytes_from_str(name)};
    for (size_t i = 0; i < n; i++)
        words[i + 1] = arguments[i];
    return run_words(c, words, n + 1, reply);
}

/* What is an instruction to a member is an echo to everybody else, but for the one that no
 * program says by chance. */
static bool is_instruction(const struct connection *c, struct bytes message,
                           struct instruction *ret)
{
    return (connection_member(c) || bytes_equal_str(message, "GET_CLIENT_LIST")) &&
           instruction_parse(message, ret);
}

static int run_table(struct connection *c, const struct text_request *request,
                     struct reply *reply)
{
    bool store = request->verb == TEXT_STORE;
    reply->question = store ? REPLY_TO_STORE : REPLY_TO_GET;
    reply->key = request->key;
    if (request->problem && store) {
        reply_error(reply, "ERR", request->problem);
        return DOOR_DONE;
    }
    if (request->problem) {
        reply_missing(reply, request->key);
        return DOOR_DONE;
    }
    const struct bytes arguments[] = {request->key, request->value};
    return run_command(c, store ? "STORE" : "GET", arguments, store ? 2 : 1, reply);
}

static int run_message(struct connection *c, struct bytes message, struct reply *reply)
{
    struct text_request request = text_request_parse(message);
    struct instruction instruction;
    switch (request.verb) {
    case TEXT_STORE:
    case TEXT_GET:
        return run_table(c, &request, reply);
    case TEXT_QUIT:
        return run_command(c, "SHUTDOWN", NULL, 0, reply);
    case TEXT_NAME:
        return run_command(c, "NAME", &request.value, 1, reply);
    case TEXT_WATCH:
        return run_command(c, "FOLLOW", &request.value, 1, reply);
    case TEXT_UNWATCH:
        return run_command(c, "UNFOLLOW", NULL, 0, reply);
    case TEXT_REPLIES:
        answer_replies(c, request.full, reply);
        return DOOR_DONE;
    case TEXT_HELP:
        answer_help(c, reply);
        return DOOR_DONE;
    case TEXT_HTTP:
        return door_refuse_http(c);
    case TEXT_ECHO:
        break;
    }
    if (is_instruction(c, message, &instruction))
        return run_words(c, instruction.words, instruction.count, reply);
    return run_command(c, "ECHO", &message, 1, reply);
}

int door_text(struct connection *c, struct bytes in, struct reply *reply, size_t *ret_consumed)
{
    size_t max = access_is_guest(&c->hub->shared->config, &c->peer) ? LIMIT_GUEST_MESSAGE_BYTES
                                                                    : LIMIT_TEXT_LINE_BYTES;
    struct bytes message;
    size_t consumed;
    int r = line_parse(&c->line, in, max, &consumed, &message, &reply->ending);
    if (r == LINE_TOO_LONG) {
        *ret_consumed = in.len;
        reply->ending = LINE_LF;
        reply_error(reply, "ERR", "the line is too long");
        return DOOR_CLOSE;
    }
    if (r == LINE_MORE && !c->ended)
        return DOOR_MORE;
    if (r == LINE_MORE) {
        line_take_bare(&c->line);
        message = in;
        consumed = in.len;
        reply->ending = LINE_BARE;
    } else {
        c->framed = true;
    }
    r = run_message(c, message, reply);
    if (r != DOOR_REST)
        c->ended = c->input_over;
    *ret_consumed = consumed;
    return r;
}
