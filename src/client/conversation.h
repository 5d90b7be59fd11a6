#ifndef KITH_CLIENT_CONVERSATION_H
#define KITH_CLIENT_CONVERSATION_H

/* A client's side of a RESP connection: requests go out, replies come back in their order.
 * Pushes come out of turn, once they were asked for (RESP3). Whoever owns the connection sends
 * conversation_output and feeds what arrives. Memory that one large message took is given back
 * after it. */

#include "base/buffer.h"
#include "wire/resp_reply.h"

enum {
    CONVERSATION_MORE = 1,    /* the next reply is not whole yet */
    CONVERSATION_FOREIGN = 2, /* what arrived is not a hub's reply: the connection is lost */
};

struct conversation {
    struct buffer out;
    struct buffer in;
    struct resp_reply reply;
    size_t taken;      /* bytes of in that the last reply handed out came from */
    size_t unanswered; /* requests made whose replies were not yet taken */
};

/* A reply of more than reply_bytes_max is CONVERSATION_FOREIGN. */
void conversation_init(struct conversation *c, size_t reply_bytes_max);
void conversation_fini(struct conversation *c);

/* Adds a request. -ENOMEM; -E2BIG where its size is past what a hub takes. */
int conversation_ask(struct conversation *c, const struct bytes *argv, size_t argc);

/* A push was the answer to a request, as it is to FOLLOW. */
static inline void conversation_settle(struct conversation *c)
{
    assert(c->unanswered > 0);
    c->unanswered--;
}

/* What is to be sent; conversation_sent drops n bytes of it. */
static inline struct bytes conversation_output(const struct conversation *c)
{
    return buffer_view(&c->out);
}
void conversation_sent(struct conversation *c, size_t n);

/* Takes what arrived. -ENOMEM; CONVERSATION_FOREIGN past a reply's greatest size. */
int conversation_feed(struct conversation *c, struct bytes data);

/* The next reply, its values (see wire/resp_reply.h) holding until the next call for c. A
 * reply nobody asked for, and that is no push, is CONVERSATION_FOREIGN. -ENOMEM. */
int conversation_next(struct conversation *c, const struct resp_value **ret_values,
                      size_t *ret_count);

#endif
