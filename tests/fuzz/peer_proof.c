/* Nothing but the proof itself is one. */

#include "fuzz.h"
#include "peer/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pair a, b;
    struct random_id id = {.bytes = {1}};
    struct public_key low = {.bytes = {1}}, high = {.bytes = {2}};
    const uint8_t exporter[PROOF_EXPORTER_BYTES] = {7};
    if (pair_init(&a, &id, bytes_from_str("anna"), &low, bytes_from_str("bob"), &high) != 0 ||
        pair_init(&b, &id, bytes_from_str("bob"), &high, bytes_from_str("anna"), &low) != 0)
        abort();
    struct proof right = proof_make(&b, PROOF_ANSWERS, exporter);
    struct bytes copy = fuzz_copy(bytes_make(data, size));
    bool same = bytes_equal(copy, bytes_make(right.bytes, sizeof right.bytes));
    assert(proof_check(&a, PROOF_DIALS, exporter, copy) == same);
    fuzz_free(copy);
    return 0;
}
