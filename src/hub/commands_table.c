#include "base/glob.h"
#include "base/number.h"
#include "hub/hub.h"
#include "hub/walk.h"

#include <errno.h>

/* The table as a whole: its keys, its size, its end, its checkpoints. */

enum { SCAN_COUNT = 10, SCAN_COUNT_MAX = 10000 };

static int run_dbsize(struct call *call)
{
    uint64_t lsn = 0;
    size_t count = store_count(call->hub->shared->store, STORE_USER, &lsn);
    reply_depends(call->reply, lsn);
    reply_integer(call->reply, (int64_t)count);
    return COMMAND_DONE;
}

/* ---- SCAN */

struct scan {
    struct bytes pattern; /* no data: none */
    bool nothing;         /* a type that no key has is asked for */
    size_t budget;
    struct buffer keys; /* replies, one after the other */
    struct reply reply; /* writes to it */
    size_t count;
};

static int read_count(struct call *call, struct bytes word, struct scan *s)
{
    uint64_t count;
    if (!number_parse_u64(word, &count))
        return command_refuse(call, "ERR", "value is not an integer or out of range");
    if (count == 0)
        return command_refuse(call, "ERR", "syntax error");
    s->budget = count < SCAN_COUNT_MAX ? (size_t)count : SCAN_COUNT_MAX;
    return 0;
}

static int read_scan_options(struct call *call, struct scan *s)
{
    int r = 0;
    for (size_t at = 2; at < call->argc && r == 0; at += 2) {
        struct bytes word = call->argv[at];
        if (at + 1 == call->argc)
            return command_refuse(call, "ERR", "syntax error");
        if (bytes_equal_nocase_str(word, "MATCH"))
            s->pattern = call->argv[at + 1];
        else if (bytes_equal_nocase_str(word, "COUNT"))
            r = read_count(call, call->argv[at + 1], s);
        else if (bytes_equal_nocase_str(word, "TYPE"))
            s->nothing = !bytes_equal_nocase_str(call->argv[at + 1], "string");
        else
            return command_refuse(call, "ERR", "syntax error");
    }
    return r;
}

static void answer_key(void *ctx, struct bytes key, const struct store_value *value)
{
    struct scan *s = ctx;
    if (s->nothing || (s->pattern.data && !glob_matches(s->pattern, key, false)))
        return;
    reply_value(&s->reply, key);
    s->count++;
}

static void answer_scan(struct call *call, const struct scan *s, uint64_t cursor)
{
    char digits[NUMBER_INT64_CHARS];
    reply_array(call->reply, 2);
    reply_text(call->reply, bytes_make(digits, number_format_u64(digits, cursor)));
    reply_array(call->reply, s->count);
    reply_raw(call->reply, buffer_view(&s->keys));
}

static int run_scan(struct call *call)
{
    struct scan s = {.budget = SCAN_COUNT};
    uint64_t cursor, lsn = 0;
    if (!number_parse_u64(call->argv[1], &cursor))
        return command_error(call, "ERR", "invalid cursor");
    if (read_scan_options(call, &s) != 0)
        return COMMAND_DONE;
    buffer_init(&s.keys, call->reply->out->max);
    s.reply = (struct reply){.out = &s.keys, .dialect = call->reply->dialect};
    int r = store_scan(call->hub->shared->store, STORE_USER, &cursor, s.budget, call->hub->wall,
                       answer_key, &s, &lsn);
    reply_depends(call->reply, lsn);
    if (r != 0)
        r = command_store_failed(call, r);
    else if (s.reply.failed)
        call->reply->failed = s.reply.failed;
    else
        answer_scan(call, &s, cursor);
    buffer_fini(&s.keys);
    return r;
}

/* ---- KEYS */

static struct walk *have_walk(struct call *call)
{
    struct connection_extra *c = connection_extra(call->connection);
    if (c && !c->walk)
        c->walk = walk_new(call->argv[1], &call->hub->shared->garbage);
    return c ? c->walk : NULL;
}

static int run_keys(struct call *call)
{
    struct walk *walk = have_walk(call);
    if (!walk)
        return command_store_failed(call, -ENOMEM);
    int r = walk_on(walk, call);
    if (r == COMMAND_AGAIN_TURN || r == STORE_BUSY)
        return r == STORE_BUSY ? COMMAND_AGAIN_LOG : r;
    if (r == 0)
        r = walk_answer(walk, call->reply, connection_is_told(call->connection));
    else if (r == BUFFER_FULL)
        call->reply->failed = r;
    else
        command_store_failed(call, r);
    if (r == COMMAND_AGAIN_TURN)
        return r;
    walk_free(walk);
    call->connection->extra->walk = NULL;
    return COMMAND_DONE;
}

/* ---- FLUSHDB, FLUSHALL */

static int run_flush(struct call *call)
{
    if (call->argc > 2 || (call->argc == 2 && !bytes_equal_nocase_str(call->argv[1], "SYNC") &&
                           !bytes_equal_nocase_str(call->argv[1], "ASYNC")))
        return command_error(call, "ERR", "syntax error");
    uint64_t lsn = 0;
    int r = store_flush(call->hub->shared->store, STORE_USER, call->hub->wall, &lsn);
    if (r != 0)
        return command_store_failed(call, r);
    reply_depends(call->reply, lsn);
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

/* ---- checkpoints */

static int run_bgsave(struct call *call)
{
    if (call->argc > 2 ||
        (call->argc == 2 && !bytes_equal_nocase_str(call->argv[1], "SCHEDULE")))
        return command_error(call, "ERR", "syntax error");
    if (!store_save(call->hub->shared->store))
        return command_error(call, "ERR", "Background save already in progress");
    reply_status(call->reply, "Background saving started");
    return COMMAND_DONE;
}

static int run_lastsave(struct call *call)
{
    struct store_saved saved;
    store_saved(call->hub->shared->store, &saved);
    reply_integer(call->reply, saved.last.ms / 1000);
    return COMMAND_DONE;
}

static const struct command commands[] = {
    {"BGSAVE", -1, ACCESS_ADMIN, 0, 0, 0, 0, run_bgsave, NULL,
     "Makes a checkpoint in the background"},
    {"DBSIZE", 1, ACCESS_TABLE, COMMAND_FAST, 0, 0, 0, run_dbsize, NULL,
     "How many keys there are"},
    {"FLUSHALL", -1, ACCESS_ADMIN, COMMAND_WRITES, 0, 0, 0, run_flush, NULL,
     "Removes all keys"},
    {"FLUSHDB", -1, ACCESS_ADMIN, COMMAND_WRITES, 0, 0, 0, run_flush, NULL, "Removes all keys"},
    {"KEYS", 2, ACCESS_TABLE, 0, 0, 0, 0, run_keys, NULL, "All keys that match a pattern"},
    {"LASTSAVE", 1, ACCESS_TABLE, COMMAND_FAST, 0, 0, 0, run_lastsave, NULL,
     "When the last checkpoint was begun, as a Unix time"},
    {"SCAN", -2, ACCESS_TABLE, 0, 0, 0, 0, run_scan, NULL,
     "Some keys, from a cursor on: MATCH pattern, COUNT n, TYPE string"},
};

const struct command_part commands_table = {commands, sizeof commands / sizeof *commands};
