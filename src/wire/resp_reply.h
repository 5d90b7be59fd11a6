#ifndef KITH_WIRE_RESP_REPLY_H
#define KITH_WIRE_RESP_REPLY_H

/* Replies of the Redis protocol, RESP2 and RESP3, as a client reads them: values in a flat
 * list, each aggregate followed by its elements, so nothing recurses. Text points into `in`.
 * Attributes and streamed types are not spoken.
 *
 * `in` always begins at the first byte of a reply and holds everything that came since; work
 * is linear in it however it is cut. */

#include "base/bytes.h"

enum {
    RESP_REPLY_MORE = 1,
    RESP_REPLY_ERROR = 2, /* not the protocol, nested too deep, past max_bytes or
                             LIMIT_REPLY_VALUES */
};

enum resp_kind {
    RESP_STATUS,
    RESP_FAILURE, /* an error reply */
    RESP_INTEGER,
    RESP_BULK, /* also RESP3's verbatim string, big number and double, as their text */
    RESP_NULL,
    RESP_ARRAY, /* also a set */
    RESP_MAP,   /* elements are key, value, key, value ... */
    RESP_PUSH,  /* an array out of turn */
    RESP_BOOLEAN,
};

struct resp_value {
    enum resp_kind kind;
    struct bytes text; /* STATUS, FAILURE, BULK */
    int64_t number; /* INTEGER, BOOLEAN; elements that follow for ARRAY, MAP (2 a pair), PUSH */
};

enum { RESP_REPLY_DEPTH_MAX = 16 };

/* Where a reply stands that is not whole yet. */
struct resp_reply_place {
    size_t at;       /* offset of the next value */
    size_t searched; /* bytes of `in` known to hold no LF that ends that value's first line */
    size_t values;   /* passed */
    size_t depth;    /* aggregates open */
    size_t left[RESP_REPLY_DEPTH_MAX]; /* of each, elements still to come */
};

struct resp_reply {
    struct resp_value *values; /* the first is the reply itself */
    size_t count, capacity;
    size_t max_bytes; /* bound on one reply, given at init */
    struct resp_reply_place place;
};

void resp_reply_init(struct resp_reply *r, size_t max_bytes);
void resp_reply_fini(struct resp_reply *r);

/* One reply from the front of in; 0: values hold it until the next call or change of in.
 * -ENOMEM. After
 * RESP_REPLY_ERROR the stream is lost. Nesting is bounded at RESP_REPLY_DEPTH_MAX. */
int resp_reply_parse(struct resp_reply *r, struct bytes in, size_t *ret_consumed);

#endif
