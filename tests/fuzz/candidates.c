/* Whatever is read as a candidate is written and read again as the same; and nothing is dialed
 * that lies outside the rules. */

#include "peer/candidates.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes copy = fuzz_copy(bytes_make(data, size));
    struct candidate c, again;
    struct own_address own = {.prefix_bits = 24};
    if (!peer_address_read(bytes_from_str("192.168.1.5"), &own.address))
        abort();
    struct candidate_rules rules = {.own = &own, .own_count = 1};
    if (candidate_read(copy, &c)) {
        char text[CANDIDATE_TEXT_BYTES];
        candidate_write(text, &c);
        assert(candidate_read(bytes_from_str(text), &again));
        assert(memcmp(&c.address, &again.address, sizeof c.address) == 0 &&
               c.port == again.port);
    }
    struct candidates list = {0};
    if (candidates_add(&list, &rules, copy) == CANDIDATE_GOOD)
        assert(list.list[0].port >= 1024 && peer_address_is_v4(&list.list[0].address) &&
               memcmp(list.list[0].address.bytes + 12, "\xc0\xa8\x01", 3) == 0);
    fuzz_free(copy);
    return 0;
}
