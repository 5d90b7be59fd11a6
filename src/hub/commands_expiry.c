#include "base/number.h"
#include "hub/expiry.h"
#include "hub/hub.h"

/* When keys expire: set, asked for, taken away. */

enum { SECOND_MS = 1000, NO_KEY = -2, NO_EXPIRY = -1 };

/* ---- setting */

enum { IF_NONE = 1 << 0, IF_SOME = 1 << 1, IF_LATER = 1 << 2, IF_EARLIER = 1 << 3 };

static int read_conditions(struct call *call, unsigned *ret)
{
    static const char *const words[] = {"NX", "XX", "GT", "LT"};
    unsigned conditions = 0;
    for (size_t at = 3; at < call->argc; at++) {
        size_t i = 0;
        while (i < 4 && !bytes_equal_nocase_str(call->argv[at], words[i]))
            i++;
        if (i == 4)
            return command_refuse_about(call, "Unsupported option", call->argv[at]);
        conditions |= 1u << i;
    }
    if (conditions & IF_NONE && conditions & ~(unsigned)IF_NONE)
        return command_refuse(
            call, "ERR", "NX and XX, GT or LT options at the same time are not compatible");
    if (conditions & IF_LATER && conditions & IF_EARLIER)
        return command_refuse(call, "ERR",
                              "GT and LT options at the same time are not compatible");
    *ret = conditions;
    return 0;
}

/* A key that never expires counts as one that does so later than any other. */
static bool conditions_hold(unsigned conditions, struct walltime old, struct walltime at)
{
    bool some = old.ms != 0;
    if (conditions & IF_NONE && some)
        return false;
    if (conditions & IF_SOME && !some)
        return false;
    if (conditions & IF_LATER && (!some || at.ms <= old.ms))
        return false;
    return !(conditions & IF_EARLIER && some && at.ms >= old.ms);
}

static int expire(struct call *call, struct store_slot *slot, int64_t unit_ms, bool absolute)
{
    int64_t number;
    struct walltime at;
    unsigned conditions = 0;
    int r = read_conditions(call, &conditions);
    if (r != 0)
        return r;
    if (!number_parse_i64(call->argv[2], &number))
        return command_refuse(call, "ERR", "value is not an integer or out of range");
    if (!expiry_moment(call, number, unit_ms, absolute, &at))
        return command_refuse_in(call, "invalid expire time in");
    if (at.ms <= 0)
        at.ms = 1; /* long ago; 0 would be never */
    bool sets = slot->present && conditions_hold(conditions, slot->old.expires, at);
    if (sets)
        expiry_set(call, slot, at);
    reply_integer(call->reply, sets);
    return 0;
}

static int apply_expire(struct call *call, struct store_slot *slots, size_t n)
{
    return expire(call, &slots[0], SECOND_MS, false);
}

static int apply_pexpire(struct call *call, struct store_slot *slots, size_t n)
{
    return expire(call, &slots[0], 1, false);
}

static int apply_expireat(struct call *call, struct store_slot *slots, size_t n)
{
    return expire(call, &slots[0], SECOND_MS, true);
}

static int apply_pexpireat(struct call *call, struct store_slot *slots, size_t n)
{
    return expire(call, &slots[0], 1, true);
}

static int apply_persist(struct call *call, struct store_slot *slots, size_t n)
{
    bool persists = slots[0].present && slots[0].old.expires.ms != 0;
    if (persists)
        expiry_set(call, &slots[0], STORE_NO_EXPIRY);
    reply_integer(call->reply, persists);
    return 0;
}

/* ---- asking */

static bool answer_no_expiry(struct call *call, const struct store_slot *slot)
{
    if (slot->present && slot->old.expires.ms != 0)
        return false;
    reply_integer(call->reply, slot->present ? NO_EXPIRY : NO_KEY);
    return true;
}

/* To the nearest second; no moment is too far away for it. */
static int64_t seconds(int64_t ms)
{
    return ms / SECOND_MS + (ms % SECOND_MS >= SECOND_MS / 2);
}

static int apply_ttl(struct call *call, struct store_slot *slots, size_t n)
{
    if (!answer_no_expiry(call, &slots[0])) {
        int64_t left = slots[0].old.expires.ms - expiry_now(call).ms;
        reply_integer(call->reply, seconds(left));
    }
    return 0;
}

static int apply_pttl(struct call *call, struct store_slot *slots, size_t n)
{
    if (!answer_no_expiry(call, &slots[0]))
        reply_integer(call->reply, slots[0].old.expires.ms - expiry_now(call).ms);
    return 0;
}

static int apply_expiretime(struct call *call, struct store_slot *slots, size_t n)
{
    if (!answer_no_expiry(call, &slots[0]))
        reply_integer(call->reply, seconds(slots[0].old.expires.ms));
    return 0;
}

static int apply_pexpiretime(struct call *call, struct store_slot *slots, size_t n)
{
    if (!answer_no_expiry(call, &slots[0]))
        reply_integer(call->reply, slots[0].old.expires.ms);
    return 0;
}

#define READS COMMAND_FAST
#define WRITES (COMMAND_WRITES | COMMAND_FAST)

static const struct command commands[] = {
    {"EXPIRE", -3, ACCESS_TABLE, WRITES, 1, 1, 1, NULL, apply_expire,
     "Lets a key expire after seconds: NX|XX|GT|LT"},
    {"EXPIREAT", -3, ACCESS_TABLE, WRITES, 1, 1, 1, NULL, apply_expireat,
     "Lets a key expire at a Unix time in seconds: NX|XX|GT|LT"},
    {"EXPIRETIME", 2, ACCESS_TABLE, READS, 1, 1, 1, NULL, apply_expiretime,
     "When a key expires, as a Unix time in seconds"},
    {"PERSIST", 2, ACCESS_TABLE, WRITES, 1, 1, 1, NULL, apply_persist,
     "Lets a key never expire"},
    {"PEXPIRE", -3, ACCESS_TABLE, WRITES, 1, 1, 1, NULL, apply_pexpire,
     "Lets a key expire after milliseconds: NX|XX|GT|LT"},
    {"PEXPIREAT", -3, ACCESS_TABLE, WRITES, 1, 1, 1, NULL, apply_pexpireat,
     "Lets a key expire at a Unix time in milliseconds: NX|XX|GT|LT"},
    {"PEXPIRETIME", 2, ACCESS_TABLE, READS, 1, 1, 1, NULL, apply_pexpiretime,
     "When a key expires, as a Unix time in milliseconds"},
    {"PTTL", 2, ACCESS_TABLE, READS, 1, 1, 1, NULL, apply_pttl,
     "How many milliseconds a key has left; -1 without end, -2 no key"},
    {"TTL", 2, ACCESS_TABLE, READS, 1, 1, 1, NULL, apply_ttl,
     "How many seconds a key has left; -1 without end, -2 no key"},
};

const struct command_part commands_expiry = {commands, sizeof commands / sizeof *commands};
