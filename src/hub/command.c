#include "hub/command.h"

#include "hub/connection.h"
#include "hub/growth.h"
#include "hub/hub.h"
#include "hub/secure.h"
#include "hub/subscriber.h"
#include "hub/transaction.h"

#include "base/clean.h"
#include "base/log_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { ABOUT_BYTES_SHOWN = 64, ERROR_BYTES = 512 };

static const struct command_part *const parts[] = {
    &commands_account, &commands_admin,   &commands_backup,      &commands_connection,
    &commands_devices, &commands_expiry,  &commands_letters,     &commands_people,
    &commands_push,    &commands_relay,   &commands_server,      &commands_strings,
    &commands_table,   &commands_tickets, &commands_transaction, &commands_values,
};

size_t command_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        n += parts[i]->count;
    return n;
}

const struct command *command_at(size_t i)
{
    for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
        if (i < parts[part]->count)
            return &parts[part]->commands[i];
        i -= parts[part]->count;
    }
    return NULL;
}

/* The length, and the first and last letters without case: enough to keep names apart. */
static size_t place(struct bytes name)
{
    if (name.len == 0)
        return 0;
    uint32_t first = name.data[0] & 0x1fu, second = name.data[name.len / 2] & 0x1fu,
             last = name.data[name.len - 1] & 0x1fu;
    uint32_t h = (first | second << 5 | last << 10 | (uint32_t)name.len << 15) * 0x9e3779b1u;
    return h >> 24 & (COMMAND_INDEX_SLOTS - 1);
}

void command_index_init(struct command_index *index)
{
    *index = (struct command_index){0};
    for (size_t i = 0; i < command_count(); i++) {
        size_t at = place(bytes_from_str(command_at(i)->name));
        while (index->slots[at].command)
            at = (at + 1) % COMMAND_INDEX_SLOTS;
        index->slots[at].command = command_at(i);
        index->slots[at].name_bytes = strlen(command_at(i)->name);
    }
}

/* Names are letters alone, so folding bytes is enough; both are of one length. */
static bool is_named(const struct command *command, struct bytes name)
{
    uint8_t different = 0;
    for (size_t i = 0; i < name.len; i++)
        different |= (uint8_t)((uint8_t)command->name[i] ^ name.data[i]);
    return (different & 0xdf) == 0;
}

const struct command *command_find(const struct command_index *index, struct bytes name)
{
    enum { NAME_BYTES_MAX = 32 };
    if (name.len > NAME_BYTES_MAX)
        return NULL;
    for (size_t at = place(name); index->slots[at].command; at = (at + 1) % COMMAND_INDEX_SLOTS)
        if (index->slots[at].name_bytes == name.len && is_named(index->slots[at].command, name))
            return index->slots[at].command;
    return NULL;
}

struct blob *call_blob(const struct call *call, size_t i)
{
    if (call->made)
        return transaction_blob(connection_transaction(call->connection),
                                call->first_in_transaction + i);
    return inbox_blob(call->connection->inbox, call->argv[i]);
}

int command_error(struct call *call, const char *code, const char *reason)
{
    reply_error(call->reply, code, reason);
    return COMMAND_DONE;
}

int command_error_about(struct call *call, const char *words, struct bytes about)
{
    return command_error_around(call, words, about, "");
}

int command_error_around(struct call *call, const char *before, struct bytes about,
                         const char *after)
{
    struct buffer reason;
    buffer_init(&reason, ERROR_BYTES);
    if (buffer_append_str(&reason, before) == 0 && buffer_append_str(&reason, " '") == 0 &&
        clean_append(&reason, about, ABOUT_BYTES_SHOWN) == 0 &&
        buffer_append_str(&reason, "'") == 0 &&
        buffer_append(&reason, after, strlen(after) + 1) == 0)
        reply_error(call->reply, "ERR", (const char *)buffer_view(&reason).data);
    else
        call->reply->failed = -ENOMEM;
    buffer_fini(&reason);
    return COMMAND_DONE;
}

int command_error_in(struct call *call, const char *words)
{
    char name[32], reason[128];
    size_t n = 0;
    for (; n < call->argv[0].len && n < sizeof name - 1; n++) {
        uint8_t c = call->argv[0].data[n];
        name[n] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    name[n] = 0;
    snprintf(reason, sizeof reason, "%s '%s' command", words, name);
    return command_error(call, "ERR", reason);
}

int command_refuse(struct call *call, const char *code, const char *reason)
{
    command_error(call, code, reason);
    return COMMAND_REFUSED;
}

int command_refuse_about(struct call *call, const char *words, struct bytes about)
{
    command_error_about(call, words, about);
    return COMMAND_REFUSED;
}

int command_refuse_in(struct call *call, const char *words)
{
    command_error_in(call, words);
    return COMMAND_REFUSED;
}

int command_store_failed(struct call *call, int result)
{
    switch (result) {
    case STORE_BUSY:
        return COMMAND_AGAIN_LOG;
    case STORE_READ_ONLY:
        return command_error(call, "MISCONF",
                             "the disk is full: the table can be read, not changed");
    case STORE_STUCK:
        return command_error(call, "MISCONF",
                             "the log's next file cannot be made (the hub's log says why): the "
                             "table can be read, not changed");
    case STORE_TOO_LARGE:
        return command_error(call, "ERR",
                             "a key is 1 byte to 64 KiB, a value at most 64 MiB, and one "
                             "command at most 65 MiB");
    case -ENOMEM:
        return command_error(call, "OOM", "out of memory: nothing was changed");
    default:
        return command_error(call, "IOERR", "the disk has failed: the hub is stopping");
    }
}

static void log_denied(struct call *call, const char *reason)
{
    struct connection *c = call->connection;
    if (c->told_denied)
        return;
    c->told_denied = true;
    struct log_line line = log_line_begin(&call->hub->log, LOG_WARNING, "refused");
    log_line_number(&line, "connection", (int64_t)c->id);
    log_line_bytes(&line, "command", call->argv[0]);
    log_line_str(&line, "reason", reason);
    log_line_end(&line);
}

static void log_request(struct call *call)
{
    struct log_line line = log_line_begin(&call->hub->log, LOG_INFO, "request");
    log_line_number(&line, "connection", (int64_t)call->connection->id);
    log_line_bytes(&line, "command", call->argv[0]);
    if (call->argc > 1 && !(call->command->flags & COMMAND_SECRET))
        log_line_bytes(&line, "argument", call->argv[1]);
    log_line_end(&line);
}

bool command_allows(struct call *call, enum access_need need, int *ret_result)
{
    const char *reason;
    int r = access_check(&call->hub->shared->config, &call->connection->peer, need, &reason);
    if (r == ACCESS_GRANTED)
        return true;
    if (r == ACCESS_ASK_USER) {
        *ret_result = COMMAND_AGAIN_USER;
        return false;
    }
    log_denied(call, reason);
    *ret_result = command_error(call, "NOPERM", reason);
    return false;
}

bool command_arity_fits(const struct command *command, size_t argc)
{
    return command->arity < 0 ? argc >= (size_t)-command->arity
                              : argc == (size_t)command->arity;
}

/* ---- commands on keys */

size_t command_key_count(const struct command *command, size_t argc)
{
    if (command->last_key == command->first_key)
        return command->first_key != 0; /* one, mostly: without a division */
    int last = command->last_key < 0 ? (int)argc + command->last_key : command->last_key;
    int steps = (last - command->first_key) / command->key_step;
    return (size_t)steps + 1;
}

size_t command_key_at(const struct command *command, size_t i)
{
    return (size_t)command->first_key + i * (size_t)command->key_step;
}

void *command_take(struct call *call, size_t n)
{
    return arena_take(&call->hub->arena, n);
}

void command_answer_old(struct call *call, const struct store_slot *slot)
{
    if (slot->present)
        reply_shared_value(call->reply, slot->old.bytes, slot->old.blob);
    else
        reply_null(call->reply);
}

struct application {
    struct call *call;
    const struct command *command;
    struct reply_mark before;    /* the answer */
    struct transaction *watches; /* is told of the keys; NULL: is not */
};

static int apply_again(void *ctx, struct store_slot *slots, size_t n)
{
    struct application *a = ctx;
    reply_rewind(a->call->reply, a->before);
    if (a->watches)
        transaction_saw(a->watches, slots, n);
    return a->command->apply(a->call, slots, n);
}

static void count_reads(struct hub *hub, const struct store_slot *slots, size_t n)
{
    size_t hits = 0;
    for (size_t i = 0; i < n; i++)
        hits += slots[i].present;
    tally_add(hub->tally, TALLY_HITS, hits);
    tally_add(hub->tally, TALLY_MISSES, n - hits);
}

/* The connection's transaction, where it watches keys that were missing. */
static struct transaction *missing_watched(const struct connection *c)
{
    struct transaction *t = connection_transaction(c);
    return t && transaction_watches_missing(t) ? t : NULL;
}

static int apply_over(struct call *call, const struct command *command,
                      struct store_slot *slots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        slots[i] = (struct store_slot){.key = call->argv[command_key_at(command, i)]};
    struct application a = {call, command, reply_mark(call->reply),
                            missing_watched(call->connection)};
    uint64_t lsn = 0;
    int r = store_update(call->hub->shared->store, STORE_USER, slots, n, call->hub->wall,
                         apply_again, &a, &lsn);
    if (r >= 0)
        reply_depends(call->reply, lsn);
    if ((r == 0 || r == COMMAND_REFUSED) && !(command->flags & COMMAND_WRITES))
        count_reads(call->hub, slots, n);
    if (r == 0 || r == COMMAND_REFUSED)
        return COMMAND_DONE;
    reply_rewind(call->reply, a.before);
    return r == COMMAND_WAITS ? COMMAND_AGAIN_JOB : command_store_failed(call, r);
}

static void end_growth(struct connection *c)
{
    if (!c->extra || !c->extra->growth)
        return;
    growth_end(c->extra->growth);
    c->extra->growth = NULL;
}

int command_apply(struct call *call, const struct command *command)
{
    enum { FEW_KEYS = 4 };
    size_t n = command_key_count(command, call->argc);
    struct store_slot few[FEW_KEYS], *slots = few;
    if (n > FEW_KEYS && !(slots = malloc(n * sizeof *slots)))
        return command_store_failed(call, -ENOMEM);
    int r = apply_over(call, command, slots, n);
    if (slots != few)
        free(slots);
    arena_reset(&call->hub->arena);
    if (r == COMMAND_DONE)
        end_growth(call->connection);
    return r;
}

/* ---- running */

/* In RESP2 nothing tells a push from a reply, so who has subscribed gets no others. */
static bool is_only_told(const struct connection *c)
{
    const struct subscriber *s = connection_subscriber(c);
    return s && c->dialect == REPLY_RESP2 && s->first;
}

static int refuse_while_told(struct call *call)
{
    return command_error_about(call,
                               "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / FOLLOW / UNFOLLOW / "
                               "PING / QUIT are allowed in this context: cannot execute",
                               call->argv[0]);
}

/* An error before a command is run spoils the transaction it was for. */
static void spoil(struct call *call)
{
    struct transaction *transaction = connection_transaction(call->connection);
    if (transaction)
        transaction_spoil(transaction);
}

static int run_allowed(struct call *call, const struct command *command)
{
    int r;
    if (!command_allows(call, command->need, &r)) {
        if (r == COMMAND_DONE)
            spoil(call);
        return r;
    }
    if (is_only_told(call->connection) && !(command->flags & COMMAND_SUBSCRIBED)) {
        spoil(call);
        return refuse_while_told(call);
    }
    struct transaction *transaction = connection_transaction(call->connection);
    if (transaction && !(command->flags & COMMAND_DIRECT) && transaction_gathers(transaction))
        return transaction_add(transaction, call, command);
    if (command->run && !(command->apply && missing_watched(call->connection)))
        return command->run(call);
    return command_apply(call, command);
}

static int run_if_room(struct call *call, const struct command *command)
{
    if (command->flags & COMMAND_GROWS && hub_is_full(call->hub)) {
        spoil(call);
        return command_error(call, "OOM",
                             "command not allowed when used memory > 'maxmemory'.");
    }
    return run_allowed(call, command);
}

int command_run(struct call *call)
{
    const struct command *command = call->command;
    if (!secure_settle(call->connection))
        return COMMAND_AGAIN_LOG;
    if (!command) {
        spoil(call);
        return command_error_about(call, "unknown command", call->argv[0]);
    }
    if (!command_arity_fits(command, call->argc)) {
        spoil(call);
        return command_error_in(call, "wrong number of arguments for");
    }
    int r = run_if_room(call, command);
    if (r == COMMAND_DONE) {
        tally_add(call->hub->tally, TALLY_COMMANDS, 1);
        if (call->hub->shared->config.log_requests)
            log_request(call);
    }
    return r;
}
