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

static int resize(struct buffer *b, size_t capacity)
{
    uint8_t *data = realloc(b->data, capacity);
    if (!data)
        return -ENOMEM;
    b->data = data;
    b->capacity = capacity;
    return 0;
}

/* Capacity doubles, up to the ceiling; past it, to twice the ceiling, which is as far as a
 * buffer that slides only when at most half of it is content ever gets. */
static int grow(struct buffer *b, size_t need)
{
    size_t capacity = b->capacity ? b->capacity : BUFFER_FIRST_BYTES;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    size_t limit = need > b->max && b->max <= SIZE_MAX / 2 ? b->max * 2 : b->max;
    if (capacity > limit)
        capacity = need > limit ? need : limit;
    return resize(b, capacity);
}

/* Room for n bytes after the end, whatever the ceiling. Sliding is paid for by the bytes
 * consumed since the last slide, growing by the bytes appended since the last growth. */
static int make_room(struct buffer *b, size_t n)
{
    if (b->capacity - b->end < n && b->start >= buffer_len(b))
        slide_to_front(b);
    return b->capacity - b->end < n ? grow(b, b->end + n) : 0;
}

static bool fits(const struct buffer *b, size_t n)
{
    return n <= b->max && buffer_len(b) <= b->max - n;
}

int buffer_reserve_exactly(struct buffer *b, size_t n)
{
    if (!fits(b, n))
        return BUFFER_FULL;
    if (b->capacity - b->end >= n)
        return 0;
    slide_to_front(b);
    return b->capacity - b->end < n ? resize(b, b->end + n) : 0;
}

int buffer_reserve(struct buffer *b, size_t n, uint8_t **ret_space)
{
    if (!fits(b, n))
        return BUFFER_FULL;
    int r = make_room(b, n);
    if (r < 0)
        return r;
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
    if (!fits(b, (size_t)n))
        return BUFFER_FULL;
    int r = make_room(b, (size_t)n + 1); /* the NUL is written, but is no content */
    if (r < 0)
        return r;
    va_start(args, format);
    vsnprintf((char *)b->data + b->end, (size_t)n + 1, format, args);
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
