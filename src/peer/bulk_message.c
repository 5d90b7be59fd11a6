#include "peer/bulk_message.h"

#include "base/number.h"

#include <assert.h>

enum { TAKEN_BYTES = 8 };

int bulk_message_read(struct bytes message, struct bulk_message *ret)
{
    if (message.len < BULK_HEAD_BYTES)
        return BULK_MESSAGE_MALFORMED;
    struct bulk_message m = {.type = message.data[0]};
    struct bytes rest = bytes_from(message, BULK_HEAD_BYTES);
    memcpy(m.token.bytes, message.data + 1, sizeof m.token.bytes);
    if (m.type == BULK_DATA && rest.len > 0 && rest.len <= BULK_DATA_BYTES)
        m.data = rest;
    else if (m.type == BULK_TAKEN && rest.len == TAKEN_BYTES)
        m.taken = number_get_be64(rest.data);
    else if (m.type != BULK_END || rest.len > 0)
        return BULK_MESSAGE_MALFORMED;
    *ret = m;
    return 0;
}

int bulk_message_write(struct buffer *out, const struct bulk_message *m)
{
    uint8_t head[BULK_HEAD_BYTES + TAKEN_BYTES] = {(uint8_t)m->type};
    assert(m->type != BULK_DATA || (m->data.len > 0 && m->data.len <= BULK_DATA_BYTES));
    memcpy(head + 1, m->token.bytes, sizeof m->token.bytes);
    number_put_be64(head + BULK_HEAD_BYTES, m->taken);
    int r = buffer_append(out, head, m->type == BULK_TAKEN ? sizeof head : BULK_HEAD_BYTES);
    return r == 0 && m->type == BULK_DATA ? buffer_append_bytes(out, m->data) : r;
}
