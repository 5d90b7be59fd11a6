#include "hub/expiry.h"
#include "hub/hub.h"
#include "hub/reading.h"

/* Values as a whole: read, set, removed, moved. */

/* ---- one key, read */

/* What GET found: the answer to it, or a large value, which is answered when nothing is locked
 * any more. */
struct found {
    struct reply *reply;
    struct bytes large;
    struct blob *blob;
};

static void take_found(void *ctx, const struct store_value *value)
{
    struct found *found = ctx;
    if (!value->blob) {
        reply_value(found->reply, value->bytes);
        return;
    }
    found->large = value->bytes;
    found->blob = blob_ref(value->blob);
}

/* Nothing is asked more often, so it goes the shortest way. */
static int run_get(struct call *call)
{
    struct found found = {.reply = call->reply};
    uint64_t lsn = 0;
    int r = store_get(call->hub->shared->store, STORE_USER, call->argv[1], call->hub->wall,
                      take_found, &found, &lsn);
    if (r >= 0)
        reply_depends(call->reply, lsn);
    if (r >= 0)
        tally_add(call->hub->tally, r == 0 ? TALLY_HITS : TALLY_MISSES, 1);
    if (r == STORE_MISSING)
        reply_missing(call->reply, call->argv[1]);
    else if (r != 0)
        return command_store_failed(call, r);
    if (found.blob)
        reply_shared_value(call->reply, found.large, found.blob);
    blob_unref(found.blob);
    return COMMAND_DONE;
}

static int apply_get(struct call *call, struct store_slot *slots, size_t n)
{
    command_answer_old(call, &slots[0]);
    return 0;
}

static int apply_type(struct call *call, struct store_slot *slots, size_t n)
{
    reply_status(call->reply, slots[0].present ? "string" : "none");
    return 0;
}

/* ---- one key, set */

/* Argument i becomes the value. */
static void put(struct call *call, struct store_slot *slot, size_t i, struct walltime expires)
{
    slot->verdict = STORE_PUT;
    slot->value = call->argv[i];
    slot->blob = call_blob(call, i);
    slot->expires = expires;
}

struct set_options {
    bool if_absent, if_present, if_equal, get;
    struct bytes equal;
    struct expiry expiry;
};

/* One option at *at, which moves past it; false where it is none, or not in this company. */
static bool read_set_option(struct call *call, size_t *at, struct set_options *o)
{
    struct bytes word = call->argv[(*at)++];
    bool conditional = o->if_absent || o->if_present || o->if_equal;
    if (bytes_equal_nocase_str(word, "NX") && !conditional)
        return o->if_absent = true;
    if (bytes_equal_nocase_str(word, "XX") && !conditional)
        return o->if_present = true;
    if (bytes_equal_nocase_str(word, "IFEQ") && !conditional && *at < call->argc) {
        o->equal = call->argv[(*at)++];
        return o->if_equal = true;
    }
    if (bytes_equal_nocase_str(word, "GET"))
        return o->get = true;
    return expiry_read_option(call, word, at, EXPIRY_KEEPTTL, &o->expiry);
}

static int read_set_options(struct call *call, struct set_options *ret)
{
    struct set_options o = {0};
    for (size_t at = 3; at < call->argc;)
        if (!read_set_option(call, &at, &o))
            return command_refuse(call, "ERR", "syntax error");
    *ret = o;
    return expiry_resolve(call, &ret->expiry);
}

static bool set_holds(const struct set_options *o, const struct store_slot *slot)
{
    if (o->if_absent)
        return !slot->present;
    if (o->if_present)
        return slot->present;
    return !o->if_equal || (slot->present && bytes_equal(slot->old.bytes, o->equal));
}

/* Decides what SET or STORE with options does; *ret_holds: it is done. */
static int decide(struct call *call, struct store_slot *slot, struct set_options *ret,
                  bool *ret_holds)
{
    struct set_options o = {0};
    int r = read_set_options(call, &o);
    if (r != 0)
        return r;
    bool holds = set_holds(&o, slot);
    if (holds) {
        put(call, slot, 2, o.expiry.kind == EXPIRY_KEEPTTL ? slot->old.expires : o.expiry.at);
        if (expiry_is_past(call, slot->expires))
            slot->verdict = STORE_REMOVE;
    }
    *ret = o;
    *ret_holds = holds;
    return 0;
}

static int apply_set_with_options(struct call *call, struct store_slot *slot)
{
    struct set_options o = {0};
    bool holds = false;
    int r = decide(call, slot, &o, &holds);
    if (r != 0)
        return r;
    if (o.get)
        command_answer_old(call, slot);
    else if (holds)
        reply_status(call->reply, "OK");
    else
        reply_null(call->reply);
    return 0;
}

static int apply_set(struct call *call, struct store_slot *slots, size_t n)
{
    if (call->argc > 3)
        return apply_set_with_options(call, &slots[0]);
    put(call, &slots[0], 2, STORE_NO_EXPIRY);
    reply_status(call->reply, "OK");
    return 0;
}

static int apply_store(struct call *call, struct store_slot *slots, size_t n)
{
    struct set_options o = {0};
    bool holds = false;
    int r = decide(call, &slots[0], &o, &holds);
    if (r != 0)
        return r;
    if (o.get)
        return command_refuse(call, "ERR", "syntax error");
    if (holds)
        reply_stored(call->reply, call->argv[1], slots[0].present);
    else
        reply_null(call->reply);
    return 0;
}

static int apply_setnx(struct call *call, struct store_slot *slots, size_t n)
{
    if (!slots[0].present)
        put(call, &slots[0], 2, STORE_NO_EXPIRY);
    reply_integer(call->reply, !slots[0].present);
    return 0;
}

static int apply_getset(struct call *call, struct store_slot *slots, size_t n)
{
    command_answer_old(call, &slots[0]);
    put(call, &slots[0], 2, STORE_NO_EXPIRY);
    return 0;
}

static int set_expiring(struct call *call, struct store_slot *slot, enum expiry_kind kind)
{
    struct expiry expiry = {.kind = kind, .number = call->argv[2]};
    int r = expiry_resolve(call, &expiry);
    if (r != 0)
        return r;
    put(call, slot, 3, expiry.at);
    reply_status(call->reply, "OK");
    return 0;
}

static int apply_setex(struct call *call, struct store_slot *slots, size_t n)
{
    return set_expiring(call, &slots[0], EXPIRY_EX);
}

static int apply_psetex(struct call *call, struct store_slot *slots, size_t n)
{
    return set_expiring(call, &slots[0], EXPIRY_PX);
}

/* ---- one key, removed or touched as it is read */

static int apply_getdel(struct call *call, struct store_slot *slots, size_t n)
{
    command_answer_old(call, &slots[0]);
    slots[0].verdict = STORE_REMOVE;
    return 0;
}

static int apply_delifeq(struct call *call, struct store_slot *slots, size_t n)
{
    bool equal = slots[0].present && bytes_equal(slots[0].old.bytes, call->argv[2]);
    if (equal)
        slots[0].verdict = STORE_REMOVE;
    reply_integer(call->reply, equal);
    return 0;
}

static int apply_getex(struct call *call, struct store_slot *slots, size_t n)
{
    struct expiry expiry = {0};
    for (size_t at = 2; at < call->argc;) {
        struct bytes word = call->argv[at++];
        if (!expiry_read_option(call, word, &at, EXPIRY_PERSIST, &expiry))
            return command_refuse(call, "ERR", "syntax error");
    }
    int r = expiry_resolve(call, &expiry);
    if (r != 0)
        return r;
    command_answer_old(call, &slots[0]);
    if (slots[0].present && expiry.kind != EXPIRY_NONE)
        expiry_set(call, &slots[0], expiry.at);
    return 0;
}

/* ---- several keys */

static int apply_mget(struct call *call, struct store_slot *slots, size_t n)
{
    reply_array(call->reply, n);
    for (size_t i = 0; i < n; i++)
        command_answer_old(call, &slots[i]);
    return 0;
}

static bool is_paired(const struct call *call)
{
    return call->argc % 2 == 1;
}

static void put_pairs(struct call *call, struct store_slot *slots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(call, &slots[i], 2 + 2 * i, STORE_NO_EXPIRY);
}

static int apply_mset(struct call *call, struct store_slot *slots, size_t n)
{
    if (!is_paired(call))
        return command_refuse_in(call, "wrong number of arguments for");
    put_pairs(call, slots, n);
    reply_status(call->reply, "OK");
    return 0;
}

static int apply_msetnx(struct call *call, struct store_slot *slots, size_t n)
{
    if (!is_paired(call))
        return command_refuse_in(call, "wrong number of arguments for");
    size_t present = 0;
    for (size_t i = 0; i < n; i++)
        present += slots[i].present;
    if (present == 0)
        put_pairs(call, slots, n);
    reply_integer(call->reply, present == 0);
    return 0;
}

static int apply_exists(struct call *call, struct store_slot *slots, size_t n)
{
    int64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += slots[i].present;
    reply_integer(call->reply, count);
    return 0;
}

static int apply_del(struct call *call, struct store_slot *slots, size_t n)
{
    int64_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!slots[i].present)
            continue;
        slots[i].verdict = STORE_REMOVE;
        count += slots[i].first == i;
    }
    reply_integer(call->reply, count);
    return 0;
}

/* ---- from one key to another */

static void put_same(struct store_slot *to, const struct store_slot *from)
{
    to->verdict = STORE_PUT;
    to->value = from->old.bytes;
    to->blob = from->old.blob;
    to->expires = from->old.expires;
}

static void move(struct store_slot *slots)
{
    if (slots[1].first == 0)
        return; /* to itself */
    put_same(&slots[1], &slots[0]);
    slots[0].verdict = STORE_REMOVE;
}

static int apply_rename(struct call *call, struct store_slot *slots, size_t n)
{
    if (!slots[0].present)
        return command_refuse(call, "ERR", "no such key");
    move(slots);
    reply_status(call->reply, "OK");
    return 0;
}

static int apply_renamenx(struct call *call, struct store_slot *slots, size_t n)
{
    if (!slots[0].present)
        return command_refuse(call, "ERR", "no such key");
    if (!slots[1].present)
        move(slots);
    reply_integer(call->reply, !slots[1].present);
    return 0;
}

static int apply_copy(struct call *call, struct store_slot *slots, size_t n)
{
    bool replace = call->argc == 4 && bytes_equal_nocase_str(call->argv[3], "REPLACE");
    if (call->argc > 3 && !replace)
        return command_refuse(call, "ERR", "syntax error");
    if (slots[1].first == 0)
        return command_refuse(call, "ERR", "source and destination objects are the same");
    bool copies = slots[0].present && (replace || !slots[1].present);
    if (copies)
        put_same(&slots[1], &slots[0]);
    reply_integer(call->reply, copies);
    return 0;
}

#define READS COMMAND_FAST
#define WRITES COMMAND_WRITES
#define GROWS (COMMAND_WRITES | COMMAND_GROWS)

static const struct command commands[] = {
    {"COPY", -3, ACCESS_TABLE, GROWS, 1, 2, 1, NULL, apply_copy, "Copies a value: REPLACE"},
    {"DEL", -2, ACCESS_TABLE, WRITES, 1, -1, 1, NULL, apply_del, "Removes keys"},
    {"DELIFEQ", 3, ACCESS_TABLE, WRITES, 1, 1, 1, NULL, apply_delifeq,
     "Removes a key that has this value"},
    {"EXISTS", -2, ACCESS_TABLE, READS, 1, -1, 1, NULL, apply_exists,
     "How many of these keys exist"},
    {"GET", 2, ACCESS_TABLE, READS, 1, 1, 1, run_get, apply_get, "The value of a key"},
    {"GETDEL", 2, ACCESS_TABLE, WRITES, 1, 1, 1, NULL, apply_getdel,
     "The value of a key, which is removed"},
    {"GETEX", -2, ACCESS_TABLE, WRITES, 1, 1, 1, NULL, apply_getex,
     "The value of a key, whose expiry changes: EX|PX|EXAT|PXAT time, PERSIST"},
    {"GETSET", 3, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_getset,
     "Sets a value and answers the one before"},
    {"MGET", -2, ACCESS_TABLE, READS, 1, -1, 1, reading_run, apply_mget, "The values of keys"},
    {"MSET", -3, ACCESS_TABLE, GROWS, 1, -1, 2, NULL, apply_mset, "Sets keys, all as one"},
    {"MSETNX", -3, ACCESS_TABLE, GROWS, 1, -1, 2, NULL, apply_msetnx,
     "Sets keys, all as one, if none of them exists"},
    {"RENAME", 3, ACCESS_TABLE, GROWS, 1, 2, 1, NULL, apply_rename, "Moves a value"},
    {"RENAMENX", 3, ACCESS_TABLE, GROWS, 1, 2, 1, NULL, apply_renamenx,
     "Moves a value to a key that does not exist"},
    {"SET", -3, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_set,
     "Sets a value: NX|XX|IFEQ value, GET, EX|PX|EXAT|PXAT time, KEEPTTL"},
    {"SETEX", 4, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_setex,
     "Sets a value that expires after seconds"},
    {"PSETEX", 4, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_psetex,
     "Sets a value that expires after milliseconds"},
    {"SETNX", 3, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_setnx,
     "Sets the value of a key that does not exist"},
    {"STORE", -3, ACCESS_TABLE, GROWS, 1, 1, 1, NULL, apply_store,
     "As SET, without GET, and says whether the key was there"},
    {"TOUCH", -2, ACCESS_TABLE, READS, 1, -1, 1, NULL, apply_exists,
     "How many of these keys exist"},
    {"TYPE", 2, ACCESS_TABLE, READS, 1, 1, 1, NULL, apply_type, "string, or none"},
    {"UNLINK", -2, ACCESS_TABLE, WRITES, 1, -1, 1, NULL, apply_del, "Removes keys"},
};

const struct command_part commands_values = {commands, sizeof commands / sizeof *commands};
