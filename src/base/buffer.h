#ifndef KITH_BASE_BUFFER_H
#define KITH_BASE_BUFFER_H

/* A growing byte buffer, written at its end and consumed at its front. Every buffer has a
 * ceiling, given when it is made: nothing that arrives from outside grows without bound.
 *
 * Errors: -ENOMEM when memory is out, BUFFER_FULL when the ceiling would be passed. On
 * either the buffer is unchanged. A zeroed buffer is empty with a ceiling of 0.
 * Pointers into a buffer hold until the next call that may change it. */

#include "base/bytes.h"

#include <stdarg.h>

enum { BUFFER_FULL = 1 };

struct buffer {
    uint8_t *data;
    size_t start;    /* first byte not consumed */
    size_t end;      /* one past the last byte; start <= end <= capacity */
    size_t capacity; /* allocated */
    size_t max;      /* ceiling on end - start */
};

void buffer_init(struct buffer *b, size_t max);
void buffer_fini(struct buffer *b);

/* Gives the memory back; content is lost, the ceiling stays. */
void buffer_release(struct buffer *b);

static inline size_t buffer_len(const struct buffer *b)
{
    return b->end - b->start;
}

static inline struct bytes buffer_view(const struct buffer *b)
{
    return bytes_make(b->data ? b->data + b->start : NULL, b->end - b->start);
}

/* Makes room for n more bytes, with no more memory than that, for who knows how much will come.
 */
int buffer_reserve_exactly(struct buffer *b, size_t n);

/* Makes room for n more bytes and returns where they go; buffer_wrote says how many were. */
int buffer_reserve(struct buffer *b, size_t n, uint8_t **ret_space);
static inline void buffer_wrote(struct buffer *b, size_t n)
{
    b->end += n;
}

int buffer_append(struct buffer *b, const void *data, size_t n);

static inline int buffer_append_bytes(struct buffer *b, struct bytes data)
{
    return buffer_append(b, data.data, data.len);
}

int buffer_append_str(struct buffer *b, const char *s);
int buffer_printf(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops n bytes from the front, n <= buffer_len. */
void buffer_consume(struct buffer *b, size_t n);

/* Drops bytes from the end until len are left, len <= buffer_len. */
void buffer_truncate(struct buffer *b, size_t len);

#endif
