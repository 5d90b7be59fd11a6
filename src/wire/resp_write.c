#include "wire/resp_write.h"

/* Sizes are counted exactly before, so that a buffer may be filled to its very ceiling. */
static size_t digits(uint64_t v)
{
    size_t n = 1;
    for (; v >= 10; v /= 10)
        n++;
    return n;
}

static uint8_t *put_crlf(uint8_t *at)
{
    at[0] = '\r';
    at[1] = '\n';
    return at + 2;
}

static uint8_t *put_digits(uint8_t *at, uint64_t v, size_t n)
{
    for (size_t i = n; i > 0; v /= 10)
        at[--i] = (uint8_t)('0' + v % 10);
    return at + n;
}

static uint8_t *put_head(uint8_t *at, char type, uint64_t v, size_t n)
{
    *at++ = (uint8_t)type;
    return put_crlf(put_digits(at, v, n));
}

static uint8_t *put_bulk(uint8_t *at, struct bytes value, size_t n)
{
    at = put_head(at, '$', value.len, n);
    if (value.len > 0)
        memcpy(at, value.data, value.len);
    return put_crlf(at + value.len);
}

static int write_head(struct buffer *out, char type, uint64_t v)
{
    uint8_t *space;
    size_t n = digits(v);
    int r = buffer_reserve(out, n + 3, &space);
    if (r != 0)
        return r;
    put_head(space, type, v, n);
    buffer_wrote(out, n + 3);
    return 0;
}

static int write_line(struct buffer *out, char type, const char *text)
{
    uint8_t *space;
    size_t len = strlen(text);
    int r = buffer_reserve(out, len + 3, &space);
    if (r != 0)
        return r;
    *space++ = (uint8_t)type;
    for (size_t i = 0; i < len; i++)
        *space++ = text[i] == '\r' || text[i] == '\n' ? ' ' : (uint8_t)text[i];
    put_crlf(space);
    buffer_wrote(out, len + 3);
    return 0;
}

int resp_write_status(struct buffer *out, const char *text)
{
    return write_line(out, '+', text);
}

int resp_write_error(struct buffer *out, const char *text)
{
    return write_line(out, '-', text);
}

int resp_write_integer(struct buffer *out, int64_t value)
{
    if (value >= 0)
        return write_head(out, ':', (uint64_t)value);
    uint8_t *space;
    uint64_t v = 0 - (uint64_t)value;
    size_t n = digits(v);
    int r = buffer_reserve(out, n + 4, &space);
    if (r != 0)
        return r;
    *space++ = ':';
    put_head(space, '-', v, n);
    buffer_wrote(out, n + 4);
    return 0;
}

int resp_write_bulk(struct buffer *out, struct bytes value)
{
    uint8_t *space;
    size_t n = digits(value.len);
    int r = buffer_reserve(out, value.len + n + 5, &space);
    if (r != 0)
        return r;
    put_bulk(space, value, n);
    buffer_wrote(out, value.len + n + 5);
    return 0;
}

int resp_write_null_array(struct buffer *out, int version)
{
    return version == 3 ? buffer_append(out, "_\r\n", 3) : buffer_append(out, "*-1\r\n", 5);
}

int resp_write_bulk_length(struct buffer *out, size_t n)
{
    return write_head(out, '$', n);
}

int resp_write_null(struct buffer *out, int version)
{
    return version == 3 ? buffer_append(out, "_\r\n", 3) : buffer_append(out, "$-1\r\n", 5);
}

int resp_write_array(struct buffer *out, size_t count)
{
    return write_head(out, '*', count);
}

int resp_write_push(struct buffer *out, size_t count, int version)
{
    return write_head(out, version == 3 ? '>' : '*', count);
}

int resp_write_map(struct buffer *out, size_t pairs, int version)
{
    return version == 3 ? write_head(out, '%', pairs) : write_head(out, '*', pairs * 2);
}

int resp_write_request(struct buffer *out, const struct bytes *argv, size_t argc)
{
    size_t size = digits(argc) + 3;
    for (size_t i = 0; i < argc; i++)
        size += argv[i].len + digits(argv[i].len) + 5;
    uint8_t *at;
    int r = buffer_reserve(out, size, &at);
    if (r != 0)
        return r;
    at = put_head(at, '*', argc, digits(argc));
    for (size_t i = 0; i < argc; i++)
        at = put_bulk(at, argv[i], digits(argv[i].len));
    buffer_wrote(out, size);
    return 0;
}
