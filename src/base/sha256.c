#include "base/sha256.h"

#include <errno.h>
#include <openssl/evp.h>

int sha256_begin(struct sha256 *h)
{
    if (!h->context)
        h->context = EVP_MD_CTX_new();
    if (!h->context || EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    return 0;
}

int sha256_take(struct sha256 *h, struct bytes piece)
{
    return EVP_DigestUpdate(h->context, piece.data, piece.len) == 1 ? 0 : -ENOMEM;
}

int sha256_take_zeros(struct sha256 *h, uint64_t n)
{
    static const uint8_t zeros[4096];
    int r = 0;
    for (; n > sizeof zeros && r == 0; n -= sizeof zeros)
        r = sha256_take(h, bytes_make(zeros, sizeof zeros));
    return r == 0 ? sha256_take(h, bytes_make(zeros, (size_t)n)) : r;
}

int sha256_end(struct sha256 *h, uint8_t ret[SHA256_BYTES])
{
    return EVP_DigestFinal_ex(h->context, ret, NULL) == 1 ? 0 : -ENOMEM;
}

void sha256_fini(struct sha256 *h)
{
    EVP_MD_CTX_free(h->context);
    h->context = NULL;
}
