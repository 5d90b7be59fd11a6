#include "peer/compare.h"

#include "base/limits.h"
#include "peer/talk.h"

#define BIT(n) (1u << (n))

/* Which states may follow which. */
static const unsigned may_follow[] = {
    [COMPARE_IDLE] = BIT(COMPARE_UNDER_WAY) | BIT(COMPARE_WRONG),
    [COMPARE_UNDER_WAY] = BIT(COMPARE_IDLE) | BIT(COMPARE_WRONG),
    [COMPARE_WRONG] = 0,
};

static void set_state(struct compare *c, enum compare_state state)
{
    assert(may_follow[c->state] & BIT(state));
    c->state = state;
    if (state != COMPARE_UNDER_WAY)
        c->by = INSTANT_NEVER;
}

void compare_init(struct compare *c, const struct pair *pair, bool person)
{
    *c = (struct compare){.pair = *pair, .person = person, .by = INSTANT_NEVER};
}

void compare_fini(struct compare *c)
{
    words_fini(&c->words);
}

static int begin(struct compare *c, const uint8_t nonce[WORDS_NONCE_BYTES], struct buffer *out)
{
    int r = words_init(&c->words, &c->pair, nonce, out);
    if (r == 0)
        set_state(c, COMPARE_UNDER_WAY);
    return r;
}

int compare_begin(struct compare *c, const uint8_t nonce[WORDS_NONCE_BYTES], struct instant now,
                  struct buffer *out)
{
    int r = c->state == COMPARE_IDLE ? begin(c, nonce, out) : 0;
    if (r == 0 && c->state == COMPARE_UNDER_WAY)
        c->by = instant_after_ms(now, LIMIT_WORDS_MS);
    return r;
}

static int refuse(struct buffer *out)
{
    const uint8_t type = TALK_WORDS_REFUSE;
    return buffer_append(out, &type, 1);
}

static int take_words(struct compare *c, struct bytes message, struct buffer *out,
                      enum compare_event *ret)
{
    int r = words_feed(&c->words, message, out);
    if (r != 0) {
        set_state(c, COMPARE_WRONG);
        *ret = COMPARE_FAILED;
    } else if (c->words.state == WORDS_SHOWN) {
        set_state(c, COMPARE_IDLE);
        *ret = COMPARE_SHOWN;
    }
    return r == WORDS_WRONG ? 0 : r;
}

static void take_refusal(struct compare *c, enum compare_event *ret)
{
    if (c->state == COMPARE_UNDER_WAY && c->words.state == WORDS_COMMITTED) {
        set_state(c, COMPARE_IDLE);
        *ret = COMPARE_REFUSED;
    }
}

static void take_difference(const struct compare *c, enum compare_event *ret)
{
    if (c->words.state == WORDS_SHOWN)
        *ret = COMPARE_DIFFER;
}

int compare_hear(struct compare *c, struct bytes message,
                 const uint8_t nonce[WORDS_NONCE_BYTES], struct buffer *out,
                 enum compare_event *ret)
{
    uint8_t type = message.len > 0 ? message.data[0] : 0;
    *ret = COMPARE_NOTHING;
    if (type == TALK_WORDS_REFUSE)
        take_refusal(c, ret);
    else if (type == TALK_WORDS_DIFFER)
        take_difference(c, ret);
    if (type != TALK_WORDS_COMMIT && type != TALK_WORDS_REVEAL)
        return 0;
    if (type == TALK_WORDS_COMMIT && !c->person)
        return refuse(out);
    int r = type == TALK_WORDS_COMMIT && c->state == COMPARE_IDLE ? begin(c, nonce, out) : 0;
    if (r == 0 && c->state == COMPARE_IDLE)
        *ret = COMPARE_FAILED; /* a nonce that nobody has asked for */
    if (*ret == COMPARE_FAILED || r != 0)
        set_state(c, COMPARE_WRONG);
    return c->state == COMPARE_WRONG ? r : take_words(c, message, out, ret);
}

size_t compare_message_len(struct bytes messages)
{
    return messages.data[0] == TALK_WORDS_REFUSE ? 1 : WORDS_MESSAGE_BYTES;
}

bool compare_is_late(struct compare *c, struct instant now)
{
    if (now.ns < c->by.ns)
        return false;
    c->by = INSTANT_NEVER;
    return true;
}
