#include "peer/sending.h"

#include "base/number.h"
#include "base/sum.h"

void sending_init(struct sending *s, struct outbox *outbox, const struct random_id *id,
                  bool sha256_wanted)
{
    *s = (struct sending){
        .outbox = outbox, .seed = number_get_be64(id->bytes), .sha256_wanted = sha256_wanted};
}

void sending_fini(struct sending *s)
{
    sha256_fini(&s->hash);
}

void sending_stop(struct sending *s, enum transfer_reason reason)
{
    if (s->state == SENDING_STOPPING || s->state == SENDING_CLOSED)
        return;
    s->state = SENDING_STOPPING;
    s->reason = reason;
}

static void close_for(struct sending *s, enum transfer_reason reason)
{
    s->state = SENDING_CLOSED;
    s->reason = reason;
}

struct bytes sending_path(const struct sending *s)
{
    return transfer_path_view(&s->path);
}

static bool has_size(const struct transfer_entry *e)
{
    return e->size != TRANSFER_SIZE_UNKNOWN;
}

/* Entries */

/* The entry of s->number out of the list. OUTBOX_END; stops where there is none to be had. */
static int take_entry(struct sending *s)
{
    int r = s->outbox->ops->entry(s->outbox, s->number, &s->entry);
    if (r == OUTBOX_END)
        return r;
    if (r != 0 || transfer_path_enter(&s->path, &s->entry) != 0) {
        sending_stop(s, TRANSFER_SOURCE_FAILED);
        return r != 0 ? r : TRANSFER_PATH_BEYOND;
    }
    memcpy(s->name, s->entry.name.data, s->entry.name.len);
    s->entry.name = bytes_make(s->name, s->entry.name.len);
    s->entry.number = s->number;
    return 0;
}

static int begin_content(struct sending *s)
{
    s->bytes -= s->offset;
    s->offset = 0;
    s->at_end = false;
    s->hashing = s->sha256_wanted;
    return s->hashing ? sha256_begin(&s->hash) : 0;
}

static int say_entry(struct sending *s, struct buffer *out, enum transfer_message_type type)
{
    return transfer_message_write(out,
                                  &(struct transfer_message){.type = type, .entry = s->entry});
}

static void leave(struct sending *s)
{
    s->within = false;
    s->number++;
}

static void tell_dropped(struct sending *s, struct bytes path, enum transfer_reason reason)
{
    if (s->dropped)
        s->dropped(s, path, reason);
}

static int drop(struct sending *s, struct buffer *out, enum transfer_reason reason)
{
    struct transfer_message m = {
        .type = TRANSFER_DROPPED, .number = s->number, .reason = reason};
    int r = transfer_message_write(out, &m);
    if (r == 0) {
        s->bytes -= s->offset;
        tell_dropped(s, sending_path(s), reason);
        leave(s);
    }
    return r;
}

static enum transfer_reason reason_of(int r)
{
    return r == OUTBOX_GONE      ? TRANSFER_SOURCE_GONE
           : r == OUTBOX_CHANGED ? TRANSFER_SOURCE_CHANGED
                                 : TRANSFER_SOURCE_FAILED;
}

static int say_afresh(struct sending *s, struct buffer *out)
{
    struct transfer_entry now;
    if (s->again == LIMIT_TRANSFER_AGAIN)
        return drop(s, out, TRANSFER_SOURCE_CHANGED);
    int r = s->outbox->ops->open(s->outbox); /* another may have its name now */
    if (r == 0 || r == OUTBOX_CHANGED)
        r = s->outbox->ops->look(s->outbox, &now);
    if (r != 0)
        return drop(s, out, reason_of(r));
    s->again++;
    s->entry.size = now.size;
    s->entry.executable = now.executable;
    s->entry.seconds = now.seconds;
    s->entry.nanoseconds = now.nanoseconds;
    if (s->afresh)
        s->afresh(s, sending_path(s));
    r = begin_content(s);
    return r == 0 ? say_entry(s, out, TRANSFER_AFRESH) : r;
}

/* What a call of the outbox for the file said of it, where that was not 0. */
static int say_failed(struct sending *s, struct buffer *out, int r)
{
    return r == OUTBOX_CHANGED ? say_afresh(s, out) : drop(s, out, reason_of(r));
}

static int say_end(struct sending *s, struct buffer *out)
{
    struct transfer_message m = {
        .type = TRANSFER_END, .number = s->number, .offset = s->bytes_said};
    int r = transfer_message_write(out, &m);
    if (r == 0)
        s->state = SENDING_ENDED;
    return r;
}

static int open_file(struct sending *s, struct buffer *out)
{
    int r = s->outbox->ops->open(s->outbox);
    return r == 0 ? 0 : say_failed(s, out, r);
}

static int say_next_entry(struct sending *s, struct buffer *out)
{
    int r = take_entry(s);
    if (r != 0)
        return r == OUTBOX_END ? say_end(s, out) : 0;
    r = say_entry(s, out, TRANSFER_ENTRY);
    if (r != 0)
        return r;
    if (s->entry.kind == TRANSFER_FOLDER) {
        s->number++;
        return 0;
    }
    s->within = true;
    s->again = 0;
    s->offset = 0;
    r = begin_content(s);
    return r == 0 ? open_file(s, out) : r;
}

/* Content */

static int hash_piece(struct sending *s, struct bytes piece)
{
    return s->hashing ? sha256_take(&s->hash, piece) : 0;
}

static void said(struct sending *s, uint64_t len)
{
    s->offset += len;
    s->bytes += len;
    s->bytes_said += len;
}

static int say_hole(struct sending *s, struct buffer *out, uint64_t len)
{
    struct transfer_message m = {
        .type = TRANSFER_HOLE, .number = s->number, .offset = s->offset, .length = len};
    int r = transfer_message_write(out, &m);
    if (r == 0 && s->hashing)
        r = sha256_take_zeros(&s->hash, len);
    if (r == 0)
        said(s, len);
    return r;
}

static size_t chunk_room(const struct transfer_entry *e, uint64_t offset)
{
    uint64_t left = has_size(e) ? e->size - offset : TRANSFER_CHUNK_BYTES;
    return left < TRANSFER_CHUNK_BYTES ? (size_t)left : TRANSFER_CHUNK_BYTES;
}

static void seal(struct sending *s, struct buffer *out, const uint8_t *data, size_t len,
                 uint64_t number, uint64_t offset)
{
    uint8_t sum[TRANSFER_SUM_BYTES];
    sum_bytes(bytes_make(data, len), s->seed, sum);
    transfer_chunk_seal(out, number, offset, sum, len);
}

static int say_chunk(struct sending *s, struct buffer *out)
{
    uint8_t *data;
    size_t n, room = chunk_room(&s->entry, s->offset);
    int r = transfer_chunk_begin(out, &data);
    if (r != 0)
        return r;
    r = s->outbox->ops->read(s->outbox, s->offset, data, room, &n);
    if (r != 0 || (n < room && has_size(&s->entry)))
        return say_failed(s, out, r != 0 ? r : OUTBOX_CHANGED);
    s->at_end = n < room;
    if (n == 0)
        return 0;
    r = hash_piece(s, bytes_make(data, n));
    if (r == 0) {
        seal(s, out, data, n, s->number, s->offset);
        said(s, n);
    }
    return r;
}

/* How much from offset on is hole, as chunks go; 0 where there is data. */
static int find_hole(struct sending *s, uint64_t *ret_len)
{
    uint64_t data = s->offset;
    int r = has_size(&s->entry) ? s->outbox->ops->next_data(s->outbox, s->offset, &data) : 0;
    if (r != 0)
        return r;
    if (has_size(&s->entry) && data >= s->entry.size)
        data = s->entry.size;
    else
        data -= data % TRANSFER_CHUNK_BYTES;
    *ret_len = data > s->offset ? data - s->offset : 0;
    return 0;
}

/* All of a file whose begin was said on another connection; `out` lends room to read. */
static int hash_all(struct sending *s, struct buffer *out)
{
    uint8_t *data;
    size_t n;
    int r = transfer_chunk_begin(out, &data);
    if (r == 0)
        r = sha256_begin(&s->hash);
    for (uint64_t at = 0; r == 0 && at < s->offset; at += n) {
        uint64_t left = s->offset - at;
        size_t room = left < TRANSFER_CHUNK_BYTES ? (size_t)left : TRANSFER_CHUNK_BYTES;
        r = s->outbox->ops->read(s->outbox, at, data, room, &n);
        if (r == 0)
            r = n < room ? OUTBOX_CHANGED : sha256_take(&s->hash, bytes_make(data, n));
    }
    return r;
}

static int say_whole(struct sending *s, struct buffer *out)
{
    struct transfer_message m = {.type = TRANSFER_WHOLE,
                                 .number = s->number,
                                 .length = s->offset,
                                 .has_sha256 = s->sha256_wanted};
    int r = s->sha256_wanted && !s->hashing ? hash_all(s, out) : 0;
    if (r == 0)
        r = s->outbox->ops->check(s->outbox);
    if (r != 0)
        return say_failed(s, out, r);
    if (s->sha256_wanted)
        r = sha256_end(&s->hash, m.sha256);
    if (r == 0)
        r = transfer_message_write(out, &m);
    if (r == 0 && s->file)
        s->file(s, sending_path(s), m.length, m.has_sha256 ? m.sha256 : NULL);
    if (r == 0)
        leave(s);
    return r;
}

static int say_content(struct sending *s, struct buffer *out)
{
    uint64_t hole;
    if (s->reopens) {
        s->reopens = false;
        return open_file(s, out);
    }
    if (has_size(&s->entry) ? s->offset == s->entry.size : s->at_end)
        return say_whole(s, out);
    int r = find_hole(s, &hole);
    if (r != 0)
        return say_failed(s, out, r);
    return hole > 0 ? say_hole(s, out, hole) : say_chunk(s, out);
}

/* A chunk again */

/* Where it is not 0, the chunk cannot be had. */
static int read_again(struct sending *s, struct transfer_entry *e, struct buffer *out)
{
    struct outbox *o = s->outbox;
    uint8_t *data;
    size_t n;
    int r = o->ops->entry(o, s->asked_number, e);
    if (r == 0 && (e->kind != TRANSFER_FILE || s->asked_offset >= e->size))
        r = OUTBOX_CHANGED;
    if (r == 0)
        r = o->ops->open(o);
    if (r == 0)
        r = transfer_chunk_begin(out, &data);
    if (r != 0)
        return r;
    size_t room = chunk_room(e, s->asked_offset);
    r = o->ops->read(o, s->asked_offset, data, room, &n);
    if (r == 0 && (n == 0 || (n < room && has_size(e))))
        r = OUTBOX_CHANGED;
    if (r == 0)
        r = o->ops->check(o);
    if (r == 0)
        seal(s, out, data, n, s->asked_number, s->asked_offset);
    return r;
}

static int answer(struct sending *s, struct buffer *out)
{
    s->asked = false;
    struct transfer_entry e = {.name = bytes_make(NULL, 0)};
    int r = read_again(s, &e, out);
    if (r == 0)
        return 0;
    tell_dropped(s, e.name, reason_of(r));
    return transfer_message_write(out, &(struct transfer_message){.type = TRANSFER_DROPPED,
                                                                  .number = s->asked_number,
                                                                  .reason = reason_of(r)});
}

/* What is said */

static int say_stop(struct sending *s, struct buffer *out)
{
    s->state = SENDING_CLOSED;
    return transfer_message_write(
        out, &(struct transfer_message){.type = TRANSFER_STOP, .reason = s->reason});
}

static int tell(struct sending *s, struct buffer *out)
{
    size_t before = buffer_len(out);
    int r = 0;
    while (r == 0 && s->state == SENDING_TELLING &&
           buffer_len(out) - before < SENDING_FILL_BYTES)
        r = s->within ? say_content(s, out) : say_next_entry(s, out);
    return r == 0 && s->state == SENDING_STOPPING ? say_stop(s, out) : r;
}

int sending_next(struct sending *s, struct buffer *out)
{
    uint8_t *room;
    int r = buffer_reserve(out, SENDING_ROOM_BYTES, &room);
    if (r != 0)
        return r;
    switch (s->state) {
    case SENDING_UNPLACED:
        return SENDING_WAITS;
    case SENDING_TELLING:
        return tell(s, out);
    case SENDING_ENDED:
        return s->asked ? answer(s, out) : SENDING_WAITS;
    case SENDING_STOPPING:
        return say_stop(s, out);
    case SENDING_CLOSED:
        break;
    }
    return SENDING_OVER;
}

/* What is heard */

/* All entries before the place are passed, so that path and counters are right. */
static bool pass_entries(struct sending *s, uint64_t until)
{
    while (s->number < until) {
        if (take_entry(s) != 0)
            return false;
        s->number++;
        s->bytes += has_size(&s->entry) ? s->entry.size : 0;
    }
    return true;
}

/* Is it a place in the entry's content? */
static bool is_offset(const struct transfer_entry *e, uint64_t offset)
{
    if (e->kind != TRANSFER_FILE)
        return false;
    return !has_size(e) || offset == e->size ||
           (offset < e->size && offset % TRANSFER_CHUNK_BYTES == 0);
}

static void hear_place(struct sending *s, const struct transfer_message *m)
{
    if (s->state != SENDING_UNPLACED || !pass_entries(s, m->number)) {
        sending_stop(s, TRANSFER_BROKEN);
        return;
    }
    if (m->within && (take_entry(s) != 0 || !is_offset(&s->entry, m->offset))) {
        sending_stop(s, TRANSFER_BROKEN);
        return;
    }
    s->state = SENDING_TELLING;
    s->within = m->within;
    s->offset = m->offset;
    s->bytes += m->offset;
    s->reopens = m->within;
    s->at_end = m->offset % TRANSFER_CHUNK_BYTES != 0;
}

static void hear_again(struct sending *s, const struct transfer_message *m)
{
    if (s->state != SENDING_ENDED || s->asked || m->number >= s->number) {
        sending_stop(s, TRANSFER_BROKEN);
        return;
    }
    s->asked = true;
    s->asked_number = m->number;
    s->asked_offset = m->offset;
}

/* Kept before it was said to be void, in the file that is said afresh now. */
static bool is_stale(const struct sending *s, const struct transfer_message *m)
{
    return s->within && s->again > 0 && m->number == s->number && m->offset > s->offset;
}

static void hear_kept(struct sending *s, const struct transfer_message *m)
{
    if (is_stale(s, m))
        return;
    if (s->state == SENDING_UNPLACED || m->number > s->number ||
        (m->number == s->number && m->offset > (s->within ? s->offset : 0))) {
        sending_stop(s, TRANSFER_BROKEN);
        return;
    }
    s->bytes_kept = m->length < s->bytes ? m->length : s->bytes; /* it is his word */
    s->outbox->ops->kept(s->outbox, m->number, m->offset);
}

static void hear(struct sending *s, const struct transfer_message *m)
{
    if (m->type == TRANSFER_STOP)
        close_for(s, m->reason);
    else if (m->type == TRANSFER_PLACE)
        hear_place(s, m);
    else if (m->type == TRANSFER_KEPT)
        hear_kept(s, m);
    else if (m->type == TRANSFER_AGAIN)
        hear_again(s, m);
    else if (m->type == TRANSFER_DONE && s->state == SENDING_ENDED && !s->asked)
        close_for(s, TRANSFER_REASON_NONE);
    else
        sending_stop(s, TRANSFER_BROKEN);
}

void sending_hear(struct sending *s, const struct peer_frame *f)
{
    struct transfer_message m;
    if (s->state == SENDING_STOPPING || s->state == SENDING_CLOSED)
        return;
    int r = transfer_message_read(f, &m);
    if (r == TRANSFER_MALFORMED)
        sending_stop(s, TRANSFER_BROKEN);
    else if (r == 0)
        hear(s, &m);
}
