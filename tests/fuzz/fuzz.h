#ifndef KITH_FUZZ_H
#define KITH_FUZZ_H

/* What a fuzz target defines. It aborts (assert) where a promise does not hold, returns 0
 * otherwise, and keeps nothing from one input to the next. */

#include "base/bytes.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy in memory of exactly its size, so that the sanitizers see a byte too far. */
static inline struct bytes fuzz_copy(struct bytes b)
{
    uint8_t *data = malloc(b.len > 0 ? b.len : 1);
    if (!data)
        abort();
    if (b.len > 0)
        memcpy(data, b.data, b.len);
    return bytes_make(data, b.len);
}

static inline void fuzz_free(struct bytes copy)
{
    free((void *)(uintptr_t)copy.data);
}

/* A stream that comes in pieces, of sizes that the input's first bytes choose. */
enum { FUZZ_SIZES = 4 };

struct fuzz_stream {
    struct bytes stream;
    const uint8_t *sizes; /* NULL: all at once */
    size_t pieces;        /* so far */
    size_t start, end;    /* consumed, come */
};

/* What has come and is not consumed, copied; fuzz_free frees it. */
static inline struct bytes fuzz_stream_in(const struct fuzz_stream *s)
{
    return fuzz_copy(bytes_from(bytes_first(s->stream, s->end), s->start));
}

/* Lets one more piece come; false where all has. */
static inline bool fuzz_stream_more(struct fuzz_stream *s)
{
    size_t left = s->stream.len - s->end;
    size_t piece = s->sizes ? (size_t)s->sizes[s->pieces++ % FUZZ_SIZES] + 1 : left;
    s->end += piece < left ? piece : left;
    return left > 0;
}

#endif
