#ifndef KITH_CLIENT_ENTRY_H
#define KITH_CLIENT_ENTRY_H

/* An entry of the table as a line of JSON (RFC 8259), as `kith export` writes and `kith import`
 * reads it:
 *
 *     {"key":"foo","value":"bar"}
 *     {"key":"tmp","value_base64":"/wA=","expires_ms":1790000000000}
 *
 * "key" and "value" are UTF-8; what is not is "key_base64", "value_base64" (RFC 4648, padded).
 * "expires_ms": when it ends, in ms since 1970, where it does. Other fields are refused: they
 * would be lost. */

#include "base/time.h"
#include "client/json.h"

struct entry {
    struct bytes key, value;
    struct walltime expires; /* 0: never */
};

/* Appends its line. What buffer_append returns. */
int entry_write(struct buffer *out, const struct entry *e);

struct entry_reader;

/* -ENOMEM. entry_reader_free takes NULL. */
int entry_reader_new(struct entry_reader **ret);
void entry_reader_free(struct entry_reader *r);

/* Reads a line. NULL: *ret holds until the next call. Else what is wrong with it, for people;
 * that holds as long. */
const char *entry_read(struct entry_reader *r, struct bytes line, struct entry *ret);

#endif
