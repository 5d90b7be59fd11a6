#include "base/buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFER_FIRST_BYTES = 256 };

void buffer_init(struct buffer *b, size_t max)
{
    *b = (struct buffer){.max = max};
}

void buffer_fini(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

void buffer_release(struct buffer *b)
{
    size_t max = b->max;
    buffer_fini(b);
    b->max = max;
}

static void slide_to_front(struct buffer *b)
{
    if (b->start == 0)
        return;
    memmove(b->data, b->data + b->start, buffer_len(b));
    b->end -= b->start;
    b->start = 0;
}

static int grow(struct buffer *b, size_t need)
{
    size_t capacity = b->capacity ? b->capacity : BUFFER_FIRST_BYTES;
    while (capacity < need)
        capacity = capacity > b->max / 2 ? need : capacity * 2;
    uint8_t *data = realloc(b->data, capacity);
    if (!data)
        return -ENOMEM;
    b->data = data;
    b->capacity = capacity;
    return 0;
}

int buffer_reserve(struct buffer *b, size_t n, uint8_t **ret_space)
{
    size_t len = buffer_len(b);
    if (n > b->max || len > b->max - n)
        return BUFFER_FULL;
    if (b->capacity - b->end < n) {
        /* Sliding is paid for by the bytes consumed since the last slide. */
        if (b->start >= len)
            slide_to_front(b);
        if (b->capacity - b->end < n) {
            slide_to_front(b);
            int r = b->capacity - b->end < n ? grow(b, len + n) : 0;
            if (r < 0)
                return r;
        }
    }
    *ret_space = b->data ? b->data + b->end : NULL;
    return 0;
}

int buffer_append(struct buffer *b, const void *data, size_t n)
{
    if (n == 0)
        return 0;
    uint8_t *space;
    int r = buffer_reserve(b, n, &space);
    if (r != 0)
        return r;
    assert(space); /* n is not 0 */
    memcpy(space, data, n);
    b->end += n;
    return 0;
}

int buffer_append_str(struct buffer *b, const char *s)
{
    return buffer_append(b, s, strlen(s));
}

int buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return -EINVAL;
    uint8_t *space;
    int r = buffer_reserve(b, (size_t)n + 1, &space);
    if (r != 0)
        return r;
    va_start(args, format);
    vsnprintf((char *)space, (size_t)n + 1, format, args);
    va_end(args);
    b->end += (size_t)n;
    return 0;
}

void buffer_consume(struct buffer *b, size_t n)
{
    assert(n <= buffer_len(b));
    b->start += n;
    if (b->start == b->end)
        b->start = b->end = 0;
}

void buffer_truncate(struct buffer *b, size_t len)
{
    assert(len <= buffer_len(b));
    b->end = b->start + len;
}
