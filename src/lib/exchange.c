#include "lib/exchange.h"

#include "base/limits.h"
#include "client/answer.h"
#include "io/clock.h"

#include <errno.h>

static const char *problem_of(struct kith *k, int error)
{
    return error == DIAL_BROKEN ? dial_tls_problem(k->dial) : dial_problem(error);
}

static enum kith_result end_lost(struct kith *k, int error)
{
    if (error == -ENOMEM)
        return handle_end_no_memory(k);
    handle_note(k, "the connection to %s broke: %.300s", k->where_text, problem_of(k, error));
    return handle_end(k, KITH_LOST);
}

static enum kith_result end_silent(struct kith *k)
{
    handle_note(k, "%s gave no answer in time", k->where_text);
    return handle_end(k, KITH_SILENT);
}

/* Waits for some bytes more; KITH_NOTHING when none have come in time. */
static enum kith_result receive(struct kith *k, uint64_t timeout_ms)
{
    struct bytes data;
    int r = dial_receive(k->dial, timeout_ms, &data);
    if (r == DIAL_TIMEOUT)
        return KITH_NOTHING;
    if (r == DIAL_END) {
        handle_note(k, "%s closed the connection", k->where_text);
        return handle_end(k, KITH_LOST);
    }
    if (r != 0)
        return end_lost(k, r);
    r = conversation_feed(&k->conversation, data);
    if (r == -ENOMEM)
        return handle_end_no_memory(k);
    return r == 0 ? KITH_OK : handle_end_foreign(k);
}

static enum kith_result keep_change(struct kith *k, const struct answer_change *change)
{
    int r = changes_add(&k->changes, change);
    if (r == CHANGES_FULL) {
        handle_note(k,
                    "more than 32 MiB of changes were not taken: the connection to %s was "
                    "given up",
                    k->where_text);
        return handle_end(k, KITH_LOST);
    }
    return r == 0 ? KITH_OK : handle_end_no_memory(k);
}

/* FOLLOW is answered by a push. */
static bool is_follow_answer(struct kith *k, const struct resp_value *push)
{
    return k->following && push->number >= 1 && bytes_equal_str(push[1].text, "follow");
}

/* The answer, if it has arrived, past all changes that came before it; KITH_NOTHING. */
static enum kith_result sort_out(struct kith *k, const struct resp_value **ret)
{
    enum kith_result result = KITH_OK;
    while (result == KITH_OK) {
        const struct resp_value *values;
        struct answer_change change;
        size_t count;
        int r = conversation_next(&k->conversation, &values, &count);
        if (r == CONVERSATION_MORE)
            return KITH_NOTHING;
        if (r != 0)
            return r < 0 ? handle_end_no_memory(k) : handle_end_foreign(k);
        bool is_push = values->kind == RESP_PUSH;
        if (is_push && answer_change(values, &change)) {
            result = keep_change(k, &change);
            continue;
        }
        if (is_push && !is_follow_answer(k, values))
            return handle_end_foreign(k);
        if (is_push)
            conversation_settle(&k->conversation);
        *ret = values;
        return KITH_OK;
    }
    return result;
}

static enum kith_result receive_answer(struct kith *k, const struct resp_value **ret)
{
    for (;;) {
        enum kith_result result = sort_out(k, ret);
        if (result != KITH_NOTHING)
            return result;
        result = receive(k, k->timeout_ms);
        if (result == KITH_NOTHING)
            return end_silent(k);
        if (result != KITH_OK)
            return result;
    }
}

/* A hub may refuse a request, and close, before it is sent to its end: what it said counts for
 * more than that sending failed. */
static enum kith_result exchange(struct kith *k, const struct bytes *argv, size_t argc,
                                 const struct resp_value **ret)
{
    int r = conversation_ask(&k->conversation, argv, argc);
    if (r == -E2BIG) {
        handle_note(k, "this is more than a hub takes at once");
        return KITH_INVALID;
    }
    if (r < 0) {
        handle_note(k, "out of memory: the hub was not asked");
        return KITH_NO_MEMORY;
    }
    int sent = dial_send(k->dial, conversation_output(&k->conversation), k->timeout_ms);
    conversation_sent(&k->conversation, buffer_len(&k->conversation.out));
    if (sent == -ETIMEDOUT)
        return end_silent(k);
    enum kith_result result = receive_answer(k, ret);
    return result == KITH_LOST && sent != 0 ? end_lost(k, sent) : result;
}

enum kith_result exchange_ask(struct kith *k, const struct bytes *argv, size_t argc,
                              const struct resp_value **ret)
{
    if (k->end != KITH_OK)
        return k->end;
    const struct resp_value *value;
    k->following = bytes_equal_str(argv[0], "FOLLOW");
    enum kith_result result = exchange(k, argv, argc, &value);
    k->following = false;
    if (result != KITH_OK)
        return result;
    if (value->kind == RESP_FAILURE)
        return handle_refused(k, value->text);
    *ret = value;
    return KITH_OK;
}

/* Until the deadline, rounded up. */
static uint64_t left_ms(struct instant deadline)
{
    struct instant now = clock_instant();
    return now.ns < deadline.ns ? (deadline.ns - now.ns + 999999) / 1000000 : 0;
}

enum kith_result exchange_hear(struct kith *k, uint64_t timeout_ms, const struct change **ret)
{
    bool forever = timeout_ms == DIAL_FOREVER;
    struct instant deadline = instant_after_ms(clock_instant(), forever ? 0 : timeout_ms);
    for (;;) {
        const struct resp_value *unasked;
        if (k->end == KITH_OK)
            sort_out(k, &unasked);
        const struct change *change = changes_take(&k->changes);
        if (change) {
            *ret = change;
            return KITH_OK;
        }
        if (k->end != KITH_OK) /* told after all that came before it */
            return k->end;
        if (receive(k, forever ? DIAL_FOREVER : left_ms(deadline)) == KITH_NOTHING)
            return KITH_NOTHING;
    }
}

static int dial_where(struct kith *k)
{
    const struct where *w = &k->where;
    int r = dial_new(&k->dial);
    if (r == 0 && w->path[0])
        return dial_open_unix(k->dial, w->path, k->timeout_ms);
    return r == 0 ? dial_open_tcp(k->dial, w->host, w->port, k->timeout_ms) : r;
}

static bool is_hub(const struct resp_value *hello)
{
    return hello && hello->kind == RESP_MAP && hello->number >= 2 &&
           bytes_equal_str(hello[1].text, "server") && bytes_equal_str(hello[2].text, "kith");
}

static enum kith_result connect_where(struct kith *k)
{
    int r = dial_where(k);
    if (r == -ENOMEM)
        return handle_end_no_memory(k);
    if (r == -ETIMEDOUT)
        return end_silent(k);
    if (r == 0)
        return KITH_OK;
    handle_note(k, "nothing to connect to at %s: %s", k->where_text, dial_problem(r));
    return handle_end(k, KITH_UNREACHABLE);
}

/* Speaks TLS, and judges whose key the hub shows. */
static enum kith_result secure(struct kith *k)
{
    struct trouble t;
    bool met;
    if (self_config(&k->self, &t) != TROUBLE_NONE)
        return handle_end(k, handle_trouble(k, &t));
    int r = dial_secure(k->dial, k->self.to_hub, k->timeout_ms);
    if (r == -ENOMEM)
        return handle_end_no_memory(k);
    if (r == -ETIMEDOUT)
        return end_silent(k);
    if (r != 0) {
        handle_note(k, "no TLS at %s: %.300s", k->where_text,
                    r == DIAL_END ? "it closed the connection" : problem_of(k, r));
        return handle_end(k, KITH_FOREIGN);
    }
    if (self_judge_hub(&k->self, tls_peer(dial_tls(k->dial)), &met, &t) != TROUBLE_NONE)
        return handle_end(k, handle_trouble(k, &t));
    return KITH_OK;
}

enum kith_result exchange_open(struct kith *k)
{
    const struct bytes hello[] = {bytes_from_str("HELLO"), bytes_from_str("3")};
    const struct resp_value *answer = NULL;
    enum kith_result result = connect_where(k);
    if (result == KITH_OK && k->where.secure)
        result = secure(k);
    if (result == KITH_OK)
        result = exchange_ask(k, hello, 2, &answer);
    bool refused = result == KITH_REFUSED || result == KITH_DENIED;
    if (refused || (result == KITH_OK && !is_hub(answer)))
        return handle_end_foreign(k);
    return result;
}
