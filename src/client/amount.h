#ifndef KITH_CLIENT_AMOUNT_H
#define KITH_CLIENT_AMOUNT_H

/* Amounts of bytes and of time, as people write and read them. Units of bytes are powers of
 * 1024: KiB, MiB ... */

#include "base/bytes.h"

enum { AMOUNT_BYTES = 24 };

/* "512 B", "3.4 KiB", "340 MiB". */
void amount_write(char out[AMOUNT_BYTES], uint64_t bytes);

/* "0:03", "12:40", "3:00:00". */
void amount_write_time(char out[AMOUNT_BYTES], uint64_t seconds);

/* "10G", "340M", "4096", "1.5G" is none: digits, then nothing or one of K, M, G, T in either
 * case, behind which "iB" or "B" may stand. False where it is none, 0, or more than fits. */
bool amount_read(struct bytes text, uint64_t *ret);

#endif
