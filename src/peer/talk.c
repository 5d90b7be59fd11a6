#include "peer/talk.h"

#include "base/limits.h"
#include "base/number.h"
#include "base/utf8.h"

enum { HEAD_BYTES = 9 };

static bool is_text(struct bytes text)
{
    return text.len > 0 && text.len <= LIMIT_TALK_TEXT_BYTES && utf8_is_valid(text);
}

static int write(struct buffer *out, uint8_t type, uint64_t id, struct bytes text)
{
    uint8_t *to;
    int r = buffer_reserve(out, HEAD_BYTES + text.len, &to);
    if (r != 0)
        return r;
    to[0] = type;
    number_put_be64(to + 1, id);
    if (text.len > 0)
        memcpy(to + HEAD_BYTES, text.data, text.len);
    buffer_wrote(out, HEAD_BYTES + text.len);
    return 0;
}

int talk_say(struct talk *t, struct bytes text, struct buffer *out, uint64_t *ret_id)
{
    if (!is_text(text))
        return TALK_INVALID;
    int r = write(out, TALK_TEXT, t->said + 1, text);
    if (r == 0)
        *ret_id = ++t->said;
    return r;
}

static int hear_text(struct talk *t, uint64_t id, struct bytes text)
{
    if (id != t->heard + 1 || !is_text(text))
        return TALK_MALFORMED;
    t->heard = id;
    return 0;
}

static int hear_delivered(struct talk *t, uint64_t id, struct bytes rest)
{
    if (rest.len > 0 || id <= t->delivered || id > t->said)
        return TALK_MALFORMED;
    t->delivered = id;
    return 0;
}

int talk_hear(struct talk *t, struct bytes message, struct talk_event *ret)
{
    if (message.len == 0)
        return TALK_MALFORMED;
    uint8_t type = message.data[0];
    if (type != TALK_TEXT && type != TALK_DELIVERED) {
        *ret = (struct talk_event){.type = TALK_EVENT_OTHER, .other = type};
        return 0;
    }
    if (message.len < HEAD_BYTES)
        return TALK_MALFORMED;
    uint64_t id = number_get_be64(message.data + 1);
    struct bytes rest = bytes_from(message, HEAD_BYTES);
    int r = type == TALK_TEXT ? hear_text(t, id, rest) : hear_delivered(t, id, rest);
    if (r == 0)
        *ret = (struct talk_event){.type = type == TALK_TEXT ? TALK_EVENT_TEXT
                                                             : TALK_EVENT_DELIVERED,
                                   .id = id,
                                   .text = rest};
    return r;
}

int talk_show(struct talk *t, uint64_t id, struct buffer *out)
{
    if (id <= t->shown || id > t->heard)
        return 0;
    int r = write(out, TALK_DELIVERED, id, bytes_make(NULL, 0));
    if (r == 0)
        t->shown = id;
    return r;
}
