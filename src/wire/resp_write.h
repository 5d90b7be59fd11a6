#ifndef KITH_WIRE_RESP_WRITE_H
#define KITH_WIRE_RESP_WRITE_H

/* Writing the Redis protocol: replies of the hub, requests of clients. version is 2 or 3 and
 * matters only where the two differ. Everything is appended to a buffer; returns what
 * buffer_append returns. Status and error texts must hold no CR or LF: those are written as
 * blanks. */

#include "base/buffer.h"

int resp_write_status(struct buffer *out, const char *text); /* +OK */
int resp_write_error(struct buffer *out, const char *text);  /* -ERR why */
int resp_write_integer(struct buffer *out, int64_t value);   /* :1 */
int resp_write_bulk(struct buffer *out, struct bytes value); /* $3 CR LF foo */
int resp_write_bulk_length(struct buffer *out, size_t n); /* $3 CR LF; those and CR LF follow */
int resp_write_null_array(struct buffer *out, int version);         /* *-1 or _ */
int resp_write_null(struct buffer *out, int version);               /* $-1 or _ */
int resp_write_array(struct buffer *out, size_t count);             /* *2; elements follow */
int resp_write_push(struct buffer *out, size_t count, int version); /* >2, or an array */
int resp_write_map(struct buffer *out, size_t pairs, int version);  /* %2, or an array of 4 */

/* A whole request: an array of bulk strings. */
int resp_write_request(struct buffer *out, const struct bytes *argv, size_t argc);

#endif
