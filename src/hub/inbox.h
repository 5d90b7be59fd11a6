#ifndef KITH_HUB_INBOX_H
#define KITH_HUB_INBOX_H

/* A connection's input that waits: the beginning of a message, or what may not run yet.
 *
 * A message with large arguments becomes memory shared by reference: what was received is
 * never copied again, into the table or on its way to other clients. It stands apart then,
 * before everything else, and does not move until it is consumed, however often it runs. */

#include "base/blob.h"
#include "base/buffer.h"
#include "base/time.h"

struct inbox_argument; /* a large one of the shared message */

struct inbox {
    struct buffer bytes;  /* begins at a message's first byte */
    struct bytes message; /* the shared message; none: no data */
    struct blob *blob;    /* its memory */
    struct inbox_argument *arguments;
    size_t argument_count;
    struct blob_garbage *garbage; /* where its memory goes once it is shared */
    struct instant silent_since;  /* for the connection: last input, while silence may end it */
};

/* NULL: out of memory. */
struct inbox *inbox_new(struct blob_garbage *garbage);
void inbox_free(struct inbox *b); /* takes NULL */

/* More input; what lies at inbox_space already is not copied. BUFFER_FULL, -ENOMEM. */
int inbox_append(struct inbox *b, struct bytes in);

/* The message at the front will be `total` bytes long: where more of it can be put, at most
 * LIMIT_LARGE_READ_BYTES and no more than is missing. Nothing where memory is out, or not much
 * is missing: then the input takes the usual way. */
size_t inbox_space(struct inbox *b, size_t total, uint8_t **ret_space);

/* What is to run next: the shared message alone, else everything. */
struct bytes inbox_view(const struct inbox *b);

/* Drops n bytes from its front; all of it, where it is the shared message. */
void inbox_consume(struct inbox *b, size_t n);

static inline size_t inbox_len(const struct inbox *b)
{
    return b ? b->message.len + buffer_len(&b->bytes) : 0;
}

/* The message of n bytes at the front has these arguments: makes those that are large lie in
 * blobs, and argv point there. Again for the same message: the very same blobs. -ENOMEM. */
int inbox_share(struct inbox *b, size_t n, struct bytes *argv, size_t argc);

/* The blob in which this argument, as inbox_share left it, lies; NULL: in none. */
struct blob *inbox_blob(const struct inbox *b, struct bytes argument);

#endif
