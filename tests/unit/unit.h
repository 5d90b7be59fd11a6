#ifndef KITH_UNIT_H
#define KITH_UNIT_H

/* What unit tests share: cmocka, and bytes to write in tables and to compare. */

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* The bytes of a string literal, NULs within it included. */
#define BYTES(literal) ((struct bytes){(const uint8_t *)("" literal), sizeof(literal) - 1})

static inline void unit_assert_bytes(struct bytes got, struct bytes want, const char *file,
                                     int line)
{
    if (bytes_equal(got, want))
        return;
    print_error("got  \"%.*s\"\nwant \"%.*s\"\n", (int)got.len, (const char *)got.data,
                (int)want.len, (const char *)want.data);
    _fail(file, line);
}

#define assert_bytes(got, want) unit_assert_bytes(got, want, __FILE__, __LINE__)

/* A copy in memory of exactly its size, so that the sanitizers see a byte too far. */
static inline struct bytes unit_copy(struct bytes b)
{
    uint8_t *data = malloc(b.len > 0 ? b.len : 1);
    assert_non_null(data);
    if (b.len > 0)
        memcpy(data, b.data, b.len);
    return bytes_make(data, b.len);
}

static inline void unit_free(struct bytes copy)
{
    free((void *)(uintptr_t)copy.data);
}

#endif
