#include "store/record.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/number.h"

enum {
    AT_LENGTH = 0,
    AT_RESERVED = 4,
    AT_LSN = 8,
    AT_BATCH = 16,
    AT_SEGMENT = 24,
    AT_TIME = 32,
    AT_CHECKSUM = 40,
};

enum {
    HEAD_KIND = 0x0f,
    HEAD_SPACE_SHIFT = 4,
    HEAD_NUMBER = 0x20,
    HEAD_ZERO = 0x40,
    HEAD_BEGINS = 0x80,
};

size_t record_bytes(size_t payload_bytes)
{
    return (RECORD_HEADER_BYTES + payload_bytes + RECORD_ALIGN - 1) &
           ~(size_t)(RECORD_ALIGN - 1);
}

static bool has_number(const struct record_op *op)
{
    return op->kind == RECORD_PART || op->kind == RECORD_DROP || op->expires.ms != 0;
}

static size_t length_bytes(size_t n)
{
    size_t bytes = 1;
    while (n >>= 7)
        bytes++;
    return bytes;
}

size_t record_op_bytes(const struct record_op *op)
{
    return 1 + length_bytes(op->key.len) + length_bytes(op->value.len) +
           (has_number(op) ? sizeof(uint64_t) : 0) + op->key.len + op->value.len;
}

static uint8_t *put_length(uint8_t *to, size_t n)
{
    for (; n > 0x7f; n >>= 7)
        *to++ = (uint8_t)(n | 0x80);
    *to++ = (uint8_t)n;
    return to;
}

static uint8_t *put_bytes(uint8_t *to, struct bytes b)
{
    if (b.len)
        memcpy(to, b.data, b.len);
    return to + b.len;
}

uint8_t *record_op_write_head(uint8_t *to, const struct record_op *op)
{
    bool number = has_number(op);
    *to++ = (uint8_t)((unsigned)op->kind | (unsigned)op->space << HEAD_SPACE_SHIFT |
                      (number ? HEAD_NUMBER : 0));
    to = put_length(to, op->key.len);
    to = put_length(to, op->value.len);
    if (number) {
        number_put_u64(to, (uint64_t)op->expires.ms);
        to += sizeof(uint64_t);
    }
    return put_bytes(to, op->key);
}

uint8_t *record_op_write(uint8_t *to, const struct record_op *op)
{
    return put_bytes(record_op_write_head(to, op), op->value);
}

void record_op_begin(uint8_t *op)
{
    *op |= HEAD_BEGINS;
}

static bool op_is_valid(const struct record_op *op)
{
    bool bare = op->value.len == 0 && op->expires.ms == 0;
    switch (op->kind) {
    case RECORD_PUT:
        return op->key.len > 0;
    case RECORD_REMOVE:
        return op->key.len > 0 && bare;
    case RECORD_OPEN:
    case RECORD_CLOSE:
        return op->key.len == 0 && bare && op->space == STORE_USER;
    case RECORD_FLUSH:
        return op->key.len == 0 && bare;
    case RECORD_PART:
        return op->key.len == 0 && op->value.len > 0 && op->expires.ms > 0;
    case RECORD_PUT_PARTS:
        return op->key.len > 0 && op->value.len == RECORD_PARTS_BYTES;
    case RECORD_DROP:
        return op->key.len == 0 && op->value.len == 0 && op->expires.ms > 0;
    }
    return false;
}

/* Takes a length of at most max off the front; false where there is none, or it is written with
 * more bytes than it needs. */
static bool take_length(struct bytes *rest, size_t max, size_t *ret)
{
    enum { BYTES_MAX = 4 };
    size_t n = 0;
    for (size_t i = 0; i < BYTES_MAX && i < rest->len; i++) {
        uint8_t byte = rest->data[i];
        n |= (size_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80)
            continue;
        if (n > max || (byte == 0 && i > 0))
            return false;
        *rest = bytes_from(*rest, i + 1);
        *ret = n;
        return true;
    }
    return false;
}

static bool take_number(struct bytes *rest, int64_t *ret)
{
    if (rest->len < sizeof(uint64_t))
        return false;
    *ret = (int64_t)number_get_u64(rest->data);
    *rest = bytes_from(*rest, sizeof(uint64_t));
    return *ret != 0;
}

int record_op_read(struct bytes *rest, struct record_op *ret)
{
    if (rest->len == 0)
        return RECORD_END;
    uint8_t head = rest->data[0];
    struct bytes at = bytes_from(*rest, 1);
    struct record_op op = {.kind = (enum record_kind)(head & HEAD_KIND),
                           .space = (enum store_space)(head >> HEAD_SPACE_SHIFT & 1),
                           .begins = head & HEAD_BEGINS};
    size_t key_bytes, value_bytes;
    if (head & HEAD_ZERO || !take_length(&at, LIMIT_KEY_BYTES, &key_bytes) ||
        !take_length(&at, LIMIT_VALUE_BYTES, &value_bytes) ||
        (head & HEAD_NUMBER && !take_number(&at, &op.expires.ms)) ||
        key_bytes + value_bytes > at.len)
        return RECORD_BAD;
    op.key = bytes_first(at, key_bytes);
    op.value = bytes_first(bytes_from(at, key_bytes), value_bytes);
    if (!op_is_valid(&op))
        return RECORD_BAD;
    *ret = op;
    *rest = bytes_from(at, key_bytes + value_bytes);
    return 0;
}

void record_parts_write(uint8_t to[RECORD_PARTS_BYTES], const struct record_parts *parts)
{
    number_put_u64(to, parts->upload);
    number_put_u64(to + 8, parts->len);
}

struct record_parts record_parts_read(const struct record_op *op)
{
    return (struct record_parts){number_get_u64(op->value.data),
                                 number_get_u64(op->value.data + 8)};
}

/* What the segment field holds: the id, hidden by the salt, so that nobody who does not know
 * the salt can make even a header that looks right. */
static uint64_t segment_mark(uint64_t segment, uint64_t salt)
{
    uint8_t id[8];
    number_put_u64(id, segment);
    return hash_bytes(bytes_make(id, sizeof id), salt);
}

static uint64_t checksum(const uint8_t *record, size_t payload_bytes, uint64_t salt)
{
    uint64_t of_header = hash_bytes(bytes_make(record, AT_CHECKSUM), salt);
    return hash_bytes(bytes_make(record + RECORD_HEADER_BYTES, payload_bytes), of_header);
}

void record_seal(uint8_t *record, const struct record_header *h, uint64_t salt)
{
    size_t end = RECORD_HEADER_BYTES + h->payload_bytes;
    number_put_u32(record + AT_LENGTH, h->payload_bytes);
    number_put_u32(record + AT_RESERVED, 0);
    number_put_u64(record + AT_LSN, h->lsn);
    number_put_u64(record + AT_BATCH, h->batch);
    number_put_u64(record + AT_SEGMENT, segment_mark(h->segment, salt));
    number_put_u64(record + AT_TIME, (uint64_t)h->time.ms);
    number_put_u64(record + AT_CHECKSUM, checksum(record, h->payload_bytes, salt));
    memset(record + end, 0, record_bytes(h->payload_bytes) - end);
}

static bool is_zero(const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i])
            return false;
    return true;
}

static bool header_is_sound(const struct record_header *h, struct bytes in)
{
    return h->payload_bytes <= LIMIT_RECORD_BYTES && record_bytes(h->payload_bytes) <= in.len &&
           h->batch >= 1 && h->batch <= h->lsn;
}

int record_read(struct bytes in, uint64_t segment, uint64_t salt, struct record_header *ret,
                struct bytes *ret_payload)
{
    if (in.len < RECORD_HEADER_BYTES || is_zero(in.data, RECORD_HEADER_BYTES))
        return RECORD_END;
    struct record_header h = {
        .payload_bytes = number_get_u32(in.data + AT_LENGTH),
        .lsn = number_get_u64(in.data + AT_LSN),
        .batch = number_get_u64(in.data + AT_BATCH),
        .segment = segment,
        .time = {(int64_t)number_get_u64(in.data + AT_TIME)},
    };
    if (number_get_u32(in.data + AT_RESERVED) != 0 || !header_is_sound(&h, in) ||
        number_get_u64(in.data + AT_SEGMENT) != segment_mark(segment, salt) ||
        number_get_u64(in.data + AT_CHECKSUM) != checksum(in.data, h.payload_bytes, salt))
        return RECORD_BAD;
    size_t end = RECORD_HEADER_BYTES + h.payload_bytes;
    if (!is_zero(in.data + end, record_bytes(h.payload_bytes) - end))
        return RECORD_BAD;
    *ret = h;
    *ret_payload = bytes_make(in.data + RECORD_HEADER_BYTES, h.payload_bytes);
    return 0;
}

bool record_find_later(struct bytes in, uint64_t segment, uint64_t salt, uint64_t batch)
{
    uint64_t mark = segment_mark(segment, salt);
    for (size_t at = 0; at + RECORD_HEADER_BYTES <= in.len; at += RECORD_ALIGN) {
        struct record_header h;
        struct bytes payload;
        if (number_get_u64(in.data + at + AT_SEGMENT) == mark &&
            record_read(bytes_from(in, at), segment, salt, &h, &payload) == 0 &&
            h.batch > batch)
            return true;
    }
    return false;
}
