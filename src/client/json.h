#ifndef KITH_CLIENT_JSON_H
#define KITH_CLIENT_JSON_H

/* One JSON object on one line (RFC 8259), written field by field into a buffer. Text that is
 * not UTF-8 is not lost: "value" then becomes "value_base64" (RFC 4648). Characters that are
 * unsafe on a terminal are written as \u escapes.
 *
 * A call that fails is remembered; json_end returns the first failure. */

#include "base/buffer.h"

struct json {
    struct buffer *out;
    int failed; /* what the first append that failed returned */
    bool comma; /* a field was written */
};

struct json json_begin(struct buffer *out);
void json_bytes(struct json *j, const char *name, struct bytes value);
void json_str(struct json *j, const char *name, const char *value);
void json_number(struct json *j, const char *name, int64_t value);
void json_bool(struct json *j, const char *name, bool value);

/* An object inside: fields go into it until json_close. */
void json_open(struct json *j, const char *name);
void json_close(struct json *j);

/* Like json_bytes, with a name from outside. */
void json_pair(struct json *j, struct bytes name, struct bytes value);

/* Ends the line with LF. What buffer_append returns. */
int json_end(struct json *j);

#endif
