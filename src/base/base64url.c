#include "base/base64url.h"

#include <assert.h>
#include <sodium.h>

void base64url_write(char *out, const void *bytes, size_t n)
{
    sodium_bin2base64(out, BASE64URL_LEN(n) + 1, bytes, n,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool base64url_read(struct bytes text, void *out, size_t n)
{
    uint8_t bytes[BASE64URL_BYTES_MAX];
    size_t len;
    assert(n <= sizeof bytes);
    /* Without a place for where it stopped, what is not read to its end is an error. */
    bool read = text.len == BASE64URL_LEN(n) &&
                sodium_base642bin(bytes, n, (const char *)text.data, text.len, NULL, &len, NULL,
                                  sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
                len == n;
    if (read)
        memcpy(out, bytes, n);
    sodium_memzero(bytes, sizeof bytes); /* it may be a secret */
    return read;
}
