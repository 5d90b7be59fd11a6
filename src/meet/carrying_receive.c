#include "meet/carrying_inner.h"

#include "io/clock.h"
#include "io/confinement.h"
#include "io/inbox_folder.h"
#include "io/inbox_stream.h"
#include "io/problem.h"
#include "meet/inbox_place.h"
#include "peer/receiving.h"

#include <unistd.h>

enum { READ_BYTES = 256 * 1024, FRAME_BYTES = TRANSFER_CHUNK_BYTES + 64 };

/* Where it goes: one of the two. */
union target {
    struct inbox inbox; /* both begin so */
    struct inbox_folder folder;
    struct inbox_stream stream;
};

static struct carrying *carrying_of(struct receiving *r)
{
    return r->owner;
}

/* ---- what is told ---- */

static void on_file(struct receiving *r, struct bytes path, uint64_t size,
                    const uint8_t *sha256)
{
    struct carrying *c = carrying_of(r);
    carrying_begin(c, CARRIER_FILE);
    carrying_bytes(c, path);
    carrying_number(c, size);
    carrying_bytes(c, bytes_make(sha256, sha256 ? TRANSFER_SHA256_BYTES : 0));
    carrying_tell_later(c);
}

static void on_dropped(struct receiving *r, struct bytes path, enum transfer_reason reason)
{
    struct carrying *c = carrying_of(r);
    carrying_begin(c, CARRIER_DROPPED);
    carrying_bytes(c, path);
    carrying_number(c, reason);
    carrying_tell(c);
}

static void on_published(struct receiving *r, struct bytes name, const char *now_called)
{
    struct carrying *c = carrying_of(r);
    carrying_begin(c, CARRIER_PUBLISHED);
    carrying_bytes(c, name);
    carrying_bytes(c, bytes_from_str(now_called));
    carrying_tell(c);
}

static void on_whole(struct receiving *r)
{
    struct carrying *c = carrying_of(r);
    carrying_begin(c, CARRIER_WHOLE);
    carrying_tell(c);
}

static const struct receiving_handler handler = {
    .whole = on_whole, .file = on_file, .dropped = on_dropped, .published = on_published};

static void tell_progress(struct carrying *c, const struct receiving *r)
{
    carrying_tell_progress(c, r->course.number, r->course.bytes,
                           r->course.bytes > r->unkept_bytes ? r->course.bytes - r->unkept_bytes
                                                             : 0,
                           bytes_make(NULL, 0));
}

/* ---- the exchange ---- */

static bool is_over(const struct receiving *r)
{
    return r->state == RECEIVING_PUBLISHED || r->state == RECEIVING_STOPPED;
}

/* Has the work that follows the last message, and waits for nothing. */
static bool has_work(const struct receiving *r)
{
    return r->state == RECEIVING_CHECKING || r->state == RECEIVING_PLACING ||
           r->state == RECEIVING_PUBLISHING;
}

static int take_frames(struct carrying *c, struct receiving *r, struct buffer *out)
{
    struct peer_frame f;
    bool broken = false;
    int e = 0;
    while (e == 0 && !is_over(r) && carrying_frame(c, FRAME_BYTES, &f, &broken)) {
        e = receiving_take(r, &f, out);
        if (e == 0 && receiving_wants_sync(r))
            e = receiving_sync(r, out);
    }
    return e == 0 && broken ? receiving_stop(r, TRANSFER_BROKEN, out) : e;
}

/* Chunks come whole into the buffer, so that nothing of them is moved there. */
static size_t read_most(const struct carrying *c)
{
    struct bytes in = buffer_view(&c->in);
    if (in.len < PEER_FRAME_HEAD_BYTES)
        return READ_BYTES;
    size_t len = PEER_FRAME_HEAD_BYTES + ((size_t)in.data[0] << 24 | (size_t)in.data[1] << 16 |
                                          (size_t)in.data[2] << 8 | in.data[3]);
    return len > in.len && len <= READ_BYTES + PEER_FRAME_HEAD_BYTES + 64 ? len - in.len
                                                                          : READ_BYTES;
}

/* Hears what there is, or waits until what came is to be made durable. */
static int hear(struct carrying *c, struct receiving *r, struct buffer *out,
                struct instant *sync_by)
{
    struct instant now = clock_instant();
    if (!r->unsynced)
        *sync_by = instant_after_ms(now, LIMIT_TRANSFER_SYNC_MS);
    if (r->unsynced && now.ns >= sync_by->ns)
        return receiving_sync(r, out);
    if (!carrying_await(c,
                        r->unsynced ? *sync_by : instant_after_ms(now, LIMIT_TRANSFER_SYNC_MS)))
        return 0;
    int e = carrying_read(c, read_most(c));
    return e == 0 ? take_frames(c, r, out) : e;
}

static int exchange(struct carrying *c, struct receiving *r, struct buffer *out)
{
    struct instant sync_by = clock_instant();
    int e = receiving_begin(r, out), worked = 0;
    tell_progress(c, r); /* what came before */
    while (e == 0 && !is_over(r)) {
        e = carrying_write(c, out);
        if (e == 0 && has_work(r) && (worked = receiving_work(r, out)) != RECEIVING_WAITS)
            e = worked;
        else if (e == 0)
            e = hear(c, r, out, &sync_by);
        if (carrying_is_due(c))
            tell_progress(c, r);
    }
    if (is_over(r))
        carrying_write(c, out); /* the last word; where it does not arrive it is asked for */
    return e;
}

static void receive_all(struct carrying *c, struct inbox *inbox)
{
    const struct receiving_terms terms = {.id = c->id,
                                          .cap = c->cap,
                                          .bytes = c->bytes,
                                          .entries = c->entries,
                                          .sha256 = c->sha256};
    struct receiving r;
    struct buffer out;
    receiving_init(&r, inbox, &terms, &handler);
    r.owner = c;
    buffer_init(&out, LIMIT_MIB);
    int e = exchange(c, &r, &out);
    if (e != 0 && !is_over(&r))
        receiving_sync(&r, &out); /* what came before a cut counts */
    tell_progress(c, &r);
    if (!is_over(&r)) {
        carrying_cut(c, e);
    } else {
        bool done = r.state == RECEIVING_PUBLISHED;
        carrying_part(c);
        carrying_end(c, done ? CARRIER_DONE : CARRIER_STOPPED,
                     done ? TRANSFER_REASON_NONE : r.reason, NULL);
    }
    buffer_fini(&out);
    receiving_fini(&r);
}

/* ---- where it goes ---- */

/* A descriptor of the folder it is confined to; -1: none. */
static int confine(int folder)
{
    int r = confinement_enter(&folder, folder >= 0 ? 1 : 0);
    return r == CONFINEMENT_NONE ? 0 : r;
}

static int open_folder(struct carrying *c, union target *t)
{
    int fd = inbox_place_open(c->into);
    if (fd < 0)
        return fd;
    int r = confine(fd);
    if (r == 0)
        r = inbox_folder_open(&t->folder, fd, &c->id, c->rule);
    close(fd);
    return r;
}

static int open_target(struct carrying *c, union target *t)
{
    if (strcmp(c->into, "-") != 0)
        return open_folder(c, t);
    int r = inbox_stream_open(&t->stream, STDOUT_FILENO);
    return r == 0 ? confine(-1) : r;
}

void carrying_receive(struct carrying *c)
{
    static union target target;
    int connected = carrying_connect(c);
    int r = connected == 0 ? open_target(c, &target) : 0;
    if (r == INBOX_FOLDER_BUSY)
        carrying_end(c, CARRIER_STOPPED, TRANSFER_BUSY, NULL);
    else if (r != 0)
        carrying_end(c, CARRIER_STOPPED, TRANSFER_DISK_FAILED, problem_text(r));
    else if (connected != 0 || (connected = carrying_agree(c)) != 0)
        carrying_cut(c, connected);
    else
        receive_all(c, &target.inbox);
}
