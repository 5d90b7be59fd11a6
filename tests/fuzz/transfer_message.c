/* Whatever frame comes on the data connection of a transfer is a message that is written again
 * as it came, of a later version, or refused. Input: the type, the payload. */

#include "peer/transfer_message.h"
#include "base/limits.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct transfer_message m;
    struct buffer b;
    if (size == 0 || size - 1 > LIMIT_PEER_FRAME_BYTES)
        return 0;
    struct bytes payload = fuzz_copy(bytes_make(data + 1, size - 1));
    struct peer_frame f = {data[0], payload};
    buffer_init(&b, 2 * LIMIT_PEER_FRAME_BYTES);
    if (transfer_message_read(&f, &m) == 0) {
        assert(transfer_message_write(&b, &m) == 0);
        struct bytes again = bytes_from(buffer_view(&b), PEER_FRAME_HEAD_BYTES);
        assert(b.data[b.start + 4] == data[0] && bytes_equal(again, payload));
    }
    buffer_fini(&b);
    fuzz_free(payload);
    return 0;
}
