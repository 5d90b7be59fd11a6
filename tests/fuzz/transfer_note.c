/* Whatever somebody says of a transfer in a talk is a note that means the same when it is
 * written again, or refused. */

#include "peer/transfer_note.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct transfer_note n;
    uint8_t out[TRANSFER_NOTE_BYTES];
    struct bytes copy = fuzz_copy(bytes_make(data, size));
    if (transfer_note_read(copy, &n) == 0) {
        assert(transfer_note_is(copy));
        assert(bytes_equal(bytes_make(out, transfer_note_write(out, &n)), copy));
    }
    fuzz_free(copy);
    return 0;
}
