/* Whatever is read as an endpoint is written and read again as the same; and nothing is dialed
 * that lies outside the rules. */

#include "peer/candidates.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes copy = fuzz_copy(bytes_make(data, size));
    struct endpoint at, again;
    struct own_address own = {.prefix_bits = 24};
    if (!net_address_read(bytes_from_str("192.168.1.5"), &own.address))
        abort();
    struct candidate_rules rules = {.own = &own, .own_count = 1};
    if (endpoint_read(copy, &at)) {
        char text[ENDPOINT_TEXT_BYTES];
        endpoint_write(text, &at);
        assert(endpoint_read(bytes_from_str(text), &again));
        assert(endpoint_equal(&at, &again));
    }
    struct candidates list = {0};
    if (candidates_add(&list, &rules, copy) == CANDIDATE_GOOD)
        assert(list.list[0].at.port >= ENDPOINT_PORT_MIN &&
               net_address_is_v4(&list.list[0].at.address) &&
               memcmp(list.list[0].at.address.bytes + 12, "\xc0\xa8\x01", 3) == 0);
    fuzz_free(copy);
    return 0;
}
