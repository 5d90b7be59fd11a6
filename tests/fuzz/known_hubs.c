/* Whatever lies in the file of known hubs, unless it is damaged: what is remembered is found
 * again, and nothing else is changed: what another address had, it has still. */

#include "client/known_hubs.h"

#include "base/limits.h"
#include "fuzz.h"

static struct bytes find(struct bytes text, struct bytes address)
{
    struct bytes found = {0};
    size_t line = 0;
    int r = known_hubs_find(text, address, &found, &line);
    assert(r == 0 || (r == KNOWN_HUBS_DAMAGED && line > 0));
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char print[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct bytes own = bytes_from_str("10.0.0.1:12345"), other = bytes_from_str("[::1]:1");
    struct bytes text = fuzz_copy(bytes_make(data, size));
    struct buffer changed;
    buffer_init(&changed, LIMIT_MIB + LIMIT_KIB);
    struct bytes before = find(text, other), own_before;
    size_t line;
    if (known_hubs_find(text, own, &own_before, &line) == 0 &&
        known_hubs_set(text, own, bytes_from_str(print), &changed) == 0) {
        assert(bytes_equal_str(find(buffer_view(&changed), own), print));
        assert(bytes_equal(find(buffer_view(&changed), other), before));
    }
    buffer_fini(&changed);
    fuzz_free(text);
    return 0;
}
