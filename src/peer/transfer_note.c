#include "peer/transfer_note.h"

#include "base/number.h"
#include "peer/transfer_message.h"

#include <assert.h>

enum {
    TOKEN_AT = 1 + RANDOM_ID_BYTES,
    BEHIND_TOKEN = TOKEN_AT + RANDOM_ID_BYTES,
    FLAGS_AT = BEHIND_TOKEN + TRANSFER_SECRET_BYTES,
    NUMBERS_AT = FLAGS_AT + 1,
    NAME_AT = NUMBERS_AT + 3 * 8,
    OVER_BYTES = TOKEN_AT + 1
};

bool transfer_note_is(struct bytes message)
{
    return message.len > 0 && message.data[0] >= TRANSFER_NOTE_OFFER &&
           message.data[0] <= TRANSFER_NOTE_OVER;
}

static bool is_name(struct bytes name)
{
    return name.len > 0 && name.len <= TRANSFER_NAME_BYTES &&
           bytes_find(name, '\0') == name.len && bytes_find(name, '/') == name.len;
}

static bool is_amount(uint64_t n)
{
    return n <= INT64_MAX || n == TRANSFER_SIZE_UNKNOWN;
}

static int read_offer(struct bytes m, struct transfer_note *ret)
{
    if (m.len <= NAME_AT || !is_name(bytes_from(m, NAME_AT)))
        return TRANSFER_NOTE_MALFORMED;
    memcpy(ret->secret, m.data + BEHIND_TOKEN, sizeof ret->secret);
    ret->flags = m.data[FLAGS_AT];
    ret->entries = number_get_be64(m.data + NUMBERS_AT);
    ret->bytes = number_get_be64(m.data + NUMBERS_AT + 8);
    ret->tops = number_get_be64(m.data + NUMBERS_AT + 16);
    ret->name = bytes_from(m, NAME_AT);
    return ret->tops > 0 && is_amount(ret->entries) && is_amount(ret->bytes)
               ? 0
               : TRANSFER_NOTE_MALFORMED;
}

static int read_rest(struct bytes m, struct transfer_note *ret)
{
    if (m.len < BEHIND_TOKEN)
        return TRANSFER_NOTE_MALFORMED;
    memcpy(ret->token.bytes, m.data + TOKEN_AT, sizeof ret->token.bytes);
    if (ret->type == TRANSFER_NOTE_OFFER)
        return read_offer(m, ret);
    if (m.len != BEHIND_TOKEN + 1)
        return TRANSFER_NOTE_MALFORMED;
    ret->flags = m.data[BEHIND_TOKEN];
    return 0;
}

int transfer_note_read(struct bytes message, struct transfer_note *ret)
{
    struct transfer_note n = {0};
    int r = 0;
    if (!transfer_note_is(message) || message.len < TOKEN_AT)
        return TRANSFER_NOTE_MALFORMED;
    n.type = message.data[0];
    memcpy(n.id.bytes, message.data + 1, sizeof n.id.bytes);
    if (n.type != TRANSFER_NOTE_OVER)
        r = read_rest(message, &n);
    else if (message.len == OVER_BYTES)
        n.reason = message.data[TOKEN_AT];
    else
        r = TRANSFER_NOTE_MALFORMED;
    if (r == 0)
        *ret = n;
    return r;
}

static size_t write_offer(uint8_t *out, const struct transfer_note *n)
{
    assert(is_name(n->name));
    memcpy(out + BEHIND_TOKEN, n->secret, sizeof n->secret);
    out[FLAGS_AT] = n->flags;
    number_put_be64(out + NUMBERS_AT, n->entries);
    number_put_be64(out + NUMBERS_AT + 8, n->bytes);
    number_put_be64(out + NUMBERS_AT + 16, n->tops);
    memcpy(out + NAME_AT, n->name.data, n->name.len);
    return NAME_AT + n->name.len;
}

size_t transfer_note_write(uint8_t out[TRANSFER_NOTE_BYTES], const struct transfer_note *n)
{
    out[0] = n->type;
    memcpy(out + 1, n->id.bytes, sizeof n->id.bytes);
    if (n->type == TRANSFER_NOTE_OVER) {
        out[TOKEN_AT] = (uint8_t)n->reason;
        return OVER_BYTES;
    }
    memcpy(out + TOKEN_AT, n->token.bytes, sizeof n->token.bytes);
    if (n->type == TRANSFER_NOTE_OFFER)
        return write_offer(out, n);
    out[BEHIND_TOKEN] = n->flags;
    return BEHIND_TOKEN + 1;
}
