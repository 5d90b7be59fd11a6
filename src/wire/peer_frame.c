#include "wire/peer_frame.h"

#include "base/limits.h"
#include "base/number.h"

int peer_frame_parse(struct bytes in, size_t max, size_t *ret_consumed, struct peer_frame *ret)
{
    if (in.len < 4)
        return PEER_FRAME_MORE;
    size_t len = number_get_be32(in.data);
    if (len > max)
        return PEER_FRAME_TOO_LONG;
    if (in.len - 4 < len + 1)
        return PEER_FRAME_MORE;
    ret->type = in.data[4];
    ret->payload = bytes_make(in.data + PEER_FRAME_HEAD_BYTES, len);
    *ret_consumed = PEER_FRAME_HEAD_BYTES + len;
    return 0;
}

static uint8_t *put(uint8_t *to, struct bytes b)
{
    if (b.len > 0)
        memcpy(to, b.data, b.len);
    return to + b.len;
}

int peer_frame_write_two(struct buffer *out, uint8_t type, struct bytes first,
                         struct bytes second)
{
    size_t len = first.len + second.len;
    assert(len <= LIMIT_PEER_FRAME_BYTES);
    uint8_t *to;
    int r = buffer_reserve(out, PEER_FRAME_HEAD_BYTES + len, &to);
    if (r != 0)
        return r;
    number_put_be32(to, (uint32_t)len);
    to[4] = type;
    put(put(to + PEER_FRAME_HEAD_BYTES, first), second);
    buffer_wrote(out, PEER_FRAME_HEAD_BYTES + len);
    return 0;
}

int peer_frame_write(struct buffer *out, uint8_t type, struct bytes payload)
{
    return peer_frame_write_two(out, type, payload, bytes_make(NULL, 0));
}
