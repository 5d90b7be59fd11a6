#include "peer/receiving_inner.h"

#include "base/sum.h"

#include <errno.h>
#include <stdlib.h>

int receiving_check_begin(struct receiving *r)
{
    r->check = (struct receiving_check){.data = malloc(TRANSFER_CHUNK_BYTES)};
    if (!r->check.data)
        return -ENOMEM;
    r->state = RECEIVING_CHECKING;
    receiving_walk_init(&r->walk, r->inbox, r->journal.len);
    return 0;
}

static void leave_file(struct receiving *r)
{
    r->check.within = false;
    r->check.holds = false;
    receiving_reader_fini(&r->check.reader);
}

void receiving_check_fini(struct receiving *r)
{
    leave_file(r);
    free(r->check.data);
    r->check.data = NULL;
}

static int flush_and_sync(struct receiving *r)
{
    int e = receiving_journal_flush(&r->journal);
    return e == 0 ? r->inbox->ops->sync(r->inbox) : e;
}

/* All is right, and the journal says so; but not before it is on the disk, since what a sync
 * that fails has lost may be read back all the same, as long as nobody cuts the power. */
static int seal(struct receiving *r)
{
    receiving_walk_fini(&r->walk);
    receiving_check_fini(r);
    int e = flush_and_sync(r);
    if (e == 0)
        e = receiving_journal_checked(&r->journal);
    if (e == 0)
        e = flush_and_sync(r);
    if (e != 0)
        return e;
    r->checked = true;
    r->unsynced = false;
    return receiving_place_begin(r);
}

static int begin_file(struct receiving *r)
{
    r->check.within = true;
    receiving_reader_init(&r->check.reader, r->inbox, r->walk.content_at);
    int e = r->inbox->ops->stage(r->inbox, r->walk.entry.number, false);
    return e == 0 && r->walk.has_sha256 ? sha256_begin(&r->hash) : e;
}

static int next_file(struct receiving *r)
{
    enum receiving_walk_event event;
    int e = receiving_walk_next(&r->walk, &event);
    if (e != 0)
        return e;
    if (event == RECEIVING_WALK_OVER || r->walk.said_at >= r->earlier)
        return seal(r);
    bool counts = event == RECEIVING_WALK_FILE && !receiving_find_late(r, r->walk.entry.number);
    return counts ? begin_file(r) : 0;
}

static int end_file(struct receiving *r)
{
    uint8_t hash[SHA256_BYTES];
    if (r->walk.has_sha256) {
        int e = sha256_end(&r->hash, hash);
        if (e != 0)
            return e;
        if (memcmp(hash, r->walk.sha256, sizeof hash) != 0)
            return TRANSFER_DIFFERS;
    }
    leave_file(r);
    return r->inbox->ops->complete(r->inbox, &r->walk.entry, r->walk.size);
}

/* The next piece of a hole that is longer than one. */
static void hold_hole(struct receiving_check *c)
{
    uint64_t left = c->hole_end - c->piece.offset;
    c->piece.len = left < TRANSFER_CHUNK_BYTES ? (size_t)left : TRANSFER_CHUNK_BYTES;
    c->piece.again = 0;
    c->holds = true;
}

static void hold(struct receiving_check *c, const struct transfer_message *m)
{
    c->piece = (struct receiving_piece){.offset = m->offset, .hole = m->type == TRANSFER_HOLE};
    c->hole_end = m->offset + m->length;
    memcpy(c->piece.sum, m->sum, sizeof m->sum);
    hold_hole(c);
}

/* Content of this connection needs it only where all is hashed; but holes do always: what an
 * earlier connection has written behind its last record may lie there. */
static bool is_read_back(const struct receiving *r, const struct receiving_record *rec)
{
    return rec->at < r->earlier || rec->type == TRANSFER_HOLE || r->walk.has_sha256;
}

/* The next piece to be read back, or the file's end. */
static int next_piece(struct receiving *r)
{
    struct receiving_check *c = &r->check;
    struct receiving_record rec;
    struct transfer_message m;
    if (c->reader.at >= r->walk.whole_at)
        return end_file(r);
    int e = receiving_reader_next(&c->reader, &rec);
    if (e != 0)
        return e < 0 ? e : -EIO;
    if (!is_read_back(r, &rec))
        return 0;
    if (receiving_record_message(&rec, &m) != 0)
        return -EIO;
    hold(c, &m);
    return 0;
}

static bool is_zeros(struct bytes b)
{
    return b.len == 0 || (b.data[0] == 0 && memcmp(b.data, b.data + 1, b.len - 1) == 0);
}

static bool is_right(const struct receiving *r, struct bytes data)
{
    const struct receiving_piece *p = &r->check.piece;
    if (data.len != p->len)
        return false;
    return p->hole ? is_zeros(data) : receiving_is_sum(r, data, p->sum);
}

static int pass_piece(struct receiving *r, struct bytes data)
{
    struct receiving_check *c = &r->check;
    c->piece.offset += c->piece.len;
    c->holds = false;
    if (c->piece.offset < c->hole_end)
        hold_hole(c);
    return r->walk.has_sha256 ? sha256_take(&r->hash, data) : 0;
}

static int ask(struct receiving *r, struct buffer *out)
{
    struct receiving_piece *p = &r->check.piece;
    if (p->again == LIMIT_TRANSFER_AGAIN)
        return p->differs ? TRANSFER_DIFFERS : TRANSFER_DISK_FAILED;
    p->again++;
    r->check.waits = true;
    return transfer_message_write(
        out, &(struct transfer_message){
                 .type = TRANSFER_AGAIN, .number = r->walk.entry.number, .offset = p->offset});
}

/* What the disk cannot read any more (-EIO) is asked for like what it reads wrongly. */
static int read_piece(struct receiving *r, struct buffer *out)
{
    struct receiving_check *c = &r->check;
    size_t n = 0;
    int e = r->inbox->ops->read(r->inbox, c->piece.offset, c->data, c->piece.len, &n);
    if (e != 0 && e != -EIO)
        return e;
    struct bytes data = bytes_make(c->data, n);
    return e == 0 && is_right(r, data) ? pass_piece(r, data) : ask(r, out);
}

int receiving_check_work(struct receiving *r, struct buffer *out)
{
    if (r->check.holds)
        return read_piece(r, out);
    return r->check.within ? next_piece(r) : next_file(r);
}

/* The same chunk comes; what it was is known, so another is not taken. */
static int take_chunk(struct receiving *r, const struct transfer_message *m)
{
    struct receiving_piece *p = &r->check.piece;
    if (m->offset != p->offset || !receiving_is_sum(r, m->data, m->sum))
        return TRANSFER_BROKEN;
    p->differs = !is_right(r, m->data);
    r->unsynced = true;
    return p->differs ? 0 : r->inbox->ops->write(r->inbox, p->offset, m->data);
}

static int take_dropped(struct receiving *r, const struct transfer_message *m)
{
    int e = receiving_add_late(r, m->number, m->reason);
    if (e == 0)
        e = receiving_journal_late(&r->journal, m->number, m->reason);
    if (e != 0)
        return e;
    leave_file(r);
    r->unsynced = true;
    e = r->inbox->ops->drop(r->inbox, m->number);
    return e == INBOX_NONE ? 0 : e;
}

int receiving_check_hear(struct receiving *r, const struct transfer_message *m)
{
    if (!r->check.waits || m->number != r->walk.entry.number)
        return TRANSFER_BROKEN;
    r->check.waits = false;
    if (m->type == TRANSFER_CHUNK)
        return take_chunk(r, m);
    return m->type == TRANSFER_DROPPED ? take_dropped(r, m) : TRANSFER_BROKEN;
}
