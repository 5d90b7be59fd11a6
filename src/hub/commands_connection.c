#include "hub/command.h"
#include "hub/commands_account.h"
#include "hub/hub.h"

#include "base/clean.h"
#include "base/limits.h"
#include "base/number.h"

/* Commands about the connection itself. */

static int run_echo(struct call *call)
{
    struct blob *blob = call_blob(call, 1);
    if (blob)
        reply_shared_value(call->reply, call->argv[1], blob);
    else
        reply_text(call->reply, call->argv[1]);
    return COMMAND_DONE;
}

/* As Redis has it: who has subscribed by RESP2 gets an array. */
static int pong(struct call *call)
{
    reply_array(call->reply, 2);
    reply_text(call->reply, bytes_from_str("pong"));
    reply_text(call->reply, call->argc == 2 ? call->argv[1] : bytes_make(NULL, 0));
    return COMMAND_DONE;
}

static int run_ping(struct call *call)
{
    if (call->argc > 2)
        return command_error_in(call, "wrong number of arguments for");
    if (connection_subscriber(call->connection) && call->reply->dialect == REPLY_RESP2)
        return pong(call);
    if (call->argc == 2)
        return run_echo(call);
    reply_status(call->reply, "PONG");
    return COMMAND_DONE;
}

static int run_quit(struct call *call)
{
    reply_status(call->reply, "OK");
    connection_drain(call->connection);
    return COMMAND_DONE;
}

static int run_select(struct call *call)
{
    int64_t index;
    if (!number_parse_i64(call->argv[1], &index))
        return command_error(call, "ERR", "value is not an integer or out of range");
    if (index != 0)
        return command_error(call, "ERR", "DB index is out of range");
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

/* ---- names ---- */

static bool is_name(struct bytes name)
{
    return name.len <= LIMIT_NAME_BYTES && clean_is_clean(name) &&
           bytes_find(name, ' ') == name.len;
}

static int set_name(struct call *call, struct bytes name)
{
    if (!is_name(name))
        return command_error(call, "ERR",
                             "a connection's name is at most 64 bytes, with no blanks and no "
                             "control characters");
    if (connection_set_name(call->connection, name) != 0)
        return command_error(call, "OOM", "out of memory");
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

static void answer_name(struct call *call)
{
    const struct connection_extra *extra = call->connection->extra;
    const char *name = extra ? extra->name : NULL;
    if (name)
        reply_text(call->reply, bytes_from_str(name));
    else
        reply_null(call->reply);
}

/* Clients announce themselves with it; nothing here is told apart by it. */
static int set_info(struct call *call)
{
    struct bytes attribute = call->argv[2], value = call->argv[3];
    if (!bytes_equal_nocase_str(attribute, "LIB-NAME") &&
        !bytes_equal_nocase_str(attribute, "LIB-VER"))
        return command_error_about(call, "unrecognized option", attribute);
    if (!is_name(value))
        return command_error_about(call, "not a name without blanks:", value);
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

static int run_client(struct call *call)
{
    struct bytes what = call->argv[1];
    if (bytes_equal_nocase_str(what, "ID") && call->argc == 2)
        reply_integer(call->reply, (int64_t)call->connection->id);
    else if (bytes_equal_nocase_str(what, "GETNAME") && call->argc == 2)
        answer_name(call);
    else if (bytes_equal_nocase_str(what, "SETNAME") && call->argc == 3)
        return set_name(call, call->argv[2]);
    else if (bytes_equal_nocase_str(what, "SETINFO") && call->argc == 4)
        return set_info(call);
    else
        return command_error_about(call, "unknown subcommand or wrong number of arguments for",
                                   what);
    return COMMAND_DONE;
}

/* ---- HELLO ---- */

static void answer_hello(struct call *call)
{
    struct reply *r = call->reply;
    reply_map(r, 7);
    reply_text(r, bytes_from_str("server"));
    reply_text(r, bytes_from_str("kith"));
    reply_text(r, bytes_from_str("version"));
    reply_text(r, bytes_from_str(KITH_VERSION));
    reply_text(r, bytes_from_str("proto"));
    reply_integer(r, reply_resp_version(r));
    reply_text(r, bytes_from_str("id"));
    reply_integer(r, (int64_t)call->connection->id);
    reply_text(r, bytes_from_str("mode"));
    reply_text(r, bytes_from_str("standalone"));
    reply_text(r, bytes_from_str("role"));
    reply_text(r, bytes_from_str("master"));
    reply_text(r, bytes_from_str("modules"));
    reply_array(r, 0);
}

struct hello_options {
    const struct bytes *name;    /* SETNAME; NULL: none */
    const struct bytes *account; /* AUTH account secret; NULL: none */
};

/* False: one is none, and that is answered. */
static bool read_hello_options(struct call *call, struct hello_options *o)
{
    for (size_t i = 2; i < call->argc;) {
        const struct bytes *option = &call->argv[i];
        if (bytes_equal_nocase_str(*option, "SETNAME") && i + 1 < call->argc) {
            o->name = option + 1;
            i += 2;
        } else if (bytes_equal_nocase_str(*option, "AUTH") && i + 2 < call->argc) {
            o->account = option + 1;
            i += 3;
        } else {
            command_error_about(call, "unsupported HELLO option", *option);
            return false;
        }
    }
    return true;
}

static int hello(struct call *call, bool version_given, int64_t version)
{
    struct connection *c = call->connection;
    struct hello_options options = {.name = NULL};
    if (!read_hello_options(call, &options))
        return COMMAND_DONE;
    if (options.account) {
        bool done;
        int r = account_auth(call, options.account, options.account[1], &done);
        if (!done)
            return r;
    }
    if (options.name && (!is_name(*options.name) || connection_set_name(c, *options.name) != 0))
        return command_error_about(call, "not a name without blanks:", *options.name);
    if (version_given) {
        c->dialect = version == 3 ? REPLY_RESP3 : REPLY_RESP2;
        call->reply->dialect = c->dialect;
    }
    answer_hello(call);
    return COMMAND_DONE;
}

static int run_hello(struct call *call)
{
    if (call->argc == 1)
        return hello(call, false, 0);
    int64_t version;
    if (!number_parse_i64(call->argv[1], &version))
        return command_error(call, "ERR", "Protocol version is not an integer or out of range");
    if (version != 2 && version != 3)
        return command_error(call, "NOPROTO", "unsupported protocol version");
    return hello(call, true, version);
}

#define PLAIN (COMMAND_FAST | COMMAND_PLAIN)

static const struct command commands[] = {
    {"CLIENT", -2, ACCESS_ANYONE, 0, 0, 0, 0, run_client, NULL,
     "This connection: ID, GETNAME, SETNAME name, SETINFO LIB-NAME|LIB-VER value"},
    {"ECHO", 2, ACCESS_ANYONE, PLAIN, 0, 0, 0, run_echo, NULL, "The message comes back"},
    {"HELLO", -1, ACCESS_ANYONE, COMMAND_FAST | COMMAND_SECRET, 0, 0, 0, run_hello, NULL,
     "Chooses RESP2 or RESP3 and tells about the hub"},
    {"PING", -1, ACCESS_ANYONE, PLAIN | COMMAND_SUBSCRIBED, 0, 0, 0, run_ping, NULL,
     "PONG, or the message"},
    {"QUIT", -1, ACCESS_ANYONE, COMMAND_FAST | COMMAND_DIRECT | COMMAND_SUBSCRIBED, 0, 0, 0,
     run_quit, NULL, "Closes this connection"},
    {"SELECT", 2, ACCESS_ANYONE, PLAIN, 0, 0, 0, run_select, NULL, "There is one table: 0"},
};

const struct command_part commands_connection = {commands, sizeof commands / sizeof *commands};
