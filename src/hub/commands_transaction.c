#include "hub/hub.h"
#include "hub/transaction.h"

#include "base/limits.h"

/* Several commands as one. */

static struct transaction *have_transaction(struct connection *c)
{
    struct connection_extra *extra = connection_extra(c);
    if (extra && !extra->transaction)
        extra->transaction = transaction_new();
    return extra ? extra->transaction : NULL;
}

static void end_transaction(struct connection *c)
{
    transaction_free(connection_transaction(c));
    if (c->extra)
        c->extra->transaction = NULL;
}

static bool gathers(const struct connection *c)
{
    return connection_transaction(c) && transaction_gathers(connection_transaction(c));
}

static int run_multi(struct call *call)
{
    struct transaction *t = have_transaction(call->connection);
    if (!t)
        return command_error(call, "OOM", "out of memory for the transaction");
    if (!transaction_begin(t))
        return command_error(call, "ERR", "MULTI calls can not be nested");
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

static int run_discard(struct call *call)
{
    if (!gathers(call->connection))
        return command_error(call, "ERR", "DISCARD without MULTI");
    end_transaction(call->connection);
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

static int run_exec(struct call *call)
{
    if (!gathers(call->connection))
        return command_error(call, "ERR", "EXEC without MULTI");
    int r = transaction_run(connection_transaction(call->connection), call);
    if (r == COMMAND_DONE)
        end_transaction(call->connection);
    return r;
}

/* As one of a transaction's own commands it comes too late to change anything. */
static int run_unwatch(struct call *call)
{
    if (!gathers(call->connection))
        end_transaction(call->connection);
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

static void see_version(void *ctx, const struct store_value *value)
{
    *(uint64_t *)ctx = value->version;
}

static int watch_key(struct call *call, struct bytes key)
{
    uint64_t version = 0, lsn = 0;
    int r = store_get(call->hub->shared->store, STORE_USER, key, call->hub->wall, see_version,
                      &version, &lsn);
    if (r != 0 && r != STORE_MISSING)
        return command_store_failed(call, r);
    reply_depends(call->reply, lsn);
    r = transaction_watch(connection_transaction(call->connection), key, version);
    if (r < 0)
        return command_error(call, "OOM", "out of memory for the transaction");
    return r > 0 ? command_error(call, "ERR", "too many watched keys") : COMMAND_DONE;
}

static int run_watch(struct call *call)
{
    if (gathers(call->connection))
        return command_error(call, "ERR", "WATCH inside MULTI is not allowed");
    if (!have_transaction(call->connection))
        return command_error(call, "OOM", "out of memory for the transaction");
    size_t before = buffer_len(call->reply->out);
    for (size_t i = 1; i < call->argc; i++) {
        int r = watch_key(call, call->argv[i]);
        if (r != COMMAND_DONE || buffer_len(call->reply->out) > before)
            return r;
    }
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

#define FLAGS (COMMAND_FAST | COMMAND_DIRECT)

static const struct command commands[] = {
    {"DISCARD", 1, ACCESS_TABLE, FLAGS, 0, 0, 0, run_discard, NULL, "Forgets a transaction"},
    {"EXEC", 1, ACCESS_TABLE, COMMAND_DIRECT, 0, 0, 0, run_exec, NULL,
     "Runs a transaction, as one"},
    {"MULTI", 1, ACCESS_TABLE, FLAGS, 0, 0, 0, run_multi, NULL, "Begins a transaction"},
    {"UNWATCH", 1, ACCESS_TABLE, COMMAND_FAST | COMMAND_PLAIN, 0, 0, 0, run_unwatch, NULL,
     "Forgets all watched keys"},
    {"WATCH", -2, ACCESS_TABLE, FLAGS, 1, -1, 1, run_watch, NULL,
     "Lets the next transaction happen only if these keys have not changed"},
};

const struct command_part commands_transaction = {commands, sizeof commands / sizeof *commands};
