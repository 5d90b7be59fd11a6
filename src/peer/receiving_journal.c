#include "peer/receiving_journal.h"

#include "base/hash.h"
#include "base/number.h"

#include <errno.h>

enum {
    HEAD_BYTES = 4 + 8,
    BEGIN_BYTES = 1 + RANDOM_ID_BYTES,
    LATE_BYTES = 8 + 1,
    CHUNK_BYTES = 8 + 8 + TRANSFER_SUM_BYTES, /* of a chunk's payload, before the data */
    KEPT_CHUNK_BYTES = CHUNK_BYTES + 4,
    GATHERED_BYTES = 64 * 1024,
    WINDOW_BYTES = 64 * 1024
};

void receiving_journal_init(struct receiving_journal *j, struct inbox *inbox)
{
    *j = (struct receiving_journal){.inbox = inbox};
    buffer_init(&j->pending, GATHERED_BYTES + HEAD_BYTES + RECEIVING_RECORD_BYTES);
}

void receiving_journal_fini(struct receiving_journal *j)
{
    buffer_fini(&j->pending);
}

int receiving_journal_flush(struct receiving_journal *j)
{
    if (buffer_len(&j->pending) == 0)
        return 0;
    int r = j->inbox->ops->journal_append(j->inbox, buffer_view(&j->pending));
    buffer_truncate(&j->pending, 0);
    return r;
}

int receiving_journal_cut(struct receiving_journal *j, uint64_t len)
{
    int r = j->inbox->ops->journal_cut(j->inbox, len);
    if (r == 0)
        j->len = len;
    return r;
}

static int append(struct receiving_journal *j, uint8_t type, struct bytes first,
                  struct bytes second)
{
    uint8_t *to;
    size_t len = 1 + first.len + second.len;
    assert(len <= RECEIVING_RECORD_BYTES);
    int r = buffer_len(&j->pending) >= GATHERED_BYTES ? receiving_journal_flush(j) : 0;
    if (r == 0)
        r = buffer_reserve(&j->pending, HEAD_BYTES + len, &to);
    if (r != 0)
        return r;
    uint8_t *body = to + HEAD_BYTES;
    body[0] = type;
    if (first.len > 0)
        memcpy(body + 1, first.data, first.len);
    if (second.len > 0)
        memcpy(body + 1 + first.len, second.data, second.len);
    number_put_be32(to, (uint32_t)len);
    number_put_be64(to + 4, hash_bytes(bytes_make(body, len), j->len));
    buffer_wrote(&j->pending, HEAD_BYTES + len);
    j->len += HEAD_BYTES + len;
    return 0;
}

static const struct bytes nothing;

int receiving_journal_begin(struct receiving_journal *j, const struct random_id *id)
{
    const uint8_t version = RECEIVING_JOURNAL_VERSION;
    return append(j, RECEIVING_BEGIN, bytes_make(&version, 1),
                  bytes_make(id->bytes, sizeof id->bytes));
}

int receiving_journal_message(struct receiving_journal *j, const struct peer_frame *f)
{
    uint8_t len[4];
    if (f->type != TRANSFER_CHUNK)
        return append(j, f->type, f->payload, nothing);
    number_put_be32(len, (uint32_t)(f->payload.len - CHUNK_BYTES));
    return append(j, f->type, bytes_first(f->payload, CHUNK_BYTES),
                  bytes_make(len, sizeof len));
}

int receiving_journal_late(struct receiving_journal *j, uint64_t number,
                           enum transfer_reason reason)
{
    uint8_t late[LATE_BYTES];
    number_put_be64(late, number);
    late[8] = (uint8_t)reason;
    return append(j, RECEIVING_LATE, bytes_make(late, sizeof late), nothing);
}

int receiving_journal_checked(struct receiving_journal *j)
{
    return append(j, RECEIVING_CHECKED, nothing, nothing);
}

int receiving_journal_placed(struct receiving_journal *j)
{
    return append(j, RECEIVING_PLACED, nothing, nothing);
}

void receiving_reader_init(struct receiving_reader *d, struct inbox *inbox, uint64_t at)
{
    *d = (struct receiving_reader){.inbox = inbox, .at = at};
    buffer_init(&d->window, WINDOW_BYTES);
}

void receiving_reader_fini(struct receiving_reader *d)
{
    buffer_fini(&d->window);
}

/* Until n bytes are there; RECEIVING_JOURNAL_END where there are fewer. */
static int fill(struct receiving_reader *d, size_t n)
{
    while (buffer_len(&d->window) < n) {
        uint8_t *to;
        size_t have = buffer_len(&d->window), got;
        int r = buffer_reserve(&d->window, WINDOW_BYTES - have, &to);
        if (r == 0)
            r = d->inbox->ops->journal_read(d->inbox, d->at + have, to, WINDOW_BYTES - have,
                                            &got);
        if (r != 0)
            return r;
        if (got == 0)
            return RECEIVING_JOURNAL_END;
        buffer_wrote(&d->window, got);
    }
    return 0;
}

int receiving_reader_next(struct receiving_reader *d, struct receiving_record *ret)
{
    int r = fill(d, HEAD_BYTES);
    if (r != 0)
        return r;
    size_t len = number_get_be32(buffer_view(&d->window).data);
    if (len == 0 || len > RECEIVING_RECORD_BYTES)
        return RECEIVING_JOURNAL_END;
    r = fill(d, HEAD_BYTES + len);
    if (r != 0)
        return r;
    const uint8_t *at = buffer_view(&d->window).data;
    struct bytes body = bytes_make(at + HEAD_BYTES, len);
    if (number_get_be64(at + 4) != hash_bytes(body, d->at))
        return RECEIVING_JOURNAL_END;
    *ret = (struct receiving_record){body.data[0], bytes_from(body, 1), d->at};
    d->at += HEAD_BYTES + len;
    buffer_consume(&d->window, HEAD_BYTES + len);
    return 0;
}

static int chunk_message(struct bytes p, struct transfer_message *ret)
{
    if (p.len != KEPT_CHUNK_BYTES)
        return RECEIVING_JOURNAL_STRANGE;
    struct transfer_message m = {.type = TRANSFER_CHUNK,
                                 .number = number_get_be64(p.data),
                                 .offset = number_get_be64(p.data + 8),
                                 .length = number_get_be32(p.data + CHUNK_BYTES)};
    memcpy(m.sum, p.data + 16, sizeof m.sum);
    if (m.offset % TRANSFER_CHUNK_BYTES != 0 || m.offset > INT64_MAX - TRANSFER_CHUNK_BYTES ||
        m.length == 0 || m.length > TRANSFER_CHUNK_BYTES)
        return RECEIVING_JOURNAL_STRANGE;
    *ret = m;
    return 0;
}

int receiving_record_message(const struct receiving_record *rec, struct transfer_message *ret)
{
    if (rec->type == TRANSFER_CHUNK)
        return chunk_message(rec->payload, ret);
    struct peer_frame f = {rec->type, rec->payload};
    return transfer_message_read(&f, ret) == 0 ? 0 : RECEIVING_JOURNAL_STRANGE;
}

int receiving_record_late(const struct receiving_record *rec, uint64_t *ret_number,
                          enum transfer_reason *ret_reason)
{
    if (rec->type != RECEIVING_LATE || rec->payload.len != LATE_BYTES)
        return RECEIVING_JOURNAL_STRANGE;
    *ret_number = number_get_be64(rec->payload.data);
    *ret_reason = (enum transfer_reason)rec->payload.data[8];
    return 0;
}

bool receiving_record_begins(const struct receiving_record *rec, const struct random_id *id)
{
    return rec->type == RECEIVING_BEGIN && rec->payload.len == BEGIN_BYTES &&
           rec->payload.data[0] == RECEIVING_JOURNAL_VERSION &&
           bytes_equal(bytes_from(rec->payload, 1), bytes_make(id->bytes, sizeof id->bytes));
}
