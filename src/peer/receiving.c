#include "peer/receiving.h"

#include "base/number.h"
#include "base/sum.h"
#include "peer/receiving_inner.h"

#include <errno.h>

enum { WORK_STEPS = 16 }; /* of one call: pieces read back, or entries */

void receiving_init(struct receiving *r, struct inbox *inbox,
                    const struct receiving_terms *terms,
                    const struct receiving_handler *handler)
{
    *r = (struct receiving){.inbox = inbox, .handler = handler};
    receiving_course_init(&r->course, terms);
    receiving_journal_init(&r->journal, inbox);
}

void receiving_fini(struct receiving *r)
{
    receiving_journal_fini(&r->journal);
    receiving_walk_fini(&r->walk);
    receiving_check_fini(r);
    sha256_fini(&r->hash);
}

bool receiving_is_sum(const struct receiving *r, struct bytes data,
                      const uint8_t sum[TRANSFER_SUM_BYTES])
{
    uint8_t is[SUM_BYTES];
    sum_bytes(data, number_get_be64(r->course.terms.id.bytes), is);
    return memcmp(is, sum, sizeof is) == 0;
}

const struct receiving_late *receiving_find_late(const struct receiving *r, uint64_t number)
{
    for (size_t i = 0; i < r->late_count; i++)
        if (r->late[i].number == number)
            return &r->late[i];
    return NULL;
}

int receiving_add_late(struct receiving *r, uint64_t number, enum transfer_reason reason)
{
    if (r->late_count == LIMIT_TRANSFER_LATE)
        return TRANSFER_SOURCE_CHANGED;
    r->late[r->late_count++] = (struct receiving_late){number, reason};
    r->course.over = true;
    return 0;
}

/* The end of an attempt */

static enum transfer_reason reason_of(int e)
{
    switch (e) {
    case -ENOSPC:
    case -EDQUOT:
    case -EFBIG:
        return TRANSFER_NO_ROOM;
    case -ENAMETOOLONG:
    case -EILSEQ:
    case -EINVAL:
        return TRANSFER_NAME_REFUSED;
    default:
        return e > 0 ? (enum transfer_reason)e : TRANSFER_DISK_FAILED;
    }
}

int receiving_stop(struct receiving *r, enum transfer_reason reason, struct buffer *out)
{
    if (r->state == RECEIVING_STOPPED || r->state == RECEIVING_PUBLISHED)
        return 0;
    r->state = RECEIVING_STOPPED;
    r->reason = reason;
    return transfer_message_write(
        out, &(struct transfer_message){.type = TRANSFER_STOP, .reason = reason});
}

/* What came of a call: 0, a reason, or -errno of the inbox. */
static int settle(struct receiving *r, int e, struct buffer *out)
{
    if (e == 0)
        return 0;
    int w = receiving_stop(r, reason_of(e), out);
    return e == -ENOMEM ? e : w;
}

static int make_room(struct buffer *out)
{
    uint8_t *to;
    return buffer_reserve(out, RECEIVING_ROOM_BYTES, &to);
}

/* The begin */

/* 0, or anything else where it breaks the rules. */
static int replay_record(struct receiving *r, const struct receiving_record *rec)
{
    struct transfer_message m;
    uint64_t number;
    enum transfer_reason reason;
    if (r->checked && !r->placed && rec->type == RECEIVING_PLACED) {
        r->placed = true;
        return rec->payload.len == 0 ? 0 : TRANSFER_BROKEN;
    }
    if (r->checked)
        return TRANSFER_BROKEN;
    if (rec->type == RECEIVING_CHECKED) {
        r->checked = r->course.over = true;
        return rec->payload.len == 0 && !r->course.within ? 0 : TRANSFER_BROKEN;
    }
    if (rec->type == RECEIVING_LATE) {
        int e = receiving_record_late(rec, &number, &reason);
        if (e != 0 || r->course.within || number >= r->course.number)
            return TRANSFER_BROKEN;
        return receiving_add_late(r, number, reason);
    }
    if (receiving_record_message(rec, &m) != 0)
        return TRANSFER_BROKEN;
    if (m.type == TRANSFER_ENTRY)
        r->entry_at = rec->at;
    return receiving_course_take(&r->course, &m);
}

/* RECEIVING_JOURNAL_STRANGE: it counts as none. *ret_len: up to where it is whole. */
static int replay(struct receiving *r, struct receiving_reader *d, uint64_t *ret_len)
{
    struct receiving_record rec;
    int e = receiving_reader_next(d, &rec);
    if (e != 0)
        return e > 0 ? RECEIVING_JOURNAL_STRANGE : e;
    if (!receiving_record_begins(&rec, &r->course.terms.id))
        return RECEIVING_JOURNAL_STRANGE;
    while ((e = receiving_reader_next(d, &rec)) == 0)
        if (replay_record(r, &rec) != 0)
            return RECEIVING_JOURNAL_STRANGE;
    *ret_len = d->at;
    return e < 0 ? e : 0;
}

static void forget_journal(struct receiving *r)
{
    const struct receiving_terms terms = r->course.terms;
    receiving_course_init(&r->course, &terms);
    r->checked = r->placed = false;
    r->late_count = 0;
}

static int read_journal(struct receiving *r)
{
    struct receiving_reader d;
    uint64_t len = 0;
    receiving_reader_init(&d, r->inbox, 0);
    int e = replay(r, &d, &len);
    receiving_reader_fini(&d);
    if (e < 0)
        return e;
    if (e == RECEIVING_JOURNAL_STRANGE)
        forget_journal(r);
    else if (r->course.within && r->course.anew) {
        receiving_course_forget(&r->course);
        len = r->entry_at;
    }
    e = receiving_journal_cut(&r->journal, len);
    r->earlier = len;
    return e == 0 && len == 0 ? receiving_journal_begin(&r->journal, &r->course.terms.id) : e;
}

/* Also the file that is not whole, which the walk meets last. */
static int take_back(struct receiving *r)
{
    enum receiving_walk_event event = RECEIVING_WALK_FOLDER;
    const struct inbox_ops *ops = r->inbox->ops;
    int e = 0;
    receiving_walk_init(&r->walk, r->inbox, r->earlier);
    while (e == 0 && event != RECEIVING_WALK_OVER) {
        e = receiving_walk_next(&r->walk, &event);
        if (e == 0 && (event != RECEIVING_WALK_OVER || r->course.within))
            e = ops->take_back(r->inbox, &r->walk.entry);
    }
    receiving_walk_fini(&r->walk);
    return e == 0 ? ops->take_back(r->inbox, NULL) : e;
}

static int judge_room(struct receiving *r, uint64_t wanted)
{
    uint64_t room;
    int e = r->inbox->ops->room(r->inbox, &room);
    if (e != 0)
        return e;
    return room < wanted ? TRANSFER_NO_ROOM : 0;
}

/* Of what has no known size, as much as may come before the next look, and what is left. */
static uint64_t still_to_come(const struct receiving_course *c)
{
    uint64_t offered = c->terms.bytes;
    if (offered == TRANSFER_SIZE_UNKNOWN)
        return LIMIT_TRANSFER_RESERVE_BYTES + LIMIT_TRANSFER_UNKEPT_BYTES;
    return offered > c->bytes ? offered - c->bytes : 0;
}

static int begin(struct receiving *r, struct buffer *out)
{
    struct receiving_course *c = &r->course;
    int e = read_journal(r);
    if (e == 0 && !r->checked)
        e = take_back(r);
    if (e == 0 && !r->checked)
        e = judge_room(r, still_to_come(c));
    if (e == 0 && c->within)
        e = r->inbox->ops->stage(r->inbox, c->number, false);
    if (e != 0)
        return e;
    r->state = RECEIVING_TAKING;
    return transfer_message_write(
        out, &(struct transfer_message){.type = TRANSFER_PLACE,
                                        .number = c->number,
                                        .within = c->within,
                                        .offset = c->within ? c->offset : 0});
}

int receiving_begin(struct receiving *r, struct buffer *out)
{
    assert(r->state == RECEIVING_BEGUN);
    int e = make_room(out);
    return e == 0 ? settle(r, begin(r, out), out) : e;
}

/* What comes */

static int begin_hash(struct receiving *r)
{
    r->hashing = r->course.terms.sha256;
    return r->hashing ? sha256_begin(&r->hash) : 0;
}

/* A name that cannot be, or that another entry of the folder has. */
static int judge_name(int e)
{
    return e == INBOX_TAKEN || e == INBOX_NAME ? TRANSFER_NAME_REFUSED : e;
}

static int take_entry(struct receiving *r, const struct transfer_entry *entry)
{
    r->again = 0;
    r->unkept_bytes += LIMIT_TRANSFER_ENTRY_BYTES;
    int e = entry->depth == 0 ? r->inbox->ops->check_name(r->inbox, entry->name) : 0;
    if (e > 0)
        return e == INBOX_TAKEN ? TRANSFER_NAME_TAKEN : TRANSFER_NAME_REFUSED;
    if (e == 0)
        e = judge_name(r->inbox->ops->begin(r->inbox, entry));
    return e == 0 && entry->kind == TRANSFER_FILE ? begin_hash(r) : e;
}

static int take_afresh(struct receiving *r)
{
    r->unkept_bytes += LIMIT_TRANSFER_ENTRY_BYTES;
    if (r->again++ == LIMIT_TRANSFER_AGAIN)
        return TRANSFER_BROKEN;
    int e = r->inbox->ops->stage(r->inbox, r->course.number, true);
    return e == 0 ? begin_hash(r) : e;
}

static int take_chunk(struct receiving *r, const struct transfer_message *m)
{
    if (!receiving_is_sum(r, m->data, m->sum))
        return TRANSFER_BROKEN;
    r->bytes_taken += m->length;
    r->unkept_bytes += m->length;
    int e = r->inbox->ops->write(r->inbox, m->offset, m->data);
    return e == 0 && r->hashing ? sha256_take(&r->hash, m->data) : e;
}

static int take_hole(struct receiving *r, const struct transfer_message *m)
{
    r->bytes_taken += m->length;
    return r->hashing ? sha256_take_zeros(&r->hash, m->length) : 0;
}

/* A file that came on several connections is hashed when it is read back. */
static int take_whole(struct receiving *r, const struct transfer_message *m)
{
    uint8_t hash[SHA256_BYTES];
    if (r->hashing) {
        int e = sha256_end(&r->hash, hash);
        if (e != 0)
            return e;
        if (memcmp(hash, m->sha256, sizeof hash) != 0)
            return TRANSFER_DIFFERS;
    }
    return r->inbox->ops->complete(r->inbox, &r->course.entry, m->length);
}

static int take_dropped(struct receiving *r, const struct transfer_message *m)
{
    int e = r->inbox->ops->drop(r->inbox, m->number);
    return e == INBOX_NONE ? 0 : e;
}

/* Of what the course has judged. */
static int stage_message(struct receiving *r, const struct transfer_message *m)
{
    switch (m->type) {
    case TRANSFER_ENTRY:
        return take_entry(r, &m->entry);
    case TRANSFER_AFRESH:
        return take_afresh(r);
    case TRANSFER_CHUNK:
        return take_chunk(r, m);
    case TRANSFER_HOLE:
        return take_hole(r, m);
    case TRANSFER_WHOLE:
        return take_whole(r, m);
    default:
        return take_dropped(r, m);
    }
}

static int take_end(struct receiving *r, const struct transfer_message *m)
{
    if (r->course.within || m->number != r->course.number || m->offset != r->bytes_taken)
        return TRANSFER_BROKEN;
    int e = receiving_journal_flush(&r->journal);
    if (e == 0 && r->checked) /* it may have been said just before the end of a process */
        e = r->inbox->ops->sync(r->inbox);
    if (e != 0)
        return e;
    return r->checked ? receiving_place_begin(r) : receiving_check_begin(r);
}

static int take_message(struct receiving *r, const struct peer_frame *f,
                        const struct transfer_message *m)
{
    int e = receiving_course_take(&r->course, m);
    if (e == 0)
        e = stage_message(r, m);
    if (e == 0)
        e = receiving_journal_message(&r->journal, f);
    r->unsynced = true;
    return e;
}

static int take(struct receiving *r, const struct peer_frame *f)
{
    struct transfer_message m;
    int e = transfer_message_read(f, &m);
    if (e != 0)
        return e == TRANSFER_STRANGE ? 0 : TRANSFER_BROKEN;
    if (m.type == TRANSFER_STOP) {
        r->state = RECEIVING_STOPPED;
        r->reason = m.reason;
        return 0;
    }
    if (r->state == RECEIVING_TAKING)
        return m.type == TRANSFER_END ? take_end(r, &m) : take_message(r, f, &m);
    return r->state == RECEIVING_CHECKING ? receiving_check_hear(r, &m) : TRANSFER_BROKEN;
}

int receiving_take(struct receiving *r, const struct peer_frame *f, struct buffer *out)
{
    assert(r->state != RECEIVING_BEGUN);
    if (r->state == RECEIVING_STOPPED || r->state == RECEIVING_PUBLISHED)
        return 0;
    int e = make_room(out);
    return e == 0 ? settle(r, take(r, f), out) : e;
}

/* What is done unasked */

static bool has_work(const struct receiving *r)
{
    return (r->state == RECEIVING_CHECKING && !r->check.waits) ||
           r->state == RECEIVING_PLACING || r->state == RECEIVING_PUBLISHING;
}

static int work(struct receiving *r, struct buffer *out)
{
    if (r->state == RECEIVING_CHECKING)
        return receiving_check_work(r, out);
    return r->state == RECEIVING_PLACING ? receiving_place_work(r)
                                         : receiving_publish_work(r, out);
}

int receiving_work(struct receiving *r, struct buffer *out)
{
    if (!has_work(r))
        return RECEIVING_WAITS;
    int e = make_room(out);
    if (e != 0)
        return e;
    for (int i = 0; i < WORK_STEPS && e == 0 && has_work(r); i++)
        e = work(r, out);
    return settle(r, e, out);
}

bool receiving_wants_sync(const struct receiving *r)
{
    return r->unkept_bytes >= LIMIT_TRANSFER_UNKEPT_BYTES;
}

static int sync_all(struct receiving *r, struct buffer *out)
{
    const struct receiving_course *c = &r->course;
    int e = receiving_journal_flush(&r->journal);
    if (e == 0)
        e = r->inbox->ops->sync(r->inbox);
    if (e != 0)
        return e;
    r->unsynced = false;
    r->unkept_bytes = 0;
    e = transfer_message_write(out,
                               &(struct transfer_message){.type = TRANSFER_KEPT,
                                                          .number = c->number,
                                                          .offset = c->within ? c->offset : 0,
                                                          .length = c->bytes});
    if (e == 0 && (c->terms.bytes == TRANSFER_SIZE_UNKNOWN || c->grown > 0))
        e = judge_room(r, LIMIT_TRANSFER_RESERVE_BYTES + LIMIT_TRANSFER_UNKEPT_BYTES);
    return e;
}

int receiving_sync(struct receiving *r, struct buffer *out)
{
    bool takes = r->state == RECEIVING_TAKING || r->state == RECEIVING_CHECKING;
    if (!takes || !r->unsynced)
        return 0;
    int e = make_room(out);
    return e == 0 ? settle(r, sync_all(r, out), out) : e;
}
