#include "hub/door.h"

#include "hub/hub.h"

#include "base/log_line.h"

enum { HANDSHAKE_BYTE = 0x16, SNIFF_DIGITS_MAX = 10 };

/* '*', digits, CR LF; anything else that begins with '*' is text. */
static enum door sniff_star(struct bytes in, bool ended)
{
    size_t n = 1;
    while (n < in.len && in.data[n] >= '0' && in.data[n] <= '9')
        n++;
    if (n > 1 + SNIFF_DIGITS_MAX)
        return DOOR_TEXT;
    if (n == in.len || (n + 1 == in.len && in.data[n] == '\r' && n > 1))
        return ended ? DOOR_TEXT : DOOR_UNDECIDED;
    return n > 1 && in.data[n] == '\r' && in.data[n + 1] == '\n' ? DOOR_RESP : DOOR_TEXT;
}

enum door door_sniff(struct bytes in, bool ended)
{
    if (in.len == 0)
        return DOOR_UNDECIDED;
    if (in.data[0] == HANDSHAKE_BYTE)
        return DOOR_TLS;
    if (in.data[0] == '*')
        return sniff_star(in, ended);
    return in.data[0] < 0x20 ? DOOR_NONE : DOOR_TEXT;
}

int door_run(struct call *call)
{
    struct connection *c = call->connection;
    switch (command_run(call)) {
    case COMMAND_AGAIN_LOG:
        c->rests |= CONNECTION_RESTS_LOG;
        return DOOR_REST;
    case COMMAND_AGAIN_TURN:
        c->rests |= CONNECTION_RESTS_TURN;
        hub_put_off(c);
        return DOOR_PIECE;
    case COMMAND_AGAIN_JOB:
        c->rests |= CONNECTION_RESTS_JOB;
        return DOOR_REST;
    case COMMAND_AGAIN_USER:
        c->rests |= CONNECTION_RESTS_USER;
        return DOOR_REST;
    default:
        return c->state == CONNECTION_DRAINING ? DOOR_CLOSE : DOOR_DONE;
    }
}

int door_refuse_http(struct connection *c)
{
    struct log_line line =
        log_line_begin(&c->hub->log, LOG_WARNING, "closed a connection that speaks HTTP");
    log_line_number(&line, "connection", (int64_t)c->id);
    log_line_end(&line);
    return DOOR_CLOSE;
}
