#include "hub/command.h"
#include "hub/hub.h"
#include "hub/introduced.h"
#include "hub/introducer.h"
#include "hub/member.h"
#include "hub/notice.h"
#include "wire/endpoint.h"

#include <errno.h>
#include <stdio.h>

/* Who is here, and meeting them. */

static int ok(struct call *call)
{
    if (reply_is_text(call->reply))
        reply_text(call->reply, bytes_from_str("OK"));
    else
        reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

/* ---- who is here ---- */

/* For members, and for whoever may use the table. */
static bool may_look(struct call *call, int *ret_result)
{
    return connection_member(call->connection) ||
           command_allows(call, ACCESS_TABLE, ret_result);
}

struct listing {
    struct buffer out;
    size_t count;
    enum reply_dialect dialect;
    int failed;
};

static void note(struct listing *l, int result)
{
    if (l->failed == 0)
        l->failed = result;
}

static void list_name(void *ctx, const struct directory_entry *entry)
{
    struct listing *l = ctx;
    if (l->count++ > 0)
        note(l, buffer_append_str(&l->out, ", "));
    note(l, buffer_append_str(&l->out, entry->name));
}

static void answer_list(struct call *call, struct listing *l)
{
    note(l, buffer_append(&l->out, ">", 2)); /* with its NUL */
    const char *text = (const char *)buffer_view(&l->out).data;
    if (l->failed)
        call->reply->failed = l->failed;
    else if (reply_is_text(call->reply))
        reply_text(call->reply, bytes_from_str(text));
    else
        reply_status(call->reply, text);
}

static int run_get_client_list(struct call *call)
{
    int r;
    if (!may_look(call, &r))
        return r;
    struct listing l = {0};
    buffer_init(&l.out, LIMIT_REPLY_BYTES);
    note(&l, buffer_append_str(&l.out, "CLIENT_LIST<"));
    directory_each(&call->hub->shared->directory, list_name, &l);
    answer_list(call, &l);
    buffer_fini(&l.out);
    return COMMAND_DONE;
}

/* One of WHO: in text a line NAME SINCE DEVICES. */
static void list_person(void *ctx, const struct directory_entry *entry)
{
    struct listing *l = ctx;
    struct reply r = {.out = &l->out, .dialect = l->dialect, .ending = LINE_LF};
    int64_t since = entry->since.ms / 1000;
    l->count++;
    if (reply_is_text(&r)) {
        note(l, buffer_printf(&l->out, "%s %lld %zu\n", entry->name, (long long)since,
                              entry->devices));
        return;
    }
    reply_array(&r, 3);
    reply_text(&r, bytes_from_str(entry->name));
    reply_integer(&r, since);
    reply_integer(&r, (int64_t)entry->devices);
    note(l, r.failed);
}

/* In text, each of its lines; the last ends as the question did. */
static void answer_people(struct call *call, const struct listing *l)
{
    struct bytes lines = buffer_view(&l->out);
    if (l->failed)
        call->reply->failed = l->failed;
    else if (!reply_is_text(call->reply))
        reply_array(call->reply, l->count);
    else if (lines.len > 0)
        lines.len--;
    if (reply_is_text(call->reply))
        reply_text(call->reply, lines);
    else
        reply_raw(call->reply, lines);
}

static int run_who(struct call *call)
{
    int r;
    if (!may_look(call, &r))
        return r;
    struct listing l = {.dialect = call->reply->dialect};
    buffer_init(&l.out, LIMIT_REPLY_BYTES);
    directory_each(&call->hub->shared->directory, list_person, &l);
    answer_people(call, &l);
    buffer_fini(&l.out);
    return COMMAND_DONE;
}

/* ---- introductions ---- */

/* For who is present. */
static bool is_present(struct call *call)
{
    const struct member *m = connection_member(call->connection);
    if (m && m->present)
        return true;
    command_error(call, "NOLOGIN", "log in first");
    return false;
}

/* For who is present with a device that others may know by its key. */
static bool has_device(struct call *call)
{
    if (!is_present(call))
        return false;
    if (connection_member(call->connection)->has_device)
        return true;
    command_error(call, "NODEVICE",
                  "this needs a device of yours: connect by TLS with its certificate");
    return false;
}

enum { CANDIDATES_BYTES = ENDPOINT_TEXT_BYTES * LIMIT_CANDIDATES };

/* The candidates from argv[first] on, separated by blanks; false where one is none. */
static bool read_candidates(struct call *call, size_t first, char out[CANDIDATES_BYTES])
{
    size_t n = 0;
    if (call->argc - first > LIMIT_CANDIDATES) {
        command_error(call, "ERR", "at most 16 addresses");
        return false;
    }
    for (size_t i = first; i < call->argc; i++) {
        struct endpoint e;
        struct bytes text = call->argv[i];
        if (!endpoint_read(text, &e) || e.port < ENDPOINT_PORT_MIN) {
            command_error_about(
                call, "an address is ADDR:PORT or [V6]:PORT, its port 1024 or more:", text);
            return false;
        }
        if (i > first)
            out[n++] = ' ';
        memcpy(out + n, text.data, text.len);
        n += text.len;
    }
    out[n] = '\0';
    return true;
}

/* Of one that is open already, BUSY: it may be asked again. */
static int refuse_second(struct call *call)
{
    char why[ACCOUNT_NAME_BYTES + 48];
    snprintf(why, sizeof why, "waiting for an answer already from '%.*s'",
             (int)call->argv[1].len, (const char *)call->argv[1].data);
    return command_error(call, "BUSY", why);
}

static int refuse_meeting(struct call *call, int result)
{
    switch (result) {
    case INTRODUCTION_SELF:
        return command_error(call, "ERR", "that is you");
    case INTRODUCTION_ALREADY:
        return refuse_second(call);
    case INTRODUCTION_TOO_MANY:
        return command_error(call, "BUSY", "too many invitations wait for an answer");
    default:
        return command_error(call, "OOM", "out of memory");
    }
}

static int refuse_absent(struct call *call)
{
    char why[ACCOUNT_NAME_BYTES + 40];
    snprintf(why, sizeof why, "there is no '%.*s' here at present", (int)call->argv[1].len,
             (const char *)call->argv[1].data);
    return command_error(call, "ABSENT", why);
}

static int meet(struct call *call, const char *key, const char *candidates)
{
    struct hub_shared *shared = call->hub->shared;
    struct introduction_side side;
    struct random_id id;
    char name[ACCOUNT_NAME_BYTES + 1], text[RANDOM_ID_TEXT_LEN + 1];
    if (!directory_find(&shared->directory, key, name))
        return refuse_absent(call);
    introducer_describe(call->connection, candidates[0] ? candidates : NULL, &side);
    chance_draw(&call->hub->chance, id.bytes, sizeof id.bytes);
    int r = introductions_invite(&shared->introductions, &side, key, name, call->hub->now, &id);
    if (r != 0)
        return refuse_meeting(call, r);
    random_id_write(text, &id);
    reply_text(call->reply, bytes_from_str(text));
    introducer_tell_invited(shared, &id, &side, key);
    return COMMAND_DONE;
}

static int run_meet(struct call *call)
{
    char key[ACCOUNT_NAME_BYTES + 1], candidates[CANDIDATES_BYTES];
    if (!has_device(call) || !read_candidates(call, 2, candidates))
        return COMMAND_DONE;
    if (!account_name_is_valid(call->argv[1]))
        return command_error_about(call, "not a name of an account:", call->argv[1]);
    account_name_fold(call->argv[1], key);
    return meet(call, key, candidates);
}

static int refuse_id(struct call *call)
{
    struct random_id id;
    char why[RANDOM_ID_TEXT_LEN + 48];
    if (!random_id_read(call->argv[1], &id))
        return command_error_about(call, "no id of an invitation:", call->argv[1]);
    snprintf(why, sizeof why, "nothing waits for an answer under '%.*s'", RANDOM_ID_TEXT_LEN,
             (const char *)call->argv[1].data);
    return command_error(call, "GONE", why);
}

static int run_accept(struct call *call)
{
    struct hub_shared *shared = call->hub->shared;
    char candidates[CANDIDATES_BYTES];
    struct random_id id, forgotten;
    struct introduction_side side;
    struct introduction introduced;
    if (!has_device(call) || !read_candidates(call, 2, candidates))
        return COMMAND_DONE;
    if (!random_id_read(call->argv[1], &id))
        return refuse_id(call);
    introducer_describe(call->connection, candidates[0] ? candidates : NULL, &side);
    int r = introductions_accept(&shared->introductions, &id, &side, call->hub->now,
                                 &introduced, &forgotten);
    if (r < 0)
        return command_error(call, "OOM", "out of memory");
    if (r > 0)
        return refuse_id(call);
    introducer_tell_accepted(shared, &introduced);
    (void)introduced_keep(shared->store, call->hub->wall, &introduced, &forgotten);
    introduction_fini(&introduced);
    return ok(call);
}

static void count_presence(void *ctx, const struct presence *p)
{
    ++*(size_t *)ctx;
}

/* Busy is one connection alone: a person may still be asked at another. */
static int decline(struct call *call, const struct random_id *id, bool busy,
                   struct introduction *ret)
{
    struct hub_shared *shared = call->hub->shared;
    const char *key = connection_member(call->connection)->key;
    size_t present = 0;
    if (!busy)
        return introductions_decline(&shared->introductions, id, key, ret);
    directory_each_of(&shared->directory, key, count_presence, &present);
    return introductions_busy(&shared->introductions, id, key, present > 0 ? present - 1 : 0,
                              ret);
}

/* After the two were introduced. */
static int disbelieve(struct call *call, const struct random_id *id)
{
    struct hub_shared *shared = call->hub->shared;
    const struct member *m = connection_member(call->connection);
    struct introduction i;
    if (!m->has_device || introductions_disbelieve(&shared->introductions, id, m->key,
                                                   &m->device, call->hub->now, &i) != 0)
        return refuse_id(call);
    introducer_tell_unbelieved(shared, &i, introduction_side(&i, m->key, &m->device));
    return ok(call);
}

static int run_decline(struct call *call)
{
    struct connection *c = call->connection;
    struct hub_shared *shared = call->hub->shared;
    struct random_id id;
    struct introduction declined;
    bool busy = call->argc == 3 && bytes_equal_nocase_str(call->argv[2], "BUSY");
    bool unbelieved = call->argc == 3 && bytes_equal_nocase_str(call->argv[2], "UNBELIEVED");
    if (!is_present(call))
        return COMMAND_DONE;
    if (call->argc > 3 || (call->argc == 3 && !busy && !unbelieved))
        return command_error(call, "ERR", "syntax error");
    if (!random_id_read(call->argv[1], &id))
        return refuse_id(call);
    if (unbelieved)
        return disbelieve(call, &id);
    int r = decline(call, &id, busy, &declined);
    if (r == INTRODUCTION_STAYS)
        return ok(call);
    if (r != 0)
        return refuse_id(call);
    introducer_tell_declined(shared, &declined, c->id, busy ? "busy" : "declined");
    introduction_fini(&declined);
    return ok(call);
}

static int run_cancel(struct call *call)
{
    struct hub_shared *shared = call->hub->shared;
    struct random_id id;
    struct introduction cancelled;
    if (!is_present(call))
        return COMMAND_DONE;
    if (!random_id_read(call->argv[1], &id) ||
        introductions_cancel(&shared->introductions, &id,
                             connection_member(call->connection)->key, &cancelled) != 0)
        return refuse_id(call);
    introducer_tell_cancelled(shared, &cancelled, call->connection->id);
    introduction_fini(&cancelled);
    return ok(call);
}

/* ---- leaving ---- */

static int run_disconnect_client(struct call *call)
{
    ok(call);
    connection_drain(call->connection);
    return COMMAND_DONE;
}

static const struct command commands[] = {
    {"ACCEPT", -2, ACCESS_ANYONE, COMMAND_FAST, 0, 0, 0, run_accept, NULL,
     "Accepts to meet: id [address ...]"},
    {"CANCEL", 2, ACCESS_ANYONE, COMMAND_FAST, 0, 0, 0, run_cancel, NULL,
     "Takes back what MEET asked for"},
    {"DECLINE", -2, ACCESS_ANYONE, COMMAND_FAST, 0, 0, 0, run_decline, NULL,
     "Refuses to meet: id [BUSY | UNBELIEVED]"},
    {"DISCONNECT_CLIENT", 1, ACCESS_ANYONE, COMMAND_FAST | COMMAND_DIRECT | COMMAND_SUBSCRIBED,
     0, 0, 0, run_disconnect_client, NULL, "Closes this connection"},
    {"GET_CLIENT_INFO", -2, ACCESS_ANYONE, COMMAND_FAST, 0, 0, 0, run_meet, NULL,
     "MEET by its older name"},
    {"GET_CLIENT_LIST", 1, ACCESS_ANYONE, COMMAND_FAST, 0, 0, 0, run_get_client_list, NULL,
     "Who is present: CLIENT_LIST<name, name>"},
    {"MEET", -2, ACCESS_ANYONE, COMMAND_FAST, 0, 0, 0, run_meet, NULL,
     "Asks somebody to meet: name [address ...]; an id, the rest is told"},
    {"WHO", 1, ACCESS_ANYONE, COMMAND_FAST, 0, 0, 0, run_who, NULL,
     "Who is present: name, since when, with how many devices"},
};

const struct command_part commands_people = {commands, sizeof commands / sizeof *commands};
