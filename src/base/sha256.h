#ifndef KITH_BASE_SHA256_H
#define KITH_BASE_SHA256_H

/* SHA-256 of what comes in pieces, by OpenSSL: with the processor's own instructions. Zeroed is
 * the same as after fini. All return 0 or -ENOMEM. */

#include "base/bytes.h"

enum { SHA256_BYTES = 32 };

struct sha256 {
    struct evp_md_ctx_st *context; /* NULL: not begun */
};

/* Begins, or begins anew. */
int sha256_begin(struct sha256 *h);
int sha256_take(struct sha256 *h, struct bytes piece);
int sha256_take_zeros(struct sha256 *h, uint64_t n);
/* Of all that was taken since begin, which is next. */
int sha256_end(struct sha256 *h, uint8_t ret[SHA256_BYTES]);
void sha256_fini(struct sha256 *h);

#endif
