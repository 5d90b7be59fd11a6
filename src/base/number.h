#ifndef KITH_BASE_NUMBER_H
#define KITH_BASE_NUMBER_H

/* Decimal integers, strictly: no blanks, no plus sign, no leading zeros, no "-0", nothing
 * after the digits, and only what fits. */

#include "base/bytes.h"

enum { NUMBER_INT64_CHARS = 20 };

bool number_parse_i64(struct bytes b, int64_t *ret);
bool number_parse_u64(struct bytes b, uint64_t *ret);

/* Writes the digits of v, without a NUL, and returns how many. */
size_t number_format_i64(char out[NUMBER_INT64_CHARS], int64_t v);
size_t number_format_u64(char out[NUMBER_INT64_CHARS], uint64_t v);

/* Little-endian integers of fixed width, as everything on disk uses them. */
static inline void number_put_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static inline void number_put_u64(uint8_t *at, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static inline uint32_t number_get_u32(const uint8_t *at)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v |= (uint32_t)at[i] << (8 * i);
    return v;
}

static inline uint64_t number_get_u64(const uint8_t *at)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v |= (uint64_t)at[i] << (8 * i);
    return v;
}

/* Big-endian ones, as they cross a network. */
static inline void number_put_be32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline void number_put_be64(uint8_t *at, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(v >> (56 - 8 * i));
}

static inline uint32_t number_get_be32(const uint8_t *at)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 8 | at[i];
    return v;
}

static inline uint64_t number_get_be64(const uint8_t *at)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | at[i];
    return v;
}

#endif
