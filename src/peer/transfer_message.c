#include "peer/transfer_message.h"

#include "base/number.h"

enum {
    ENTRY_BYTES = 8 + 1 + 1 + 2 + 8 + 8 + 4, /* before the name */
    CHUNK_BYTES = 8 + 8 + TRANSFER_SUM_BYTES,
    NAME_BYTES = 255,
    FIXED_BYTES = 8 + 8 + TRANSFER_SHA256_BYTES /* of all the others, at most */
};

/* Offsets and sizes are off_t where they go. */
static bool is_extent(uint64_t offset, uint64_t len)
{
    return offset <= INT64_MAX && len <= INT64_MAX - offset;
}

static bool is_name(struct bytes n)
{
    return n.len > 0 && n.len <= NAME_BYTES && bytes_find(n, '/') == n.len &&
           bytes_find(n, '\0') == n.len && !bytes_equal_str(n, ".") &&
           !bytes_equal_str(n, "..");
}

static bool is_entry(const struct transfer_entry *e)
{
    if (e->kind != TRANSFER_FILE && e->kind != TRANSFER_FOLDER)
        return false;
    if (e->kind == TRANSFER_FOLDER && (e->size != 0 || e->executable))
        return false;
    return e->number < UINT64_MAX &&
           (e->size <= INT64_MAX || e->size == TRANSFER_SIZE_UNKNOWN) &&
           e->nanoseconds < 1000 * 1000 * 1000 && is_name(e->name);
}

static int read_entry(struct bytes in, struct transfer_message *m)
{
    if (in.len < ENTRY_BYTES || in.data[9] > 1)
        return TRANSFER_MALFORMED;
    m->entry = (struct transfer_entry){
        .number = number_get_be64(in.data),
        .kind = (enum transfer_kind)in.data[8],
        .executable = in.data[9] == 1,
        .depth = (unsigned)in.data[10] << 8 | in.data[11],
        .size = number_get_be64(in.data + 12),
        .seconds = (int64_t)number_get_be64(in.data + 20),
        .nanoseconds = number_get_be32(in.data + 28),
        .name = bytes_from(in, ENTRY_BYTES),
    };
    m->number = m->entry.number;
    return is_entry(&m->entry) ? 0 : TRANSFER_MALFORMED;
}

static int read_chunk(struct bytes in, struct transfer_message *m)
{
    if (in.len <= CHUNK_BYTES || in.len - CHUNK_BYTES > TRANSFER_CHUNK_BYTES)
        return TRANSFER_MALFORMED;
    m->number = number_get_be64(in.data);
    m->offset = number_get_be64(in.data + 8);
    memcpy(m->sum, in.data + 16, sizeof m->sum);
    m->data = bytes_from(in, CHUNK_BYTES);
    m->length = m->data.len;
    return m->offset % TRANSFER_CHUNK_BYTES == 0 && is_extent(m->offset, m->length)
               ? 0
               : TRANSFER_MALFORMED;
}

static int read_hole(struct bytes in, struct transfer_message *m)
{
    if (in.len != 24)
        return TRANSFER_MALFORMED;
    m->number = number_get_be64(in.data);
    m->offset = number_get_be64(in.data + 8);
    m->length = number_get_be64(in.data + 16);
    return m->offset % TRANSFER_CHUNK_BYTES == 0 && m->length > 0 &&
                   is_extent(m->offset, m->length)
               ? 0
               : TRANSFER_MALFORMED;
}

static int read_whole(struct bytes in, struct transfer_message *m)
{
    if (in.len != 16 && in.len != 16 + TRANSFER_SHA256_BYTES)
        return TRANSFER_MALFORMED;
    m->number = number_get_be64(in.data);
    m->length = number_get_be64(in.data + 8);
    m->has_sha256 = in.len > 16;
    if (m->has_sha256)
        memcpy(m->sha256, in.data + 16, sizeof m->sha256);
    return m->length <= INT64_MAX ? 0 : TRANSFER_MALFORMED;
}

static int read_dropped(struct bytes in, struct transfer_message *m)
{
    if (in.len != 9 || in.data[8] == TRANSFER_REASON_NONE)
        return TRANSFER_MALFORMED;
    m->number = number_get_be64(in.data);
    m->reason = (enum transfer_reason)in.data[8];
    return 0;
}

static int read_end(struct bytes in, struct transfer_message *m)
{
    if (in.len != 16)
        return TRANSFER_MALFORMED;
    m->number = number_get_be64(in.data);
    m->offset = number_get_be64(in.data + 8);
    return 0;
}

static int read_place(struct bytes in, struct transfer_message *m)
{
    if (in.len != 17 || in.data[8] > 1)
        return TRANSFER_MALFORMED;
    m->number = number_get_be64(in.data);
    m->within = in.data[8] == 1;
    m->offset = number_get_be64(in.data + 9);
    return m->offset <= (m->within ? (uint64_t)INT64_MAX : 0) ? 0 : TRANSFER_MALFORMED;
}

static int read_again(struct bytes in, struct transfer_message *m)
{
    if (in.len != 16)
        return TRANSFER_MALFORMED;
    m->number = number_get_be64(in.data);
    m->offset = number_get_be64(in.data + 8);
    return m->offset % TRANSFER_CHUNK_BYTES == 0 && m->offset <= INT64_MAX ? 0
                                                                           : TRANSFER_MALFORMED;
}

static int read_kept(struct bytes in, struct transfer_message *m)
{
    if (in.len != 24)
        return TRANSFER_MALFORMED;
    m->number = number_get_be64(in.data);
    m->offset = number_get_be64(in.data + 8);
    m->length = number_get_be64(in.data + 16);
    return m->offset <= INT64_MAX ? 0 : TRANSFER_MALFORMED;
}

static int read_stop(struct bytes in, struct transfer_message *m)
{
    if (in.len != 1 || in.data[0] == TRANSFER_REASON_NONE)
        return TRANSFER_MALFORMED;
    m->reason = (enum transfer_reason)in.data[0];
    return 0;
}

static int read_payload(struct bytes in, struct transfer_message *m)
{
    switch (m->type) {
    case TRANSFER_ENTRY:
    case TRANSFER_AFRESH:
        return read_entry(in, m);
    case TRANSFER_CHUNK:
        return read_chunk(in, m);
    case TRANSFER_HOLE:
        return read_hole(in, m);
    case TRANSFER_WHOLE:
        return read_whole(in, m);
    case TRANSFER_DROPPED:
        return read_dropped(in, m);
    case TRANSFER_END:
        return read_end(in, m);
    case TRANSFER_PLACE:
        return read_place(in, m);
    case TRANSFER_AGAIN:
        return read_again(in, m);
    case TRANSFER_KEPT:
        return read_kept(in, m);
    case TRANSFER_DONE:
        return in.len == 0 ? 0 : TRANSFER_MALFORMED;
    case TRANSFER_STOP:
        return read_stop(in, m);
    }
    return TRANSFER_STRANGE;
}

int transfer_message_read(const struct peer_frame *f, struct transfer_message *ret)
{
    struct transfer_message m = {.type = (enum transfer_message_type)f->type};
    int r = read_payload(f->payload, &m);
    if (r == 0)
        *ret = m;
    return r;
}

static int write_entry(struct buffer *out, uint8_t type, const struct transfer_entry *e)
{
    uint8_t head[ENTRY_BYTES];
    assert(is_entry(e));
    number_put_be64(head, e->number);
    head[8] = (uint8_t)e->kind;
    head[9] = e->executable;
    head[10] = (uint8_t)(e->depth >> 8);
    head[11] = (uint8_t)e->depth;
    number_put_be64(head + 12, e->size);
    number_put_be64(head + 20, (uint64_t)e->seconds);
    number_put_be32(head + 28, e->nanoseconds);
    return peer_frame_write_two(out, type, bytes_make(head, sizeof head), e->name);
}

static int write_chunk(struct buffer *out, const struct transfer_message *m)
{
    uint8_t head[CHUNK_BYTES];
    number_put_be64(head, m->number);
    number_put_be64(head + 8, m->offset);
    memcpy(head + 16, m->sum, sizeof m->sum);
    return peer_frame_write_two(out, TRANSFER_CHUNK, bytes_make(head, sizeof head), m->data);
}

/* Of those of a fixed size: how much was put. */
static size_t put_fixed(uint8_t *to, const struct transfer_message *m)
{
    bool of_both = m->type == TRANSFER_STOP;
    size_t n = of_both || m->type == TRANSFER_DONE ? 0 : 8;
    if (n > 0)
        number_put_be64(to, m->number);
    if (m->type == TRANSFER_PLACE)
        to[n++] = m->within;
    if (of_both || m->type == TRANSFER_DROPPED)
        to[n++] = (uint8_t)m->reason;
    else if (m->type != TRANSFER_WHOLE && m->type != TRANSFER_DONE)
        number_put_be64(to + n, m->offset), n += 8;
    if (m->type == TRANSFER_HOLE || m->type == TRANSFER_KEPT || m->type == TRANSFER_WHOLE)
        number_put_be64(to + n, m->length), n += 8;
    if (m->type == TRANSFER_WHOLE && m->has_sha256)
        memcpy(to + n, m->sha256, sizeof m->sha256), n += sizeof m->sha256;
    return n;
}

int transfer_message_write(struct buffer *out, const struct transfer_message *m)
{
    uint8_t fixed[FIXED_BYTES];
    if (m->type == TRANSFER_ENTRY || m->type == TRANSFER_AFRESH)
        return write_entry(out, (uint8_t)m->type, &m->entry);
    if (m->type == TRANSFER_CHUNK)
        return write_chunk(out, m);
    return peer_frame_write(out, (uint8_t)m->type, bytes_make(fixed, put_fixed(fixed, m)));
}

int transfer_chunk_begin(struct buffer *out, uint8_t **ret_data)
{
    uint8_t *to;
    size_t head = PEER_FRAME_HEAD_BYTES + CHUNK_BYTES;
    int r = buffer_reserve(out, head + TRANSFER_CHUNK_BYTES, &to);
    if (r == 0)
        *ret_data = to + head;
    return r;
}

void transfer_chunk_seal(struct buffer *out, uint64_t number, uint64_t offset,
                         const uint8_t sum[TRANSFER_SUM_BYTES], size_t len)
{
    assert(len > 0 && len <= TRANSFER_CHUNK_BYTES);
    uint8_t *to = out->data + out->end;
    number_put_be32(to, (uint32_t)(CHUNK_BYTES + len));
    to[4] = TRANSFER_CHUNK;
    number_put_be64(to + PEER_FRAME_HEAD_BYTES, number);
    number_put_be64(to + PEER_FRAME_HEAD_BYTES + 8, offset);
    memcpy(to + PEER_FRAME_HEAD_BYTES + 16, sum, TRANSFER_SUM_BYTES);
    buffer_wrote(out, PEER_FRAME_HEAD_BYTES + CHUNK_BYTES + len);
}
