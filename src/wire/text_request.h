#ifndef KITH_WIRE_TEXT_REQUEST_H
#define KITH_WIRE_TEXT_REQUEST_H

/* What a text message asks for. The list is closed and upper-case: whatever is not exactly
 * one of these shapes is an echo. Blanks are spaces and tabs.
 *
 *     STORE key = value    first word STORE; the first '=' separates; blanks around key and
 *                          value do not count, blanks inside the value do
 *     GET key              first word GET
 *     QUIT                 first word QUIT
 *     NAME=X               X is 1 to LIMIT_NAME_BYTES bytes of clean text, not blank at its
 *                          ends
 *     REPLIES full|terse   byte for byte, as is
 *     WATCH prefix         one word, byte for byte
 *     UNWATCH
 *     #HELP
 *
 * A message with the first word STORE or GET is never an echo: where its shape is wrong it is
 * TEXT_STORE or TEXT_GET with a problem. All bytes point into the message. */

#include "base/bytes.h"

enum text_verb {
    TEXT_ECHO,
    TEXT_STORE,
    TEXT_GET,
    TEXT_QUIT,
    TEXT_NAME,
    TEXT_REPLIES,
    TEXT_WATCH,
    TEXT_UNWATCH,
    TEXT_HELP,
    TEXT_HTTP, /* looks like HTTP: close, and read nothing that follows */
};

struct text_request {
    enum text_verb verb;
    struct bytes key;    /* STORE, GET: may be of any shape where problem is set */
    struct bytes value;  /* STORE: the value; NAME: the name; WATCH: the prefix; ECHO: the whole
                            message */
    const char *problem; /* STORE, GET: why it cannot be done, static; else NULL */
    bool full;           /* REPLIES: full asked for */
};

/* Never fails: every message means something. */
struct text_request text_request_parse(struct bytes message);

/* A request line or a header line of HTTP: METHOD path HTTP/..., HTTP/..., Host: (any case).
 * STORE is no method: "STORE k= HTTP/1.1" stores. */
bool text_is_http(struct bytes message);

/* Why text cannot carry this value (empty, or CR, LF or NUL in it), static; NULL if it can. */
const char *text_value_problem(struct bytes value);

#endif
