#ifndef KITH_KITH_READING_H
#define KITH_KITH_READING_H

/* All of standard input, as one value or text. */

#include "base/buffer.h"

/* Appends it; -EFBIG where it is more than max bytes, -ENOMEM, -errno. The buffer's ceiling is
 * at least max + 2 * LIMIT_READ_BYTES. */
int reading_all(struct buffer *b, size_t max);

#endif
