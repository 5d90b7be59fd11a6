#include "wire/field.h"

#include "base/number.h"

enum { HEAD_BYTES = 4 };

int field_append(struct buffer *out, struct bytes field)
{
    uint8_t *to;
    if (field.len > UINT32_MAX)
        return BUFFER_FULL;
    int r = buffer_reserve(out, HEAD_BYTES + field.len, &to);
    if (r != 0)
        return r;
    number_put_u32(to, (uint32_t)field.len);
    if (field.len > 0)
        memcpy(to + HEAD_BYTES, field.data, field.len);
    buffer_wrote(out, HEAD_BYTES + field.len);
    return 0;
}

int field_append_number(struct buffer *out, uint64_t number)
{
    uint8_t bytes[8];
    number_put_u64(bytes, number);
    return field_append(out, bytes_make(bytes, sizeof bytes));
}

bool field_next(struct bytes *rest, struct bytes *ret)
{
    if (rest->len < HEAD_BYTES)
        return false;
    size_t len = number_get_u32(rest->data);
    if (len > rest->len - HEAD_BYTES)
        return false;
    *ret = bytes_make(rest->data + HEAD_BYTES, len);
    *rest = bytes_from(*rest, HEAD_BYTES + len);
    return true;
}

bool field_next_number(struct bytes *rest, uint64_t *ret)
{
    struct bytes before = *rest, field;
    if (!field_next(rest, &field))
        return false;
    if (field.len != 8) {
        *rest = before;
        return false;
    }
    *ret = number_get_u64(field.data);
    return true;
}

bool field_next_text(struct bytes *rest, char *out, size_t cap)
{
    struct bytes before = *rest, field;
    if (!field_next(rest, &field))
        return false;
    if (bytes_find(field, '\0') < field.len) {
        *rest = before;
        return false;
    }
    size_t n = field.len < cap - 1 ? field.len : cap - 1;
    if (n > 0)
        memcpy(out, field.data, n);
    out[n] = '\0';
    return true;
}
