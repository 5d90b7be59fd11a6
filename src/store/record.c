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
    OP_AT_KIND = 0,
    OP_AT_SPACE = 1,
    OP_AT_ZERO = 2,
    OP_AT_KEY_BYTES = 4,
    OP_AT_VALUE_BYTES = 8,
    OP_AT_EXPIRES = 12,
};

size_t record_bytes(size_t payload_bytes)
{
    return (RECORD_HEADER_BYTES + payload_bytes + RECORD_ALIGN - 1) &
           ~(size_t)(RECORD_ALIGN - 1);
}

size_t record_op_bytes(const struct record_op *op)
{
    return RECORD_OP_BYTES + op->key.len + op->value.len;
}

static uint8_t *put_bytes(uint8_t *to, struct bytes b)
{
    if (b.len)
        memcpy(to, b.data, b.len);
    return to + b.len;
}

uint8_t *record_op_write_head(uint8_t *to, const struct record_op *op)
{
    to[OP_AT_KIND] = (uint8_t)op->kind;
    to[OP_AT_SPACE] = (uint8_t)op->space;
    to[OP_AT_ZERO] = to[OP_AT_ZERO + 1] = 0;
    number_put_u32(to + OP_AT_KEY_BYTES, (uint32_t)op->key.len);
    number_put_u32(to + OP_AT_VALUE_BYTES, (uint32_t)op->value.len);
    number_put_u64(to + OP_AT_EXPIRES, (uint64_t)op->expires.ms);
    return put_bytes(to + RECORD_OP_BYTES, op->key);
}

uint8_t *record_op_write(uint8_t *to, const struct record_op *op)
{
    return put_bytes(record_op_write_head(to, op), op->value);
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

int record_op_read(struct bytes *rest, struct record_op *ret)
{
    if (rest->len == 0)
        return RECORD_END;
    if (rest->len < RECORD_OP_BYTES)
        return RECORD_BAD;
    const uint8_t *at = rest->data;
    size_t key_bytes = number_get_u32(at + OP_AT_KEY_BYTES);
    size_t value_bytes = number_get_u32(at + OP_AT_VALUE_BYTES);
    if (at[OP_AT_SPACE] > STORE_SYSTEM || at[OP_AT_ZERO] || at[OP_AT_ZERO + 1] ||
        key_bytes > LIMIT_KEY_BYTES || value_bytes > LIMIT_VALUE_BYTES ||
        key_bytes + value_bytes > rest->len - RECORD_OP_BYTES)
        return RECORD_BAD;
    struct record_op op = {
        .kind = (enum record_kind)at[OP_AT_KIND],
        .space = (enum store_space)at[OP_AT_SPACE],
        .key = bytes_make(at + RECORD_OP_BYTES, key_bytes),
        .value = bytes_make(at + RECORD_OP_BYTES + key_bytes, value_bytes),
        .expires = {(int64_t)number_get_u64(at + OP_AT_EXPIRES)},
    };
    if (!op_is_valid(&op))
        return RECORD_BAD;
    *ret = op;
    *rest = bytes_from(*rest, record_op_bytes(&op));
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
