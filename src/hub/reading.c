#include "hub/reading.h"

#include "base/limits.h"
#include "hub/hub.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct piece {
    struct call *call;
    struct reply_mark before; /* the answer */
    size_t answered, hits;    /* of its keys, from the first; of those, how many were there */
};

/* What goes by reference costs no time, but is to stay well below LIMIT_REPLY_BYTES. */
static bool has_room(const struct reply *reply, struct reply_mark before)
{
    enum { WHOLE_BYTES = LIMIT_REPLY_BYTES / 2 };
    return buffer_len(reply->out) - before.out < LIMIT_PIECE_BYTES &&
           reply_queue_begun(reply->queue) < WHOLE_BYTES;
}

static int answer(void *ctx, struct store_slot *slots, size_t n)
{
    struct piece *p = ctx;
    struct reply *reply = p->call->reply;
    reply_rewind(reply, p->before);
    if (!reply->goes_on)
        reply_array(reply, p->call->argc - 1);
    size_t i = 0;
    p->hits = 0;
    for (; i < n && has_room(reply, p->before); i++) {
        command_answer_old(p->call, &slots[i]);
        p->hits += slots[i].present;
    }
    p->answered = i;
    return 0;
}

/* Answers some of n keys. What store_update returns. */
static int answer_piece(struct piece *p, const struct bytes *keys, size_t n)
{
    struct call *call = p->call;
    struct store_slot *slots = malloc(n * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        slots[i] = (struct store_slot){.key = keys[i]};
    uint64_t lsn = 0;
    int r = store_update(call->hub->shared->store, STORE_USER, slots, n, call->hub->wall,
                         answer, p, &lsn);
    free(slots);
    if (r == 0) {
        reply_depends(call->reply, lsn);
        tally_add(call->hub->tally, TALLY_HITS, p->hits);
        tally_add(call->hub->tally, TALLY_MISSES, p->answered - p->hits);
    }
    return r;
}

static int end(struct reading *r)
{
    *r = (struct reading){0};
    return COMMAND_DONE;
}

static int end_failed(struct reading *r, struct piece *p, int result)
{
    reply_rewind(p->call->reply, p->before);
    int ended = command_store_failed(p->call, result);
    if (ended != COMMAND_DONE)
        return ended;
    if (p->call->reply->goes_on)
        p->call->reply->failed = result;
    return end(r);
}

/* What one of the keys would be refused for is to be known before any is answered. */
static bool has_valid_keys(const struct call *call)
{
    for (size_t i = 1; i < call->argc; i++)
        if (call->argv[i].len == 0 || call->argv[i].len > LIMIT_KEY_BYTES)
            return false;
    return true;
}

static int go_on(struct reading *r, struct call *call)
{
    call->reply->goes_on = r->answered > 0;
    struct piece p = {.call = call, .before = reply_mark(call->reply)};
    if (r->answered == 0 && !has_valid_keys(call))
        return end_failed(r, &p, STORE_TOO_LARGE);
    size_t left = call->argc - 1 - r->answered, n = r->at_once ? r->at_once : LIMIT_PIECE_KEYS;
    assert(left > 0 && n > 0);
    int result = answer_piece(&p, call->argv + 1 + r->answered, n < left ? n : left);
    if (result != 0)
        return end_failed(r, &p, result);
    if (p.answered == left || call->reply->failed)
        return end(r);
    r->answered += p.answered;
    r->at_once = p.answered < LIMIT_PIECE_KEYS / 2 ? 2 * p.answered : LIMIT_PIECE_KEYS;
    return COMMAND_AGAIN_TURN;
}

int reading_run(struct call *call)
{
    struct connection *c = call->connection;
    if (connection_is_told(c))
        return command_apply(call, call->command);
    struct reading r = c->extra ? c->extra->reading : (struct reading){0};
    struct reply_mark before = reply_mark(call->reply);
    int result = go_on(&r, call);
    if (c->extra || result == COMMAND_AGAIN_TURN) {
        if (!connection_extra(c)) {
            reply_rewind(call->reply, before);
            return command_store_failed(call, -ENOMEM);
        }
        c->extra->reading = r;
    }
    return result;
}
