#include "hub/command.h"
#include "hub/hub.h"

#include "base/limits.h"
#include "base/number.h"

#include <errno.h>
#include <stdlib.h>

/* Values: what a key holds. Every handler makes slots, hands the store a function over them,
 * and answers; it may run again where the store was busy, so answers come last. */

enum { FEW_KEYS = 8, NOT_A_NUMBER = STORE_FN_FIRST, OVERFLOWS, TOO_LONG };

static int update(struct call *call, struct store_slot *slots, size_t n, store_update_fn fn,
                  void *ctx)
{
    uint64_t lsn = 0;
    int r = store_update(call->hub->shared->store, STORE_USER, slots, n, call->hub->wall, fn,
                         ctx, &lsn);
    if (r >= 0)
        reply_depends(call->reply, lsn);
    return r;
}

static int get(struct call *call, store_visit_fn visit, void *ctx)
{
    uint64_t lsn = 0;
    int r = store_get(call->hub->shared->store, STORE_USER, call->argv[1], call->hub->wall,
                      visit, ctx, &lsn);
    if (r >= 0)
        reply_depends(call->reply, lsn);
    return r;
}

/* ---- one key ---- */

static void answer_value(void *ctx, const struct store_value *value)
{
    reply_value(ctx, value->bytes);
}

static int run_get(struct call *call)
{
    int r = get(call, answer_value, call->reply);
    if (r == STORE_MISSING)
        reply_missing(call->reply, call->argv[1]);
    else if (r != 0)
        return command_store_failed(call, r);
    return COMMAND_DONE;
}

static void answer_length(void *ctx, const struct store_value *value)
{
    reply_integer(ctx, (int64_t)value->bytes.len);
}

static int run_strlen(struct call *call)
{
    int r = get(call, answer_length, call->reply);
    if (r == STORE_MISSING)
        reply_integer(call->reply, 0);
    else if (r != 0)
        return command_store_failed(call, r);
    return COMMAND_DONE;
}

static int put_value(void *ctx, struct store_slot *slots, size_t n)
{
    const struct bytes *value = ctx;
    slots[0].verdict = STORE_PUT;
    slots[0].value = *value;
    slots[0].expires = STORE_NO_EXPIRY;
    return 0;
}

static int run_set(struct call *call)
{
    struct store_slot slot = {.key = call->argv[1]};
    struct bytes value = call->argv[2];
    int r = update(call, &slot, 1, put_value, &value);
    if (r != 0)
        return command_store_failed(call, r);
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

static int run_store(struct call *call)
{
    struct store_slot slot = {.key = call->argv[1]};
    struct bytes value = call->argv[2];
    int r = update(call, &slot, 1, put_value, &value);
    if (r != 0)
        return command_store_failed(call, r);
    reply_stored(call->reply, call->argv[1], slot.present);
    return COMMAND_DONE;
}

/* ---- numbers ---- */

struct addition {
    int64_t add, sum;
    char digits[NUMBER_INT64_CHARS];
};

static int add_number(void *ctx, struct store_slot *slots, size_t n)
{
    struct addition *a = ctx;
    int64_t old = 0;
    if (slots[0].present && !number_parse_i64(slots[0].old.bytes, &old))
        return NOT_A_NUMBER;
    if (__builtin_add_overflow(old, a->add, &a->sum))
        return OVERFLOWS;
    slots[0].verdict = STORE_PUT;
    slots[0].value = bytes_make(a->digits, number_format_i64(a->digits, a->sum));
    slots[0].expires = slots[0].old.expires;
    return 0;
}

static int add(struct call *call, int64_t amount)
{
    struct addition a = {.add = amount};
    struct store_slot slot = {.key = call->argv[1]};
    int r = update(call, &slot, 1, add_number, &a);
    if (r == NOT_A_NUMBER)
        return command_error(call, "ERR", "value is not an integer or out of range");
    if (r == OVERFLOWS)
        return command_error(call, "ERR", "increment or decrement would overflow");
    if (r != 0)
        return command_store_failed(call, r);
    reply_integer(call->reply, a.sum);
    return COMMAND_DONE;
}

static int run_incr(struct call *call)
{
    return add(call, 1);
}

static int run_decr(struct call *call)
{
    return add(call, -1);
}

static int run_incrby(struct call *call)
{
    int64_t amount;
    if (!number_parse_i64(call->argv[2], &amount))
        return command_error(call, "ERR", "value is not an integer or out of range");
    return add(call, amount);
}

static int run_decrby(struct call *call)
{
    int64_t amount;
    if (!number_parse_i64(call->argv[2], &amount))
        return command_error(call, "ERR", "value is not an integer or out of range");
    if (amount == INT64_MIN)
        return command_error(call, "ERR", "decrement would overflow");
    return add(call, -amount);
}

/* ---- append ---- */

struct appending {
    struct bytes suffix;
    struct buffer whole;
};

static int append_value(void *ctx, struct store_slot *slots, size_t n)
{
    struct appending *a = ctx;
    buffer_truncate(&a->whole, 0);
    int r = buffer_append_bytes(&a->whole, slots[0].old.bytes);
    if (r == 0)
        r = buffer_append_bytes(&a->whole, a->suffix);
    if (r != 0)
        return r == BUFFER_FULL ? TOO_LONG : r;
    slots[0].verdict = STORE_PUT;
    slots[0].value = buffer_view(&a->whole);
    slots[0].expires = slots[0].old.expires;
    return 0;
}

static int run_append(struct call *call)
{
    struct appending a = {.suffix = call->argv[2]};
    struct store_slot slot = {.key = call->argv[1]};
    buffer_init(&a.whole, LIMIT_VALUE_BYTES);
    int r = update(call, &slot, 1, append_value, &a);
    size_t len = buffer_len(&a.whole);
    buffer_fini(&a.whole);
    if (r != 0)
        return command_store_failed(call, r == TOO_LONG ? STORE_TOO_LARGE : r);
    reply_integer(call->reply, (int64_t)len);
    return COMMAND_DONE;
}

/* ---- several keys ---- */

/* Runs fn over slots whose keys are every step-th argument from the first on. */
static int update_many(struct call *call, size_t step, store_update_fn fn, void *ctx)
{
    size_t n = (call->argc - 1) / step;
    struct store_slot few[FEW_KEYS], *slots = few;
    if (n > FEW_KEYS && !(slots = malloc(n * sizeof *slots)))
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        slots[i] = (struct store_slot){.key = call->argv[1 + i * step]};
    int r = update(call, slots, n, fn, ctx);
    if (slots != few)
        free(slots);
    return r;
}

static int answer_values(void *ctx, struct store_slot *slots, size_t n)
{
    struct reply *reply = ctx;
    reply_array(reply, n);
    for (size_t i = 0; i < n; i++) {
        if (slots[i].present)
            reply_value(reply, slots[i].old.bytes);
        else
            reply_null(reply);
    }
    return 0;
}

static int run_mget(struct call *call)
{
    int r = update_many(call, 1, answer_values, call->reply);
    return r != 0 ? command_store_failed(call, r) : COMMAND_DONE;
}

static int put_pairs(void *ctx, struct store_slot *slots, size_t n)
{
    const struct call *call = ctx;
    for (size_t i = 0; i < n; i++) {
        slots[i].verdict = STORE_PUT;
        slots[i].value = call->argv[2 + 2 * i];
        slots[i].expires = STORE_NO_EXPIRY;
    }
    return 0;
}

static int run_mset(struct call *call)
{
    if (call->argc % 2 == 0)
        return command_error(call, "ERR", "wrong number of arguments for MSET");
    int r = update_many(call, 2, put_pairs, call);
    if (r != 0)
        return command_store_failed(call, r);
    reply_status(call->reply, "OK");
    return COMMAND_DONE;
}

static int count_present(void *ctx, struct store_slot *slots, size_t n)
{
    int64_t *count = ctx;
    *count = 0;
    for (size_t i = 0; i < n; i++)
        *count += slots[i].present;
    return 0;
}

static int run_exists(struct call *call)
{
    int64_t count;
    int r = update_many(call, 1, count_present, &count);
    if (r != 0)
        return command_store_failed(call, r);
    reply_integer(call->reply, count);
    return COMMAND_DONE;
}

static int remove_present(void *ctx, struct store_slot *slots, size_t n)
{
    int64_t *count = ctx;
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!slots[i].present)
            continue;
        slots[i].verdict = STORE_REMOVE;
        *count += !slots[i].repeated;
    }
    return 0;
}

static int run_del(struct call *call)
{
    int64_t count;
    int r = update_many(call, 1, remove_present, &count);
    if (r != 0)
        return command_store_failed(call, r);
    reply_integer(call->reply, count);
    return COMMAND_DONE;
}

static int run_dbsize(struct call *call)
{
    uint64_t lsn = 0;
    size_t count = store_count(call->hub->shared->store, STORE_USER, &lsn);
    reply_depends(call->reply, lsn);
    reply_integer(call->reply, (int64_t)count);
    return COMMAND_DONE;
}

#define WRITES (COMMAND_WRITES | COMMAND_FAST)
#define READS COMMAND_FAST

static const struct command commands[] = {
    {"APPEND", 3, ACCESS_TABLE, WRITES, 1, 1, 1, run_append, "Adds to the end of a value"},
    {"DBSIZE", 1, ACCESS_TABLE, READS, 0, 0, 0, run_dbsize, "How many keys there are"},
    {"DECR", 2, ACCESS_TABLE, WRITES, 1, 1, 1, run_decr, "Takes one from a number"},
    {"DECRBY", 3, ACCESS_TABLE, WRITES, 1, 1, 1, run_decrby, "Takes from a number"},
    {"DEL", -2, ACCESS_TABLE, COMMAND_WRITES, 1, -1, 1, run_del, "Removes keys"},
    {"EXISTS", -2, ACCESS_TABLE, READS, 1, -1, 1, run_exists, "How many of these keys exist"},
    {"GET", 2, ACCESS_TABLE, READS, 1, 1, 1, run_get, "The value of a key"},
    {"INCR", 2, ACCESS_TABLE, WRITES, 1, 1, 1, run_incr, "Adds one to a number"},
    {"INCRBY", 3, ACCESS_TABLE, WRITES, 1, 1, 1, run_incrby, "Adds to a number"},
    {"MGET", -2, ACCESS_TABLE, READS, 1, -1, 1, run_mget,
     "The values of keys, as of one moment"},
    {"MSET", -3, ACCESS_TABLE, COMMAND_WRITES, 1, -1, 2, run_mset, "Sets keys, all as one"},
    {"SET", 3, ACCESS_TABLE, COMMAND_WRITES, 1, 1, 1, run_set, "Sets the value of a key"},
    {"STORE", 3, ACCESS_TABLE, COMMAND_WRITES, 1, 1, 1, run_store,
     "Sets the value of a key and says whether it was there"},
    {"STRLEN", 2, ACCESS_TABLE, READS, 1, 1, 1, run_strlen, "The length of a value"},
};

const struct command_part commands_values = {commands, sizeof commands / sizeof *commands};
