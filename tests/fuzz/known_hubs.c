/* Whatever lies in the file of known hubs, what is remembered is found again, and nothing else
 * is changed: what another address had, it has still. */

#include "client/known_hubs.h"

#include "base/limits.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char print[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct bytes own = bytes_from_str("10.0.0.1:12345"), other = bytes_from_str("[::1]:1");
    struct bytes text = fuzz_copy(bytes_make(data, size));
    struct buffer changed;
    buffer_init(&changed, LIMIT_MIB + LIMIT_KIB);
    struct bytes before = known_hubs_find(text, other);
    if (known_hubs_set(text, own, bytes_from_str(print), &changed) == 0) {
        assert(bytes_equal_str(known_hubs_find(buffer_view(&changed), own), print));
        assert(bytes_equal(known_hubs_find(buffer_view(&changed), other), before));
    }
    buffer_fini(&changed);
    fuzz_free(text);
    return 0;
}
