#include "hub/door.h"
#include "hub/hub.h"

#include "base/limits.h"
#include "wire/text_request.h"

#include <stdio.h>

static int protocol_error(struct reply *reply, const char *problem)
{
    char text[128];
    snprintf(text, sizeof text, "Protocol error: %s", problem);
    reply_error(reply, "ERR", text);
    return DOOR_CLOSE;
}

/* Who may only echo is not given room for more. */
static bool is_too_long_for_guest(const struct connection *c, size_t len)
{
    return len > LIMIT_GUEST_MESSAGE_BYTES &&
           access_is_guest(&c->hub->shared->config, &c->peer);
}

int door_resp(struct connection *c, struct bytes in, struct reply *reply, size_t *ret_consumed)
{
    struct resp_args *args = &c->hub->args;
    const char *problem;
    size_t consumed, need;
    int r = resp_request_parse(&c->resp, args, in, &consumed, &need, &problem);
    if (r == RESP_ERROR) {
        *ret_consumed = in.len;
        return protocol_error(reply, problem);
    }
    if (r < 0)
        return DOOR_ABORT;
    if (is_too_long_for_guest(c, r == RESP_MORE ? need : consumed)) {
        *ret_consumed = in.len;
        return protocol_error(reply, "the command is too long");
    }
    if (r == RESP_MORE) {
        c->need = need;
        return DOOR_MORE;
    }
    /* A web page cannot begin as RESP does, but may get a line in where inline commands may be.
     */
    if (text_is_http(args->line))
        return door_refuse_http(c);
    *ret_consumed = consumed;
    if (args->argc == 0)
        return DOOR_DONE;
    struct call call = {c->hub, c, args->argv, args->argc, reply};
    return door_run(&call);
}
