#include "hub/reply_queue.h"

#include "base/limits.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { SLOTS_FIRST = 4 };

void reply_queue_init(struct reply_queue *q)
{
    *q = (struct reply_queue){0};
    buffer_init(&q->out, LIMIT_REPLY_BYTES);
}

static void drop_pieces(struct reply_queue *q, uint32_t keep)
{
    while (q->piece_count > keep) {
        struct reply_piece *p = &q->pieces[q->piece_first + --q->piece_count];
        q->piece_bytes -= p->bytes.len;
        blob_unref(p->blob);
    }
}

void reply_queue_fini(struct reply_queue *q)
{
    drop_pieces(q, 0);
    buffer_fini(&q->out);
    free(q->gates);
    free(q->pieces);
    *q = (struct reply_queue){0};
}

struct buffer *reply_queue_begin(struct reply_queue *q)
{
    q->begun = reply_queue_mark(q);
    return &q->out;
}

struct reply_mark reply_queue_mark(const struct reply_queue *q)
{
    return (struct reply_mark){buffer_len(&q->out), q->piece_count};
}

void reply_queue_rewind(struct reply_queue *q, struct reply_mark mark)
{
    buffer_truncate(&q->out, mark.out);
    drop_pieces(q, mark.pieces);
}

/* Makes room behind the used slots of an array: by moving them to its front, or by growing it.
 */
static int make_room(void **slots, size_t size, uint32_t *first, uint32_t count,
                     uint32_t *capacity)
{
    if (*first + count < *capacity)
        return 0;
    if (*first > 0) {
        memmove(*slots, (char *)*slots + *first * size, count * size);
        *first = 0;
        return 0;
    }
    uint32_t larger = *capacity ? *capacity * 2 : SLOTS_FIRST;
    void *moved = realloc(*slots, larger * size);
    if (!moved)
        return -ENOMEM;
    *slots = moved;
    *capacity = larger;
    return 0;
}

int reply_queue_add(struct reply_queue *q, struct bytes bytes, struct blob *blob)
{
    if (bytes.len > LIMIT_REPLY_BYTES - reply_queue_len(q))
        return BUFFER_FULL;
    void *pieces = q->pieces;
    int r = make_room(&pieces, sizeof *q->pieces, &q->piece_first, q->piece_count,
                      &q->piece_capacity);
    q->pieces = pieces;
    if (r < 0)
        return r;
    q->pieces[q->piece_first + q->piece_count++] =
        (struct reply_piece){q->out_left + buffer_len(&q->out), bytes, blob_ref(blob)};
    q->piece_bytes += bytes.len;
    return 0;
}

static struct bytes front_piece(const struct reply_queue *q)
{
    if (q->piece_count == 0 || q->pieces[q->piece_first].at > q->out_left)
        return (struct bytes){0};
    return q->pieces[q->piece_first].bytes;
}

size_t reply_queue_begun(const struct reply_queue *q)
{
    size_t n = buffer_len(&q->out) - q->begun.out;
    for (uint32_t i = q->begun.pieces; i < q->piece_count; i++)
        n += q->pieces[q->piece_first + i].bytes.len;
    return n;
}

void reply_queue_cancel(struct reply_queue *q)
{
    reply_queue_rewind(q, q->begun);
}

static int add_gate(struct reply_queue *q, uint64_t lsn, struct instant after)
{
    void *gates = q->gates;
    int r = make_room(&gates, sizeof *q->gates, &q->first, q->count, &q->capacity);
    q->gates = gates;
    if (r < 0)
        return r;
    assert(q->gates); /* there is room */
    uint64_t start = q->left + reply_queue_len(q) - reply_queue_begun(q);
    q->gates[q->first + q->count++] = (struct reply_gate){start, q->asked, lsn, after};
    q->shared = after.ns == 0;
    return 0;
}

int reply_queue_end(struct reply_queue *q, uint64_t lsn, struct instant after)
{
    if (lsn == 0 && after.ns == 0)
        return 0;
    struct reply_gate *last = q->count > 0 ? &q->gates[q->first + q->count - 1] : NULL;
    if (last && after.ns == 0 && lsn <= last->lsn)
        return 0;
    if (last && after.ns == 0 && q->shared) {
        last->lsn = lsn;
        return 0;
    }
    int r = add_gate(q, lsn, after);
    if (r < 0)
        reply_queue_cancel(q);
    return r;
}

const struct reply_gate *reply_queue_gate(const struct reply_queue *q)
{
    return q->count > 0 ? &q->gates[q->first] : NULL;
}

static void open_gates(struct reply_queue *q, uint64_t durable, struct instant now)
{
    while (q->count > 0) {
        const struct reply_gate *g = &q->gates[q->first];
        if (g->lsn > durable || g->after.ns > now.ns)
            return;
        q->first++;
        q->count--;
    }
    q->first = 0;
}

/* From the front to the next piece, or a piece's rest. */
static struct bytes front_run(const struct reply_queue *q)
{
    struct bytes piece = front_piece(q), all = buffer_view(&q->out);
    if (piece.len > 0 || q->piece_count == 0)
        return piece.len > 0 ? piece : all;
    return bytes_first(all, (size_t)(q->pieces[q->piece_first].at - q->out_left));
}

struct bytes reply_queue_ready(struct reply_queue *q, uint64_t durable, struct instant now)
{
    q->shared = false;
    if (q->count > 0)
        open_gates(q, durable, now);
    struct bytes run = front_run(q);
    size_t open = q->count > 0 ? (size_t)(q->gates[q->first].start - q->left) : run.len;
    return open < run.len ? bytes_first(run, open) : run;
}

static void piece_sent(struct reply_queue *q, size_t n)
{
    struct reply_piece *p = &q->pieces[q->piece_first];
    assert(n <= p->bytes.len);
    p->bytes = bytes_from(p->bytes, n);
    q->piece_bytes -= n;
    if (p->bytes.len > 0)
        return;
    blob_unref(p->blob);
    q->piece_count--;
    q->piece_first = q->piece_count ? q->piece_first + 1 : 0;
}

void reply_queue_sent(struct reply_queue *q, size_t n)
{
    if (front_piece(q).len > 0) {
        piece_sent(q, n);
    } else {
        buffer_consume(&q->out, n);
        q->out_left += n;
    }
    q->left += n;
}
