#include "hub/door.h"
#include "hub/hub.h"

#include "wire/text_request.h"

#include <assert.h>
#include <stdio.h>

/* A web page's request cannot begin as RESP does, but what it carries may be cut so that a line
 * of HTTP stands where an inline command may. */
static bool is_http(struct bytes message)
{
    assert(message.data); /* a command has bytes */
    if (message.data[0] == '*')
        return false;
    size_t n = bytes_find(message, '\n');
    if (n > 0 && message.data[n - 1] == '\r')
        n--;
    return text_is_http(bytes_first(message, n));
}

static int protocol_error(struct reply *reply, const char *problem)
{
    char text[128];
    snprintf(text, sizeof text, "Protocol error: %s", problem);
    reply_error(reply, "ERR", text);
    return DOOR_CLOSE;
}

int door_resp(struct connection *c, struct bytes in, struct reply *reply, size_t *ret_consumed)
{
    struct resp_args *args = &c->hub->args;
    const char *problem;
    size_t consumed, need;
    int r = resp_request_parse(&c->resp, args, in, &consumed, &need, &problem);
    if (r == RESP_MORE) {
        c->need = need;
        return DOOR_MORE;
    }
    if (r == RESP_ERROR) {
        *ret_consumed = in.len;
        return protocol_error(reply, problem);
    }
    if (r < 0 || is_http(bytes_first(in, consumed)))
        return DOOR_ABORT;
    *ret_consumed = consumed;
    if (args->argc == 0)
        return DOOR_DONE;
    struct call call = {c->hub, c, args->argv, args->argc, reply};
    switch (command_run(&call)) {
    case COMMAND_AGAIN_LOG:
        c->rests |= CONNECTION_RESTS_LOG;
        return DOOR_REST;
    case COMMAND_AGAIN_USER:
        c->rests |= CONNECTION_RESTS_USER;
        return DOOR_REST;
    default:
        return c->state == CONNECTION_DRAINING ? DOOR_CLOSE : DOOR_DONE;
    }
}
