#include "base/limits.h"
#include "base/number.h"
#include "hub/growth.h"
#include "hub/hub.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Values as numbers, and parts of values. */

static void keep_expiry(struct store_slot *slot, struct bytes value)
{
    slot->verdict = STORE_PUT;
    slot->value = value;
    slot->blob = NULL;
    slot->expires = slot->old.expires;
}

/* ---- whole numbers */

static int refuse_number(struct call *call)
{
    return command_refuse(call, "ERR", "value is not an integer or out of range");
}

static int add(struct call *call, struct store_slot *slot, int64_t amount)
{
    int64_t sum = 0;
    if (slot->present && !number_parse_i64(slot->old.bytes, &sum))
        return refuse_number(call);
    if (__builtin_add_overflow(sum, amount, &sum))
        return command_refuse(call, "ERR", "increment or decrement would overflow");
    char *digits = command_take(call, NUMBER_INT64_CHARS);
    if (!digits)
        return -ENOMEM;
    keep_expiry(slot, bytes_make(digits, number_format_i64(digits, sum)));
    reply_integer(call->reply, sum);
    return 0;
}

static int apply_incr(struct call *call, struct store_slot *slots, size_t n)
{
    return add(call, &slots[0], 1);
}

static int apply_decr(struct call *call, struct store_slot *slots, size_t n)
{
    return add(call, &slots[0], -1);
}

static int apply_incrby(struct call *call, struct store_slot *slots, size_t n)
{
    int64_t amount;
    return number_parse_i64(call->argv[2], &amount) ? add(call, &slots[0], amount)
                                                    : refuse_number(call);
}

static int apply_decrby(struct call *call, struct store_slot *slots, size_t n)
{
    int64_t amount;
    if (!number_parse_i64(call->argv[2], &amount))
        return refuse_number(call);
    if (amount == INT64_MIN)
        return command_refuse(call, "ERR", "decrement would overflow");
    return add(call, &slots[0], -amount);
}

/* ---- fractions */

enum { FLOAT_CHARS = 5 * 1024 /* the largest long double, in full, and its 17 decimals */ };

static bool parse_float(struct bytes b, long double *ret)
{
    char text[FLOAT_CHARS], *end;
    if (b.len == 0 || b.len >= sizeof text || b.data[0] <= ' ')
        return false;
    memcpy(text, b.data, b.len);
    text[b.len] = 0;
    errno = 0;
    *ret = strtold(text, &end);
    return end == text + b.len && errno == 0 && !isnan(*ret);
}

/* Up to 17 decimals, without zeros at the end. */
static size_t format_float(char out[FLOAT_CHARS], long double v)
{
    int n = snprintf(out, FLOAT_CHARS, "%.17Lf", v);
    size_t len = n > 0 && n < FLOAT_CHARS ? (size_t)n : 0;
    while (len > 0 && out[len - 1] == '0')
        len--;
    if (len > 0 && out[len - 1] == '.')
        len--;
    if (len == 2 && out[0] == '-' && out[1] == '0') {
        out[0] = '0';
        len = 1;
    }
    return len;
}

/* Memory for a value made of another, which holds until the command is over: a transaction's
 * until all of it is, so there is a limit. COMMAND_MAKES_TOO_MUCH, -ENOMEM. */
static int take_made(struct call *call, size_t n, void **ret)
{
    if (call->made && (*call->made += n) > LIMIT_TRANSACTION_MADE_BYTES)
        return COMMAND_MAKES_TOO_MUCH;
    *ret = command_take(call, n);
    return *ret ? 0 : -ENOMEM;
}

static int apply_incrbyfloat(struct call *call, struct store_slot *slots, size_t n)
{
    long double sum = 0, amount;
    if ((slots[0].present && !parse_float(slots[0].old.bytes, &sum)) ||
        !parse_float(call->argv[2], &amount))
        return command_refuse(call, "ERR", "value is not a valid float");
    sum += amount;
    if (isnan(sum) || isinf(sum))
        return command_refuse(call, "ERR", "increment would produce NaN or Infinity");
    char digits[FLOAT_CHARS];
    size_t len = format_float(digits, sum);
    void *made;
    int r = take_made(call, len, &made);
    if (r != 0)
        return r;
    struct bytes value = bytes_make(memcpy(made, digits, len), len);
    keep_expiry(&slots[0], value);
    reply_value(call->reply, value);
    return 0;
}

/* ---- parts */

static int apply_strlen(struct call *call, struct store_slot *slots, size_t n)
{
    reply_integer(call->reply, (int64_t)slots[0].old.bytes.len);
    return 0;
}

/* The new value, in memory that holds until the command is over. A large one is made elsewhere,
 * but for a transaction's: *ret_blob is what it lies in, or COMMAND_WAITS. */
static int make_value(struct call *call, const struct store_slot *slot,
                      const struct growth_plan *plan, struct bytes *ret, struct blob **ret_blob)
{
    enum { ELSEWHERE_BYTES = 256 * 1024 };
    struct bytes old = slot->old.bytes;
    *ret_blob = NULL;
    if (plan->len > ELSEWHERE_BYTES && !call->made) {
        int r = growth_take(call, &slot->old, plan, ret_blob);
        if (r == 0)
            *ret = bytes_make((*ret_blob)->memory, plan->len);
        return r == GROWTH_BEGUN ? COMMAND_WAITS : r;
    }
    void *made;
    int r = take_made(call, plan->len, &made);
    if (r != 0)
        return r;
    uint8_t *whole = made;
    if (old.len)
        memcpy(whole, old.data, old.len);
    memset(whole + old.len, 0, plan->len - old.len);
    if (plan->part.len)
        memcpy(whole + plan->offset, plan->part.data, plan->part.len);
    *ret = bytes_make(whole, plan->len);
    return 0;
}

/* Writes argument i at an offset of the value, and answers how long it is then. */
static int write_part(struct call *call, struct store_slot *slot, size_t i, size_t offset)
{
    struct growth_plan plan = {.len = offset + call->argv[i].len,
                               .offset = offset,
                               .part = call->argv[i],
                               .part_blob = call_blob(call, i)};
    if (plan.len < slot->old.bytes.len)
        plan.len = slot->old.bytes.len;
    struct bytes value;
    struct blob *blob;
    int r = make_value(call, slot, &plan, &value, &blob);
    if (r != 0)
        return r;
    keep_expiry(slot, value);
    slot->blob = blob;
    reply_integer(call->reply, (int64_t)value.len);
    return 0;
}

static int apply_append(struct call *call, struct store_slot *slots, size_t n)
{
    size_t offset = slots[0].old.bytes.len;
    if (call->argv[2].len > LIMIT_VALUE_BYTES - offset)
        return STORE_TOO_LARGE;
    return write_part(call, &slots[0], 2, offset);
}

static int apply_setrange(struct call *call, struct store_slot *slots, size_t n)
{
    struct bytes part = call->argv[3];
    int64_t offset;
    if (!number_parse_i64(call->argv[2], &offset))
        return refuse_number(call);
    if (offset < 0)
        return command_refuse(call, "ERR", "offset is out of range");
    if (part.len == 0) {
        reply_integer(call->reply, (int64_t)slots[0].old.bytes.len);
        return 0;
    }
    if ((uint64_t)offset > LIMIT_VALUE_BYTES || part.len > LIMIT_VALUE_BYTES - (size_t)offset)
        return STORE_TOO_LARGE;
    return write_part(call, &slots[0], 3, (size_t)offset);
}

/* An index as Redis counts: from the end where negative. */
static int64_t from_end(int64_t index, int64_t len)
{
    return index < 0 && index < -len ? 0 : index < 0 ? index + len : index;
}

static int apply_getrange(struct call *call, struct store_slot *slots, size_t n)
{
    struct bytes value = slots[0].old.bytes;
    int64_t start, end, len = (int64_t)value.len;
    if (!number_parse_i64(call->argv[2], &start) || !number_parse_i64(call->argv[3], &end))
        return refuse_number(call);
    bool crossed = start < 0 && end < 0 && start > end;
    start = from_end(start, len);
    end = from_end(end, len);
    if (end >= len)
        end = len - 1;
    if (crossed || len == 0 || start > end)
        reply_value(call->reply, bytes_make(NULL, 0));
    else
        reply_shared_value(call->reply,
                           bytes_make(value.data + start, (size_t)(end - start) + 1),
                           slots[0].old.blob);
    return 0;
}

#define READS COMMAND_FAST
#define GROWS (COMMAND_WRITES | COMMAND_FAST | COMMAND_GROWS)

static const struct command commands[] = {
    {"APPEND", 3, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_append,
     "Adds to the end of a value"},
    {"DECR", 2, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_decr, "Takes one from a number"},
    {"DECRBY", 3, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_decrby, "Takes from a number"},
    {"GETRANGE", 4, ACCESS_TABLE, READS, 1, 1, 1, NULL, apply_getrange, "A part of a value"},
    {"INCR", 2, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_incr, "Adds one to a number"},
    {"INCRBY", 3, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_incrby, "Adds to a number"},
    {"INCRBYFLOAT", 3, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_incrbyfloat,
     "Adds to a number with a fraction"},
    {"SETRANGE", 4, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_setrange,
     "Writes over a part of a value"},
    {"STRLEN", 2, ACCESS_TABLE, READS, 1, 1, 1, NULL, apply_strlen, "The length of a value"},
};

const struct command_part commands_strings = {commands, sizeof commands / sizeof *commands};
