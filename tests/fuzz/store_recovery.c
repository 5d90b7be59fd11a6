/* Recovery of a folder whose segments hold arbitrary bytes: it ends, touches nothing where it
 * refuses, and what it accepts it accepts again, with the same content.
 *
 * Input: segments, each 2 bytes of length (little-endian) and so many bytes; the first byte of
 * those is the number it replaces. With a header before them that passes, and the records'
 * checksums made right where a header can be read, so that the bytes get far. */

#include "fuzz.h"

#include "base/number.h"
#include "store/record.h"
#include "store/recovery.h"
#include "store/segment.h"
#include "support/faulty_disk.h"

#include <stdlib.h>

enum { SALT = 5, SEGMENTS_MAX = 6 };

static const struct wal_config config = {
    .secret = 9, .segment_first_bytes = 1024, .segment_bytes_max = 4096};

/* Seals whatever could be a record, unless its reserved field says to leave it bad. */
static void seal_records(uint8_t *at, size_t n, uint64_t id)
{
    while (n >= RECORD_HEADER_BYTES) {
        struct record_header h = {.payload_bytes = number_get_u32(at) & 0xff,
                                  .lsn = number_get_u64(at + 8) & 0xff,
                                  .batch = number_get_u64(at + 16) & 0xff,
                                  .segment = id};
        size_t bytes = record_bytes(h.payload_bytes);
        if (bytes > n)
            return;
        if (number_get_u32(at + 4) == 0 && h.lsn != 0)
            record_seal(at, &h, SALT);
        at += bytes;
        n -= bytes;
    }
}

static void put_segment(struct faulty_disk *f, uint64_t id, struct bytes in)
{
    struct segment_header h = {.id = id, .salt = SALT};
    h.bytes = (SEGMENT_HEADER_BYTES + in.len) & ~(uint64_t)7;
    h.replaces = in.len ? in.data[0] % id : 0;
    uint8_t *data = malloc(SEGMENT_HEADER_BYTES + in.len);
    if (!data)
        abort();
    if (in.len)
        memcpy(data + SEGMENT_HEADER_BYTES, in.data + 1, in.len - 1);
    if (in.len)
        data[SEGMENT_HEADER_BYTES + in.len - 1] = 0;
    segment_header_write(data, &h);
    seal_records(data + SEGMENT_HEADER_BYTES, h.bytes - SEGMENT_HEADER_BYTES, id);
    char name[DISK_NAME_BYTES];
    segment_name(name, id);
    faulty_disk_put(f, name, data, h.bytes);
    free(data);
}

static int count(void *ctx, const struct record_op *op, uint64_t lsn)
{
    *(uint64_t *)ctx += lsn * (op->key.len + op->value.len + op->space);
    return 0;
}

static int recover(struct faulty_disk *f, uint64_t *ret_sum, struct wal_position *ret_at)
{
    struct recovery_report report;
    *ret_sum = 0;
    const struct recovery_sink sink = {.apply = count, .ctx = ret_sum};
    int r = recovery_run(faulty_disk(f), &config, (struct walltime){1}, &sink, ret_at, &report);
    if (r == 0)
        extents_fini(&ret_at->extents);
    assert(r >= 0 && (r == 0 || (report.problem && report.file[0])));
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faulty_disk *f = faulty_disk_new();
    struct bytes in = bytes_make(data, size);
    for (uint64_t id = 1; id <= SEGMENTS_MAX && in.len >= 2; id++) {
        size_t n = (size_t)in.data[0] | (size_t)in.data[1] << 8;
        in = bytes_from(in, 2);
        if (n > in.len)
            n = in.len;
        put_segment(f, id, bytes_first(in, n));
        in = bytes_from(in, n);
    }
    struct faulty_disk *before = faulty_disk_copy(f);
    uint64_t sum, again;
    struct wal_position at, later;
    if (recover(f, &sum, &at) != 0)
        assert(faulty_disk_equal(f, before));
    else if (recover(f, &again, &later) != 0 || again != sum ||
             later.next_lsn != at.next_lsn + 1)
        abort();
    faulty_disk_free(before);
    faulty_disk_free(f);
    return 0;
}
