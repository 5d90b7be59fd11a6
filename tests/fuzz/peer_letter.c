/* What is sealed well may still hold anything: without the sender's signature it is no letter.
 * An odd first byte seals the rest, so that what is within is reached. */

#include "peer/peer_letter.h"
#include "fuzz.h"

#include <sodium.h>

static int try_open(struct bytes sealed)
{
    static const uint8_t seed[PEER_LETTER_SEED_BYTES] = {2};
    struct buffer plain;
    struct peer_letter l;
    struct bytes copy = fuzz_copy(sealed);
    buffer_init(&plain, LIMIT_MIB);
    int r = peer_letter_open(copy, bytes_from_str("bob"), seed, &plain, &l);
    fuzz_free(copy);
    buffer_fini(&plain);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sealed[256 * 1024];
    uint8_t key[32], secret[crypto_sign_SECRETKEYBYTES], box[32];
    static const uint8_t seed[PEER_LETTER_SEED_BYTES] = {2};
    if (size == 0 || size > 128 * 1024)
        return 0;
    struct bytes in = bytes_make(data + 1, size - 1);
    if (!(data[0] & 1)) {
        assert(try_open(in) == PEER_LETTER_WRONG);
        return 0;
    }
    crypto_sign_seed_keypair(key, secret, seed);
    if (crypto_sign_ed25519_pk_to_curve25519(box, key) != 0 ||
        crypto_box_seal(sealed, in.data, in.len, box) != 0)
        abort();
    assert(try_open(bytes_make(sealed, in.len + crypto_box_SEALBYTES)) == PEER_LETTER_WRONG);
    return 0;
}
