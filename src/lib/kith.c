#include <kith/kith.h>

#include "base/limits.h"
#include "client/answer.h"
#include "lib/exchange.h"

#include <stdlib.h>

static struct bytes bytes_of(struct kith_bytes b)
{
    return bytes_make(b.len == 0 ? NULL : b.data, b.len);
}

static struct kith_bytes shown(struct bytes b)
{
    return kith_data(b.data, b.len);
}

/* ---- from opening to closing ---- */

static enum kith_result open_at(struct kith *k, const char *given)
{
    const char *environment = secure_getenv("KITH_HUB");
    const char *problem = where_choose(given, environment, &k->where);
    if (!problem) {
        where_format(&k->where, k->where_text);
        return exchange_open(k);
    }
    handle_note(k, "%s%.200s: %s", given ? "" : "KITH_HUB ", given ? given : environment,
                problem);
    return handle_end(k, KITH_INVALID);
}

static enum kith_result take_options(struct kith *k, const struct kith_options *o)
{
    const char *profile = o && o->profile ? o->profile : SELF_DEFAULT_PROFILE;
    k->timeout_ms = o && o->timeout_ms ? o->timeout_ms : HANDLE_TIMEOUT_MS;
    k->peer_port = o ? o->peer_port : 0;
    if (!self_profile_is_valid(profile)) {
        handle_note(k,
                    "a profile's name is 1 to 32 of letters, digits, '_', '-' and '.', which "
                    "is not the first");
        return handle_end(k, KITH_INVALID);
    }
    if (k->peer_port > 0 && k->peer_port < 1024) {
        handle_note(k, "a port for people is 1024 to 65535");
        return handle_end(k, KITH_INVALID);
    }
    memcpy(k->profile, profile, strlen(profile));
    self_init(&k->self, k->profile, &k->where, k->where_text);
    return KITH_OK;
}

enum kith_result kith_open(const char *where, const struct kith_options *options,
                           struct kith **ret)
{
    struct kith *k = *ret = handle_new();
    if (!k)
        return KITH_NO_MEMORY;
    enum kith_result result = take_options(k, options);
    return result == KITH_OK ? open_at(k, where) : result;
}

void kith_close(struct kith *k)
{
    handle_free(k);
}

int kith_is_open(const struct kith *k)
{
    return k && k->end == KITH_OK;
}

int kith_fd(const struct kith *k)
{
    return k && k->dial ? dial_descriptor(k->dial) : -1;
}

/* ---- what a call is given, and what it returns ---- */

static bool is_absent(struct kith_bytes b)
{
    return !b.data && b.len > 0;
}

/* KITH_OK where there is a connection, and the key is one. */
static enum kith_result check_key(struct kith *k, struct kith_bytes key)
{
    if (!k)
        return KITH_NO_MEMORY;
    if (k->end != KITH_OK)
        return k->end;
    if (is_absent(key) || key.len == 0 || key.len > LIMIT_KEY_BYTES) {
        handle_note(k, "a key is 1 byte to 64 KiB");
        return KITH_INVALID;
    }
    return KITH_OK;
}

static enum kith_result check_value(struct kith *k, struct kith_bytes value)
{
    if (!k)
        return KITH_NO_MEMORY;
    if (k->end != KITH_OK)
        return k->end;
    if (is_absent(value) || value.len > LIMIT_VALUE_BYTES) {
        handle_note(k, "a value is at most 64 MiB");
        return KITH_INVALID;
    }
    return KITH_OK;
}

static enum kith_result return_copy(struct kith *k, struct bytes text, char **ret,
                                    size_t *ret_len)
{
    char *copy = malloc(text.len + 1);
    if (!copy) {
        handle_note(k, "out of memory for the answer");
        return KITH_NO_MEMORY;
    }
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *ret = copy;
    if (ret_len)
        *ret_len = text.len;
    return KITH_OK;
}

void kith_free(void *memory)
{
    free(memory);
}

/* ---- values ---- */

/* STORE key value IFEQ old is one command, and its words share a limit. */
static enum kith_result check_together(struct kith *k, struct kith_bytes key,
                                       struct kith_bytes old, struct kith_bytes value)
{
    size_t words = strlen("STORE") + strlen("IFEQ");
    if (words + key.len + old.len + value.len <= LIMIT_RESP_COMMAND_BYTES)
        return KITH_OK;
    handle_note(k, "key, old and new value together are at most 65 MiB less 9 bytes");
    return KITH_INVALID;
}

/* STORE, with the condition and its operand where there are any. */
static enum kith_result store(struct kith *k, struct kith_bytes key, struct kith_bytes value,
                              const char *condition, struct bytes operand)
{
    struct bytes argv[5] = {bytes_from_str("STORE"), bytes_of(key), bytes_of(value)};
    const struct resp_value *reply;
    size_t argc = 3;
    if (condition)
        argv[argc++] = bytes_from_str(condition);
    if (operand.data)
        argv[argc++] = operand;
    enum kith_result result = exchange_ask(k, argv, argc, &reply);
    if (result != KITH_OK)
        return result;
    enum answer_stored answer = answer_stored(reply);
    if (answer == ANSWER_NOT_STORED && condition)
        return KITH_DIFFERS;
    if (answer == ANSWER_SAVED || answer == ANSWER_UPDATED)
        return KITH_OK;
    return handle_end_foreign(k);
}

enum kith_result kith_store(struct kith *k, struct kith_bytes key, struct kith_bytes value)
{
    enum kith_result result = check_key(k, key);
    if (result == KITH_OK)
        result = check_value(k, value);
    return result == KITH_OK ? store(k, key, value, NULL, bytes_make(NULL, 0)) : result;
}

enum kith_result kith_update_if(struct kith *k, struct kith_bytes key, struct kith_bytes old,
                                struct kith_bytes value)
{
    enum kith_result result = check_key(k, key);
    if (result == KITH_OK)
        result = check_value(k, value);
    if (result == KITH_OK && is_absent(old))
        return store(k, key, value, "NX", bytes_make(NULL, 0));
    if (result == KITH_OK)
        result = check_value(k, old);
    if (result == KITH_OK)
        result = check_together(k, key, old, value);
    if (result != KITH_OK)
        return result;
    return store(k, key, value, "IFEQ", old.len > 0 ? bytes_of(old) : bytes_make("", 0));
}

enum kith_result kith_get(struct kith *k, struct kith_bytes key, char **ret_value,
                          size_t *ret_len)
{
    const struct bytes argv[] = {bytes_from_str("GET"), bytes_of(key)};
    const struct resp_value *reply;
    enum kith_result result = check_key(k, key);
    if (result == KITH_OK)
        result = exchange_ask(k, argv, 2, &reply);
    if (result != KITH_OK)
        return result;
    if (reply->kind == RESP_NULL)
        return KITH_MISSING;
    if (reply->kind != RESP_BULK)
        return handle_end_foreign(k);
    return return_copy(k, reply->text, ret_value, ret_len);
}

enum kith_result kith_delete(struct kith *k, struct kith_bytes key)
{
    const struct bytes argv[] = {bytes_from_str("DEL"), bytes_of(key)};
    const struct resp_value *reply;
    enum kith_result result = check_key(k, key);
    if (result == KITH_OK)
        result = exchange_ask(k, argv, 2, &reply);
    if (result != KITH_OK)
        return result;
    if (reply->kind != RESP_INTEGER)
        return handle_end_foreign(k);
    return reply->number > 0 ? KITH_OK : KITH_MISSING;
}

enum kith_result kith_echo(struct kith *k, struct kith_bytes message, char **ret_reply,
                           size_t *ret_len)
{
    const struct bytes argv[] = {bytes_from_str("ECHO"), bytes_of(message)};
    const struct resp_value *reply;
    enum kith_result result = check_value(k, message);
    if (result == KITH_OK)
        result = exchange_ask(k, argv, 2, &reply);
    if (result != KITH_OK)
        return result;
    if (reply->kind != RESP_BULK)
        return handle_end_foreign(k);
    return return_copy(k, reply->text, ret_reply, ret_len);
}

/* ---- changes ---- */

enum kith_result kith_watch(struct kith *k, struct kith_bytes prefix)
{
    const struct bytes argv[] = {bytes_from_str("FOLLOW"), bytes_of(prefix)};
    const struct resp_value *reply;
    enum kith_result result = prefix.len > 0 ? check_key(k, prefix) : check_value(k, prefix);
    if (result == KITH_OK)
        result = exchange_ask(k, argv, 2, &reply);
    if (result != KITH_OK)
        return result;
    if (reply->kind != RESP_PUSH)
        return handle_end_foreign(k);
    k->watches = true;
    return KITH_OK;
}

enum kith_result kith_next_change(struct kith *k, int timeout_ms, struct kith_change *ret)
{
    static const enum kith_change_kind kinds[] = {
        [ANSWER_SET] = KITH_SET,
        [ANSWER_DELETED] = KITH_DELETED,
        [ANSWER_EXPIRED] = KITH_EXPIRED,
        [ANSWER_FLUSHED] = KITH_FLUSHED,
    };
    const struct change *change;
    if (!k)
        return KITH_NO_MEMORY;
    if (!k->watches && k->end == KITH_OK) {
        handle_note(k, "nothing is watched");
        return KITH_INVALID;
    }
    uint64_t wait_ms = timeout_ms < 0 ? DIAL_FOREVER : (uint64_t)timeout_ms;
    enum kith_result result = exchange_hear(k, wait_ms, &change);
    if (result == KITH_OK)
        *ret =
            (struct kith_change){kinds[change->kind], shown(change->key), shown(change->value)};
    return result;
}

/* ---- words ---- */

const char *kith_problem(const struct kith *k)
{
    return k ? k->problem : "out of memory";
}

const char *kith_error_text(int result)
{
    switch (result) {
    case KITH_OK:
        return "done";
    case KITH_MISSING:
        return "there is no such key";
    case KITH_DIFFERS:
        return "the key has another value";
    case KITH_NOTHING:
        return "nothing has happened";
    case KITH_ABSENT:
        return "who was meant is not here";
    case KITH_INVALID:
        return "no hub can do this";
    case KITH_REFUSED:
        return "the hub did not do it";
    case KITH_DENIED:
        return "the hub does not allow it";
    case KITH_UNREACHABLE:
        return "there is no hub";
    case KITH_LOST:
        return "the connection broke";
    case KITH_SILENT:
        return "the hub gave no answer in time";
    case KITH_FOREIGN:
        return "what answers is not a kith hub";
    case KITH_NO_MEMORY:
        return "out of memory";
    case KITH_CHANGED:
        return "the other end is not who it was";
    case KITH_FAILED:
        return "this machine did not do it";
    default:
        return "an unknown result";
    }
}
