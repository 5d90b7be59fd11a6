#include "client/conversation.h"

#include "base/limits.h"
#include "wire/resp_write.h"

#include <errno.h>

/* Around the arguments of a request: its head, and a length and two line ends for each. */
#define CONVERSATION_FRAMING_BYTES (32 * LIMIT_RESP_ARGS)

/* An empty buffer of more than this is not kept. */
#define CONVERSATION_KEPT_BYTES LIMIT_MIB

void conversation_init(struct conversation *c, size_t reply_bytes_max)
{
    *c = (struct conversation){0};
    buffer_init(&c->out, LIMIT_RESP_COMMAND_BYTES + CONVERSATION_FRAMING_BYTES);
    buffer_init(&c->in, reply_bytes_max);
    resp_reply_init(&c->reply, reply_bytes_max);
}

void conversation_fini(struct conversation *c)
{
    buffer_fini(&c->out);
    buffer_fini(&c->in);
    resp_reply_fini(&c->reply);
}

int conversation_ask(struct conversation *c, const struct bytes *argv, size_t argc)
{
    size_t before = buffer_len(&c->out);
    int r = resp_write_request(&c->out, argv, argc);
    if (r != 0) {
        buffer_truncate(&c->out, before);
        return r == BUFFER_FULL ? -E2BIG : r;
    }
    c->unanswered++;
    return 0;
}

static void consume(struct buffer *b, size_t n)
{
    buffer_consume(b, n);
    if (buffer_len(b) == 0 && b->capacity > CONVERSATION_KEPT_BYTES)
        buffer_release(b);
}

void conversation_sent(struct conversation *c, size_t n)
{
    consume(&c->out, n);
}

static void drop_taken(struct conversation *c)
{
    if (c->taken > 0)
        consume(&c->in, c->taken);
    c->taken = 0;
}

int conversation_feed(struct conversation *c, struct bytes data)
{
    drop_taken(c);
    int r = buffer_append_bytes(&c->in, data);
    return r == BUFFER_FULL ? CONVERSATION_FOREIGN : r;
}

int conversation_next(struct conversation *c, const struct resp_value **ret_values,
                      size_t *ret_count)
{
    drop_taken(c);
    size_t consumed;
    int r = resp_reply_parse(&c->reply, buffer_view(&c->in), &consumed);
    if (r == RESP_REPLY_MORE)
        return CONVERSATION_MORE;
    if (r != 0)
        return r < 0 ? r : CONVERSATION_FOREIGN;
    bool is_push = c->reply.values[0].kind == RESP_PUSH;
    if (!is_push && c->unanswered == 0)
        return CONVERSATION_FOREIGN;
    c->taken = consumed;
    c->unanswered -= !is_push;
    *ret_values = c->reply.values;
    *ret_count = c->reply.count;
    return 0;
}
