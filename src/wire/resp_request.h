#ifndef KITH_WIRE_RESP_REQUEST_H
#define KITH_WIRE_RESP_REQUEST_H

/* Requests of the Redis protocol (RESP2 and RESP3 ask alike; see the "Redis serialization
 * protocol specification", section "Sending commands to a Redis server").
 *
 *     *2 CR LF $3 CR LF GET CR LF $1 CR LF k CR LF      an array of bulk strings
 *     GET k CR LF                                       inline: words, quotes as in redis-cli
 *
 * Input is parsed in place: `in` always begins at the first byte of a command and holds
 * everything that came since. Arguments point into `in` (inline ones with quotes into the
 * argument list's own scratch) and hold until the next call or change of `in`.
 *
 * Work is linear in the input however it is cut: an incomplete command leaves its place in
 * the parser (allocated only while one is incomplete; idle, a parser is one pointer). */

#include "base/buffer.h"

enum {
    RESP_MORE = 1,  /* not whole yet */
    RESP_ERROR = 2, /* not the protocol, or past a limit: the stream is lost */
};

/* The arguments of one command: a scratch list, one for each worker. */
struct resp_args {
    struct bytes *argv;
    size_t argc, capacity;
    struct bytes line;      /* an inline command as it came, without its ending; else empty */
    struct buffer unquoted; /* unescaped inline arguments */
    char problem[sizeof "expected '$', got 'x'"];
};

struct resp_partial; /* where an incomplete command stands */

struct resp_request {
    struct resp_partial *partial; /* NULL between commands */
};

void resp_args_init(struct resp_args *args);
void resp_args_fini(struct resp_args *args);

void resp_request_init(struct resp_request *r);
void resp_request_fini(struct resp_request *r);

/* Parses one command. 0: args holds it; argc is 0 for an empty array or a blank inline line,
 * which is no command and gets no answer. RESP_ERROR: *ret_problem says why, as Redis words it
 * after "ERR Protocol error: "; it holds until the next call. RESP_MORE: *ret_need is how many
 * bytes `in` must hold before another call can get further (at least in.len + 1); resp_request
 * may be called earlier. -ENOMEM. Only on 0 is *ret_consumed set. */
int resp_request_parse(struct resp_request *r, struct resp_args *args, struct bytes in,
                       size_t *ret_consumed, size_t *ret_need, const char **ret_problem);

/* Adds the arguments of one array to args, which keeps what is in it, where all of it stands at
 * the front of in, and is no larger than bytes_max; else false, and args is as it was. Leaves
 * no place in any parser: it is to look ahead. */
bool resp_request_glance(struct resp_args *args, struct bytes in, size_t bytes_max,
                         size_t *ret_consumed);

/* What *ret_need was while a command is incomplete; 0 between commands. */
size_t resp_request_need(const struct resp_request *r);

#endif
