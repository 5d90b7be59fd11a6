#ifndef KITH_BASE_BYTES_H
#define KITH_BASE_BYTES_H

/* A borrowed run of bytes: any value, NUL included, never owned. Whoever hands one out
 * says how long it stays valid. data may be NULL only when len is 0. */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data;
    size_t len;
};

static inline struct bytes bytes_make(const void *data, size_t len)
{
    assert(data || len == 0);
    return (struct bytes){.data = data, .len = len};
}

/* The bytes of a C string, its NUL not among them. */
static inline struct bytes bytes_from_str(const char *s)
{
    return bytes_make(s, strlen(s));
}

/* Of 8 to 16 bytes each, as most keys have: their first and their last 8, which may overlap. */
static inline bool bytes_equal_short(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint64_t first[2], last[2];
    memcpy(&first[0], a, 8);
    memcpy(&first[1], b, 8);
    memcpy(&last[0], a + len - 8, 8);
    memcpy(&last[1], b + len - 8, 8);
    return first[0] == first[1] && last[0] == last[1];
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    if (a.len >= 8 && a.len <= 16)
        return bytes_equal_short(a.data, b.data, a.len);
    return a.len == 0 || memcmp(a.data, b.data, a.len) == 0;
}

static inline bool bytes_equal_str(struct bytes a, const char *s)
{
    return bytes_equal(a, bytes_from_str(s));
}

/* The bytes from offset from on; from must be at most b.len. */
static inline struct bytes bytes_from(struct bytes b, size_t from)
{
    return bytes_make(b.len == from ? NULL : b.data + from, b.len - from);
}

/* The first n bytes; n must be at most b.len. */
static inline struct bytes bytes_first(struct bytes b, size_t n)
{
    return bytes_make(b.data, n);
}

/* ASCII letters compare without case, everything else exactly. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);
static inline bool bytes_equal_nocase_str(struct bytes a, const char *s)
{
    return bytes_equal_nocase(a, bytes_from_str(s));
}

bool bytes_starts_with(struct bytes b, const char *prefix);

/* Without spaces and tabs at both ends. */
struct bytes bytes_trim(struct bytes b);

/* Offset of the first byte c, or b.len where there is none. */
size_t bytes_find(struct bytes b, uint8_t c);

/* The next word of *rest (words are separated by spaces and tabs), which moves past it;
 * empty when there is none. */
struct bytes bytes_next_word(struct bytes *rest);

/* The next line of *rest, without its LF or CR LF, which *rest moves past. */
struct bytes bytes_next_line(struct bytes *rest);

#endif
