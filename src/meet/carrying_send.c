#include "meet/carrying_inner.h"

#include "io/outbox_files.h"
#include "io/outbox_stream.h"
#include "io/problem.h"
#include "peer/sending.h"

#include <stdio.h>

enum { HEARD_BYTES = 16 * 1024, FRAME_BYTES = 256 };

/* What is sent: one of the two. */
union source {
    struct outbox outbox; /* both begin so */
    struct outbox_files files;
    struct outbox_stream stream;
};

static void close_source(struct carrying *c, union source *s)
{
    if (!c->as[0])
        outbox_files_close(&s->files);
}

static int open_source(struct carrying *c, union source *s)
{
    return c->as[0] ? outbox_stream_open(&s->stream, c->input, c->spool, bytes_from_str(c->as))
                    : outbox_files_open(&s->files, c->list);
}

/* What the receiver says is little, and is read as it comes. */
static int hear(struct carrying *c, struct sending *s)
{
    struct peer_frame f;
    bool broken;
    int r = carrying_read(c, HEARD_BYTES);
    while (r == 0 && carrying_frame(c, FRAME_BYTES, &f, &broken))
        sending_hear(s, &f);
    if (r == 0 && broken)
        sending_stop(s, TRANSFER_BROKEN);
    return r;
}

/* Of many files only what a person asked for. */
static void on_file(struct sending *s, struct bytes path, uint64_t size, const uint8_t *sha256)
{
    struct carrying *c = s->owner;
    if (!sha256)
        return;
    carrying_begin(c, CARRIER_FILE);
    carrying_bytes(c, path);
    carrying_number(c, size);
    carrying_bytes(c, bytes_make(sha256, TRANSFER_SHA256_BYTES));
    carrying_tell_later(c);
}

static void on_afresh(struct sending *s, struct bytes path)
{
    struct carrying *c = s->owner;
    carrying_begin(c, CARRIER_AFRESH);
    carrying_bytes(c, path);
    carrying_tell(c);
}

static void on_dropped(struct sending *s, struct bytes path, enum transfer_reason reason)
{
    struct carrying *c = s->owner;
    carrying_begin(c, CARRIER_DROPPED);
    carrying_bytes(c, path);
    carrying_number(c, reason);
    carrying_tell(c);
}

static void tell_progress(struct carrying *c, const struct sending *s)
{
    carrying_tell_progress(c, s->number, s->bytes, s->bytes_kept, sending_path(s));
}

/* 0 once all is said; else how the connection failed. */
static int exchange(struct carrying *c, struct sending *s, struct buffer *out)
{
    int r = 0, next = 0;
    while (r == 0 && next != SENDING_OVER) {
        next = sending_next(s, out);
        if (next < 0 || next == BUFFER_FULL)
            return next < 0 ? next : -ENOMEM;
        if (next == 0)
            r = carrying_write(c, out);
        bool unplaced = s->state == SENDING_UNPLACED;
        while (r == 0 && (next == SENDING_WAITS || secret_stream_has_input(&c->stream))) {
            r = hear(c, s);
            next = 0;
        }
        if (carrying_is_due(c) || (unplaced && s->state == SENDING_TELLING))
            tell_progress(c, s); /* at first: what was said before */
    }
    return r;
}

static void send_all(struct carrying *c, struct outbox *outbox)
{
    struct sending s;
    struct buffer out;
    sending_init(&s, outbox, &c->id, c->sha256);
    s.file = on_file;
    s.dropped = on_dropped;
    s.afresh = on_afresh;
    s.owner = c;
    buffer_init(&out, SENDING_ROOM_BYTES);
    int r = exchange(c, &s, &out);
    tell_progress(c, &s);
    bool over = s.state == SENDING_CLOSED;
    if (!over) {
        carrying_cut(c, r);
    } else {
        carrying_part(c);
        carrying_end(c, s.reason == TRANSFER_REASON_NONE ? CARRIER_DONE : CARRIER_STOPPED,
                     s.reason, NULL);
    }
    buffer_fini(&out);
    sending_fini(&s);
}

void carrying_send(struct carrying *c)
{
    union source source;
    int r = open_source(c, &source);
    if (r != 0) {
        carrying_end(c, CARRIER_STOPPED, TRANSFER_SOURCE_FAILED,
                     r < 0 ? problem_text(r) : "what was remembered of it is damaged");
        return;
    }
    r = carrying_connect(c);
    if (r == 0)
        r = carrying_agree(c);
    if (r == 0)
        send_all(c, &source.outbox);
    else
        carrying_cut(c, r);
    close_source(c, &source);
}
