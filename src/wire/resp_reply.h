#ifndef KITH_WIRE_RESP_REPLY_H
#define KITH_WIRE_RESP_REPLY_H

/* Replies of the Redis protocol, RESP2 and RESP3, as a client reads them: values in a flat
 * list, each aggregate followed by its elements, so nothing recurses. Text points into `in`. */

#include "base/bytes.h"

enum {
    RESP_REPLY_MORE = 1,
    RESP_REPLY_ERROR = 2, /* not the protocol, nested too deep, or past max_bytes */
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

struct resp_reply {
    struct resp_value *values; /* the first is the reply itself */
    size_t count, capacity;
    size_t max_bytes; /* bound on one reply, given at init */
};

void resp_reply_init(struct resp_reply *r, size_t max_bytes);
void resp_reply_fini(struct resp_reply *r);

/* One reply from the front of in; 0: values hold it until the next call or change of in.
 * -ENOMEM. Nesting is bounded at 16. */
int resp_reply_parse(struct resp_reply *r, struct bytes in, size_t *ret_consumed);

#endif
