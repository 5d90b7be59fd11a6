#include "hub/expiry.h"

#include "base/number.h"
#include "hub/hub.h"

enum { SECOND_MS = 1000 };

struct walltime expiry_now(struct call *call)
{
    return store_time(call->hub->shared->store, call->hub->wall);
}

bool expiry_is_past(struct call *call, struct walltime at)
{
    return at.ms != 0 && at.ms <= expiry_now(call).ms;
}

bool expiry_read_option(struct call *call, struct bytes word, size_t *at,
                        enum expiry_kind word_kind, struct expiry *e)
{
    static const struct {
        const char *word;
        enum expiry_kind kind;
    } timed[] = {
        {"EX", EXPIRY_EX}, {"PX", EXPIRY_PX}, {"EXAT", EXPIRY_EXAT}, {"PXAT", EXPIRY_PXAT}};
    if (e->kind != EXPIRY_NONE)
        return false;
    const char *bare = word_kind == EXPIRY_KEEPTTL ? "KEEPTTL" : "PERSIST";
    if (bytes_equal_nocase_str(word, bare)) {
        e->kind = word_kind;
        return true;
    }
    for (size_t i = 0; i < sizeof timed / sizeof *timed; i++) {
        if (!bytes_equal_nocase_str(word, timed[i].word) || *at == call->argc)
            continue;
        e->kind = timed[i].kind;
        e->number = call->argv[(*at)++];
        return true;
    }
    return false;
}

bool expiry_moment(struct call *call, int64_t number, int64_t unit_ms, bool absolute,
                   struct walltime *ret)
{
    int64_t ms, base = absolute ? 0 : expiry_now(call).ms;
    if (__builtin_mul_overflow(number, unit_ms, &ms) || __builtin_add_overflow(ms, base, &ms))
        return false;
    *ret = (struct walltime){ms};
    return true;
}

int expiry_resolve(struct call *call, struct expiry *e)
{
    if (e->kind == EXPIRY_NONE || e->kind >= EXPIRY_KEEPTTL)
        return 0;
    int64_t number;
    if (!number_parse_i64(e->number, &number))
        return command_refuse(call, "ERR", "value is not an integer or out of range");
    bool seconds = e->kind == EXPIRY_EX || e->kind == EXPIRY_EXAT;
    bool absolute = e->kind == EXPIRY_EXAT || e->kind == EXPIRY_PXAT;
    if (number <= 0 || !expiry_moment(call, number, seconds ? SECOND_MS : 1, absolute, &e->at))
        return command_refuse_in(call, "invalid expire time in");
    return 0;
}

void expiry_set(struct call *call, struct store_slot *slot, struct walltime at)
{
    if (expiry_is_past(call, at)) {
        slot->verdict = STORE_REMOVE;
        return;
    }
    slot->verdict = STORE_PUT;
    slot->value = slot->old.bytes;
    slot->blob = slot->old.blob;
    slot->expires = at;
}
