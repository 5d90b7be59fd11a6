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

/* Large arguments are handed on by reference, where they lie in memory of the connection. */
static int share_arguments(struct connection *c, struct bytes in, size_t consumed)
{
    struct resp_args *args = &c->hub->args;
    if (!c->inbox || inbox_view(c->inbox).data != in.data)
        return 0;
    return inbox_share(c->inbox, consumed, args->argv, args->argc);
}

/* One of several that were parsed at once. */
static int run_ahead(struct connection *c, const struct ahead_command *next,
                     struct reply *reply, size_t *ret_consumed)
{
    struct call call = {.hub = c->hub,
                        .connection = c,
                        .command = next->command,
                        .argv = ahead_argv(&c->hub->ahead, next),
                        .argc = next->argc,
                        .reply = reply};
    *ret_consumed = next->consumed;
    return door_run(&call);
}

int door_resp(struct connection *c, struct bytes in, struct reply *reply, size_t *ret_consumed)
{
    struct resp_args *args = &c->hub->args;
    const struct ahead_command *next = c->resp.partial ? NULL : ahead_take(c->hub, in);
    if (next)
        return run_ahead(c, next, reply, ret_consumed);
    if (in.len < resp_request_need(&c->resp))
        return DOOR_MORE;
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
    if (r == RESP_MORE)
        return DOOR_MORE;
    /* A web page cannot begin as RESP does, but may get a line in where inline commands may be.
     */
    if (args->line.len > 0 && text_is_http(args->line))
        return door_refuse_http(c);
    *ret_consumed = consumed;
    if (args->argc == 0)
        return DOOR_DONE;
    if (consumed > LIMIT_LARGE_BYTES && share_arguments(c, in, consumed) != 0)
        return DOOR_ABORT;
    struct call call = {.hub = c->hub,
                        .connection = c,
                        .command = command_find(&c->hub->commands, args->argv[0]),
                        .argv = args->argv,
                        .argc = args->argc,
                        .reply = reply};
    return door_run(&call);
}
