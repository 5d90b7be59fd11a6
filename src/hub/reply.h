#ifndef KITH_HUB_REPLY_H
#define KITH_HUB_REPLY_H

/* What a command answers, in the dialect its connection speaks. Handlers call these and never
 * know the dialect.
 *
 *                        text, terse    text, full                       RESP
 *     reply_stored       1              Saved|Update Successfully ...    +Saved | +Updated
 *     reply_value        the value      the value                        a bulk string
 *     reply_missing      ERROR          Invalid Key:K                    null
 *     reply_text         the text       the text                         a bulk string
 *     reply_error        ERROR: REASON  ERROR: REASON                    -CODE REASON
 *       ... to a STORE   0              Not Saved for key:K: REASON
 *       ... to a GET     ERROR          ERROR: REASON
 *
 * A text answer ends as the question did. The rest is RESP's alone. A reply that cannot be
 * written (out of memory, past LIMIT_REPLY_BYTES) marks the whole reply as failed; an error is
 * answered in its place: a reply is never half of one. */

#include "hub/reply_queue.h"
#include "wire/line.h"

enum reply_dialect { REPLY_TEXT_TERSE, REPLY_TEXT_FULL, REPLY_RESP2, REPLY_RESP3 };

/* What was asked, where the text dialects word a refusal by it. */
enum reply_question { REPLY_TO_ANY, REPLY_TO_STORE, REPLY_TO_GET };

struct reply {
    struct buffer *out;
    struct reply_queue *queue; /* whose buffer it is; NULL: it is a buffer alone */
    enum reply_dialect dialect;
    enum reply_question question;
    struct bytes key;        /* asked about, where question is not REPLY_TO_ANY */
    enum line_ending ending; /* of the question, in the text dialects */
    uint64_t lsn;            /* the newest LSN the answer depends on */
    bool goes_on;            /* its beginning has left: no error can take its place */
    int failed; /* BUFFER_FULL or -ENOMEM: it could not be written; 0: nothing failed */
};

/* The answer depends on this LSN too. */
static inline void reply_depends(struct reply *r, uint64_t lsn)
{
    if (lsn > r->lsn)
        r->lsn = lsn;
}

/* What is written after the mark can be taken back. */
static inline struct reply_mark reply_mark(const struct reply *r)
{
    return r->queue ? reply_queue_mark(r->queue) : (struct reply_mark){buffer_len(r->out), 0};
}

static inline void reply_rewind(struct reply *r, struct reply_mark mark)
{
    if (r->queue)
        reply_queue_rewind(r->queue, mark);
    else
        buffer_truncate(r->out, mark.out);
}

static inline bool reply_is_text(const struct reply *r)
{
    return r->dialect == REPLY_TEXT_TERSE || r->dialect == REPLY_TEXT_FULL;
}

/* 2 or 3, of the RESP dialects. */
static inline int reply_resp_version(const struct reply *r)
{
    return r->dialect == REPLY_RESP3 ? 3 : 2;
}

void reply_stored(struct reply *r, struct bytes key, bool existed);
void reply_value(struct reply *r, struct bytes value);

/* Likewise, of a value that lies in a blob: a large one is not copied. NULL: it is. */
void reply_shared_value(struct reply *r, struct bytes value, struct blob *blob);

void reply_missing(struct reply *r, struct bytes key);
void reply_text(struct reply *r, struct bytes text);

/* code is one upper-case word ("ERR", "NOPERM"). */
void reply_error(struct reply *r, const char *code, const char *reason);

void reply_status(struct reply *r, const char *text);
void reply_integer(struct reply *r, int64_t value);
void reply_null(struct reply *r);
void reply_null_array(struct reply *r); /* a null where an array might have been */
void reply_array(struct reply *r, size_t count);

void reply_push(struct reply *r, size_t count); /* an array out of turn */

/* Replies written elsewhere, in this dialect. */
void reply_raw(struct reply *r, struct bytes replies);
void reply_map(struct reply *r, size_t pairs);

#endif
