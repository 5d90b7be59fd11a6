#ifndef KITH_BASE_BASE64URL_H
#define KITH_BASE_BASE64URL_H

/* Keys, ids and secrets as people and programs pass them on: base64url without padding (RFC
 * 4648, section 5), of a length that both sides know. */

#include "base/bytes.h"

/* Characters that n bytes make. */
#define BASE64URL_LEN(n) (((n)*4 + 2) / 3)

/* Writes BASE64URL_LEN(n) characters and a NUL. */
void base64url_write(char *out, const void *bytes, size_t n);

/* Reads exactly n bytes, at most BASE64URL_BYTES_MAX. False where the text is another length or
 * none of these; out is then as it was. */
enum { BASE64URL_BYTES_MAX = 64 };
bool base64url_read(struct bytes text, void *out, size_t n);

#endif
