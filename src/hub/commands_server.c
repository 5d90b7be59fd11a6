#include "hub/command.h"
#include "hub/hub.h"

#include "base/clean.h"
#include "base/glob.h"
#include "base/limits.h"
#include "base/log_line.h"
#include "hub/hub_name.h"
#include "hub/info.h"

#include <errno.h>
#include <stdio.h>

/* Commands about the hub. */

/* ---- COMMAND ---- */

static void answer_str(struct reply *r, const char *s)
{
    reply_text(r, bytes_from_str(s));
}

static void answer_lower(struct reply *r, const char *name)
{
    char lower[32];
    size_t n = 0;
    for (; name[n] && n < sizeof lower; n++)
        lower[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] + ('a' - 'A') : name[n]);
    reply_text(r, bytes_make(lower, n));
}

static void answer_command_flags(struct reply *r, const struct command *command)
{
    const char *flags[5];
    size_t n = 0;
    if (command->flags & COMMAND_WRITES)
        flags[n++] = "write";
    else if (command->first_key)
        flags[n++] = "readonly";
    if (command->flags & COMMAND_GROWS)
        flags[n++] = "denyoom";
    if (command->flags & COMMAND_FAST)
        flags[n++] = "fast";
    if (command->need == ACCESS_ADMIN)
        flags[n++] = "admin";
    reply_array(r, n);
    for (size_t i = 0; i < n; i++)
        reply_status(r, flags[i]);
}

/* As Redis' COMMAND INFO has it: name, arity, flags, first key, last key, step. */
static void answer_command(struct reply *r, const struct command *command)
{
    if (!command) {
        reply_null(r);
        return;
    }
    reply_array(r, 6);
    answer_lower(r, command->name);
    reply_integer(r, command->arity);
    answer_command_flags(r, command);
    reply_integer(r, command->first_key);
    reply_integer(r, command->last_key);
    reply_integer(r, command->key_step);
}

static void answer_docs(struct reply *r, const struct command *command)
{
    answer_lower(r, command->name);
    reply_map(r, 2);
    answer_str(r, "summary");
    answer_str(r, command->summary);
    answer_str(r, "group");
    answer_str(r, command->first_key ? "string" : "server");
}

static void command_list(struct call *call)
{
    reply_array(call->reply, command_count());
    for (size_t i = 0; i < command_count(); i++)
        answer_command(call->reply, command_at(i));
}

static void command_info(struct call *call)
{
    reply_array(call->reply, call->argc - 2);
    for (size_t i = 2; i < call->argc; i++)
        answer_command(call->reply, command_find(&call->hub->commands, call->argv[i]));
}

static void command_docs(struct call *call)
{
    const struct command_index *index = &call->hub->commands;
    if (call->argc == 2) {
        reply_map(call->reply, command_count());
        for (size_t i = 0; i < command_count(); i++)
            answer_docs(call->reply, command_at(i));
        return;
    }
    size_t known = 0;
    for (size_t i = 2; i < call->argc; i++)
        known += command_find(index, call->argv[i]) != NULL;
    reply_map(call->reply, known);
    for (size_t i = 2; i < call->argc; i++) {
        const struct command *command = command_find(index, call->argv[i]);
        if (command)
            answer_docs(call->reply, command);
    }
}

static int run_command(struct call *call)
{
    if (call->argc == 1)
        command_list(call);
    else if (bytes_equal_nocase_str(call->argv[1], "COUNT") && call->argc == 2)
        reply_integer(call->reply, (int64_t)command_count());
    else if (bytes_equal_nocase_str(call->argv[1], "DOCS"))
        command_docs(call);
    else if (bytes_equal_nocase_str(call->argv[1], "INFO") && call->argc == 2)
        command_list(call);
    else if (bytes_equal_nocase_str(call->argv[1], "INFO"))
        command_info(call);
    else
        return command_error_about(call, "unknown subcommand or wrong number of arguments for",
                                   call->argv[1]);
    return COMMAND_DONE;
}

/* ---- CONFIG ---- */

struct setting {
    const char *name;
    char value[32];
};

enum { SETTINGS = 7 };

static void collect_settings(const struct hub_config *config, struct setting out[SETTINGS])
{
    const struct setting fixed[SETTINGS] = {
        {"appendfsync", ""},
        {"appendonly", "yes"},
        {"databases", "1"},
        {"maxmemory", ""},
        {"port", ""},
        {"save", ""},
        {"notify-keyspace-events", "AKE"},
    };
    memcpy(out, fixed, sizeof fixed);
    snprintf(out[0].value, sizeof out[0].value, "%s",
             config->holds_replies ? "always" : "everysec");
    snprintf(out[3].value, sizeof out[3].value, "%zu", config->memory_max);
    snprintf(out[4].value, sizeof out[4].value, "%u", config->tcp_port);
}

static bool is_asked_for(const struct call *call, const char *name)
{
    for (size_t i = 2; i < call->argc; i++) {
        if (glob_matches(call->argv[i], bytes_from_str(name), true))
            return true;
    }
    return false;
}

static bool is_selection_of_events(struct bytes wanted)
{
    static const char flags[] = "KEg$lshzxetdmnA";
    for (size_t i = 0; i < wanted.len; i++) {
        if (wanted.data[i] == 0 || !strchr(flags, wanted.data[i]))
            return false;
    }
    return wanted.len > 0;
}

/* Events are always told to who asks for them: whatever selection is wanted is a part of it.
 * All else is as it was at the start. False: what is wrong is answered, in Redis' words. */
static bool check_setting(struct call *call, struct bytes name, struct bytes value)
{
    struct setting settings[SETTINGS];
    collect_settings(&call->hub->shared->config, settings);
    bool known = false, is_events = bytes_equal_nocase_str(name, "notify-keyspace-events");
    for (size_t i = 0; i < SETTINGS; i++)
        known |= bytes_equal_nocase_str(name, settings[i].name);
    if (!known)
        command_error_about(call, "Unknown option or number of arguments for CONFIG SET -",
                            name);
    else if (!is_events)
        command_error_around(call, "CONFIG SET failed (possibly related to argument", name,
                             ") - can't set immutable config");
    else if (!is_selection_of_events(value))
        command_error_about(call, "events are always told; not a selection of them:", value);
    else
        return true;
    return false;
}

static int set_config(struct call *call)
{
    int r;
    if (call->argc < 4)
        return command_error(call, "ERR", "wrong number of arguments for 'config|set' command");
    if (call->argc % 2 != 0)
        return command_error(call, "ERR", "syntax error");
    for (size_t i = 2; i < call->argc; i += 2) {
        if (!check_setting(call, call->argv[i], call->argv[i + 1]))
            return COMMAND_DONE;
    }
    if (!command_allows(call, ACCESS_ADMIN, &r))
        return r;
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

static int run_config(struct call *call)
{
    if (bytes_equal_nocase_str(call->argv[1], "SET"))
        return set_config(call);
    if (!bytes_equal_nocase_str(call->argv[1], "GET") || call->argc < 3)
        return command_error_about(call, "unknown subcommand or wrong number of arguments for",
                                   call->argv[1]);
    struct setting settings[SETTINGS];
    collect_settings(&call->hub->shared->config, settings);
    size_t n = 0;
    for (size_t i = 0; i < SETTINGS; i++)
        n += is_asked_for(call, settings[i].name);
    reply_map(call->reply, n);
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!is_asked_for(call, settings[i].name))
            continue;
        answer_str(call->reply, settings[i].name);
        answer_str(call->reply, settings[i].value);
    }
    return COMMAND_DONE;
}

/* ---- NAME, SHUTDOWN ---- */

static int tell_name(struct call *call)
{
    struct buffer name;
    buffer_init(&name, LIMIT_NAME_BYTES + 1);
    uint64_t lsn = 0;
    int r = hub_name_read(call->hub->shared->store, call->hub->wall, &name, &lsn);
    if (r == 0) {
        reply_depends(call->reply, lsn);
        reply_text(call->reply, buffer_view(&name));
    }
    buffer_fini(&name);
    return r == 0 ? COMMAND_DONE : command_store_failed(call, r);
}

static int run_name(struct call *call)
{
    if (call->argc > 2)
        return command_error_in(call, "wrong number of arguments for");
    if (call->argc == 1)
        return tell_name(call);
    struct bytes name = call->argv[1];
    if (!hub_name_is_valid(name))
        return command_error(call, "ERR",
                             "a name is 1 to 64 bytes of UTF-8 without control characters, not "
                             "blank at its ends");
    int r;
    if (!command_allows(call, ACCESS_ADMIN, &r))
        return r;
    uint64_t lsn = 0;
    r = hub_name_write(call->hub->shared->store, call->hub->wall, name, &lsn);
    if (r != 0)
        return command_store_failed(call, r);
    reply_depends(call->reply, lsn);
    reply_text(call->reply, name);
    struct log_line line = log_line_begin(&call->hub->log, LOG_INFO, "renamed");
    log_line_bytes(&line, "name", name);
    log_line_number(&line, "connection", (int64_t)call->connection->id);
    log_line_end(&line);
    return COMMAND_DONE;
}

static int run_shutdown(struct call *call)
{
    if (call->argc > 2 || (call->argc == 2 && !bytes_equal_nocase_str(call->argv[1], "SAVE") &&
                           !bytes_equal_nocase_str(call->argv[1], "NOSAVE")))
        return command_error(call, "ERR", "syntax error");
    struct log_line line = log_line_begin(&call->hub->log, LOG_INFO, "asked to stop");
    log_line_number(&line, "connection", (int64_t)call->connection->id);
    log_line_end(&line);
    if (reply_is_text(call->reply))
        answer_str(call->reply, "Server Quitting..!");
    connection_drain(call->connection);
    hub_want_stop(call->hub);
    return COMMAND_DONE;
}

static const struct command commands[] = {
    {"COMMAND", -1, ACCESS_ANYONE, 0, 0, 0, 0, run_command, NULL,
     "The commands: COUNT, DOCS [name ...], INFO [name ...]"},
    {"CONFIG", -2, ACCESS_TABLE, 0, 0, 0, 0, run_config, NULL, "Settings: GET pattern ..."},
    {"INFO", -1, ACCESS_TABLE, 0, 0, 0, 0, info_run, NULL, "The state of the hub"},
    {"NAME", -1, ACCESS_ANYONE, 0, 0, 0, 0, run_name, NULL,
     "The hub's name; with one, renames it"},
    {"SHUTDOWN", -1, ACCESS_ADMIN, 0, 0, 0, 0, run_shutdown, NULL,
     "Stops the hub in good order"},
};

const struct command_part commands_server = {commands, sizeof commands / sizeof *commands};
