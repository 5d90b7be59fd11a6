/* Whatever bytes a record is read from, its operations lie within them, and what was read is
 * written back to the same bytes. */

#include "fuzz.h"
#include "store/record.h"

#include <stdlib.h>

enum { SEGMENT = 1, SALT = 2 };

/* Reads operations as they come, well-formed or not. */
static void read_operations(struct bytes payload)
{
    uint8_t *again = malloc(payload.len + 1);
    if (!again)
        abort();
    struct bytes rest = payload;
    struct record_op op;
    while (record_op_read(&rest, &op) == 0) {
        const uint8_t *end = rest.len ? rest.data : payload.data + payload.len;
        size_t n = record_op_bytes(&op);
        assert(n <= payload.len && record_op_write(again, &op) == again + n);
        if (op.begins)
            record_op_begin(again);
        assert(memcmp(again, end - n, n) == 0);
    }
    free(again);
}

/* The same bytes as a record that passes its checksum. */
static void read_sealed(struct bytes payload)
{
    uint8_t *record = malloc(record_bytes(payload.len));
    if (!record)
        abort();
    if (payload.len)
        memcpy(record + RECORD_HEADER_BYTES, payload.data, payload.len);
    struct record_header h = {(uint32_t)payload.len, 3, 2, SEGMENT, {1}}, got;
    struct bytes back;
    record_seal(record, &h, SALT);
    struct bytes in = bytes_make(record, record_bytes(payload.len));
    if (record_read(in, SEGMENT, SALT, &got, &back) != 0)
        abort();
    assert(got.lsn == 3 && got.batch == 2 && bytes_equal(back, payload));
    assert(record_find_later(in, SEGMENT, SALT, 1));
    free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_make(data, size), payload;
    struct record_header h;
    if (record_read(in, SEGMENT, SALT, &h, &payload) == 0)
        read_operations(payload);
    record_find_later(in, SEGMENT, SALT, 0);
    read_operations(in);
    read_sealed(in);
    return 0;
}
