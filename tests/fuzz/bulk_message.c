/* Whatever comes on the bulk channel is a message that is written again as it came, or refused.
 */

#include "peer/bulk_message.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bulk_message m;
    struct buffer b;
    struct bytes copy = fuzz_copy(bytes_make(data, size));
    buffer_init(&b, BULK_MESSAGE_BYTES);
    if (bulk_message_read(copy, &m) == 0) {
        assert(bulk_message_write(&b, &m) == 0);
        assert(bytes_equal(buffer_view(&b), copy));
    }
    buffer_fini(&b);
    fuzz_free(copy);
    return 0;
}
