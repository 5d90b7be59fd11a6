#include "hub/walk.h"

#include "base/glob.h"
#include "base/limits.h"
#include "hub/hub.h"

#include <errno.h>
#include <stdlib.h>

enum { PIECE_BUCKETS = 2000 };

struct walk {
    uint64_t cursor, lsn;
    size_t count;
    struct blob_garbage *garbage; /* where what it found goes in the end */
    struct buffer found;          /* a length, and so many bytes, for each key */
    bool answers;                 /* the answer has begun */
    int problem;
    size_t pattern_bytes;
    uint8_t pattern[];
};

struct walk *walk_new(struct bytes pattern, struct blob_garbage *garbage)
{
    struct walk *w = malloc(sizeof *w + pattern.len);
    if (!w)
        return NULL;
    *w = (struct walk){.garbage = garbage, .pattern_bytes = pattern.len};
    buffer_init(&w->found, LIMIT_REPLY_BYTES);
    if (pattern.len)
        memcpy(w->pattern, pattern.data, pattern.len);
    return w;
}

void walk_free(struct walk *w)
{
    if (!w)
        return;
    struct buffer *found = &w->found;
    struct blob *b = found->data ? blob_new(found->data, found->capacity, w->garbage) : NULL;
    if (b)
        blob_unref(b);
    else
        buffer_fini(found);
    free(w);
}

static void note_key(void *ctx, struct bytes key, const struct store_value *value)
{
    struct walk *w = ctx;
    if (w->problem || !glob_matches(bytes_make(w->pattern, w->pattern_bytes), key, false))
        return;
    uint32_t len = (uint32_t)key.len;
    w->problem = buffer_append(&w->found, &len, sizeof len);
    if (w->problem == 0)
        w->problem = buffer_append_bytes(&w->found, key);
    w->count++;
}

int walk_on(struct walk *w, struct call *call)
{
    if (w->answers)
        return 0;
    uint64_t lsn = 0;
    /* A piece that is done again, where the log had no room, must not count twice. */
    size_t before = buffer_len(&w->found), count = w->count;
    int r = store_scan(call->hub->shared->store, STORE_USER, &w->cursor, PIECE_BUCKETS,
                       call->hub->wall, note_key, w, &lsn);
    if (r != 0) {
        buffer_truncate(&w->found, before);
        w->count = count;
        return r;
    }
    if (w->problem)
        return w->problem;
    if (lsn > w->lsn)
        w->lsn = lsn;
    return w->cursor == 0 ? 0 : COMMAND_AGAIN_TURN;
}

int walk_answer(struct walk *w, struct reply *reply, bool in_one)
{
    reply->goes_on = w->answers;
    if (!w->answers)
        reply_array(reply, w->count);
    w->answers = true;
    reply_depends(reply, w->lsn);
    size_t begin = buffer_len(reply->out);
    while (buffer_len(&w->found) > 0 && !reply->failed) {
        if (!in_one && buffer_len(reply->out) - begin >= LIMIT_PIECE_BYTES)
            return COMMAND_AGAIN_TURN;
        struct bytes rest = buffer_view(&w->found);
        uint32_t len;
        memcpy(&len, rest.data, sizeof len);
        reply_value(reply, bytes_first(bytes_from(rest, sizeof len), len));
        buffer_consume(&w->found, sizeof len + len);
    }
    return COMMAND_DONE;
}
