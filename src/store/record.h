#ifndef KITH_STORE_RECORD_H
#define KITH_STORE_RECORD_H

/* Log records, bytes <-> fields. A record holds what was written at once: one mutation or many,
 * or a mark of the log's own. All integers are little-endian; a record begins at a multiple of
 * 8 and is zero-padded to one.
 *
 *     offset  bytes
 *          0      4  length of the payload, at most LIMIT_RECORD_BYTES
 *          4      4  zero, reserved
 *          8      8  LSN of its first mutation; they are counted from 1 without a gap
 *         16      8  batch: the LSN of the first record of the batch it was written in
 *         24      8  segment mark: XXH3-64 of the segment id (8 bytes), seeded with its salt
 *         32      8  wall clock, ms since 1970
 *         40      8  XXH3-64 of the payload, seeded with the XXH3-64 of bytes 0 to 39, which
 *                    is seeded with the segment's salt
 *         48      n  payload: operations, one after the other
 *
 *     operation: head (1 byte), key length, value length, a number (8) where the head says so,
 *                key, value
 *     head:      bits 0 to 3 the kind, 4 the keyspace, 5 "a number is there", 6 zero,
 *                7 "this is the first operation of a mutation", which the first in a record is
 *     lengths:   7 bits a byte, lowest first, bit 7 set in all but the last; no byte too many
 *     kind 1  put       key, value; as number the expiry, ms since 1970, where there is one
 *          2  remove    key
 *          3  open      nothing else: the log was opened
 *          4  close     likewise: the log was closed in good order; nothing follows it
 *          5  flush     nothing else: all keys of the keyspace are gone
 *          6  part      value: the next piece of a large one; as number the upload it belongs
 *                       to: the LSN of the mutation with its first part
 *          7  put parts key, expiry; as value the upload (8) and the length (8) of what its
 *                       parts make up; all puts of an upload are in one mutation
 *          8  drop      as number an upload that will not be put
 *     Kinds 9 and up belong to later versions, which will raise the format version.
 *
 * The salt is random and known to the segment's header alone, so no value a client can store
 * looks like a record, not even like the header of one: a search for records in the midst of
 * values (record_find_later) is not misled, nor slowed. */

#include "base/bytes.h"
#include "base/time.h"
#include "store/store.h"

enum {
    RECORD_HEADER_BYTES = 48,
    RECORD_ALIGN = 8,
    RECORD_MARK_BYTES = 3, /* the payload of an open and of a close */
    RECORD_PUT_BYTES = 4,  /* of a put, at least */
};

enum record_kind {
    RECORD_PUT = 1,
    RECORD_REMOVE = 2,
    RECORD_OPEN = 3,
    RECORD_CLOSE = 4,
    RECORD_FLUSH = 5,
    RECORD_PART = 6,
    RECORD_PUT_PARTS = 7,
    RECORD_DROP = 8,
};

struct record_header {
    uint32_t payload_bytes;
    uint64_t lsn, batch, segment;
    struct walltime time;
};

struct record_op {
    enum record_kind kind;
    enum store_space space;
    struct bytes key, value;
    struct walltime expires; /* of a part and a drop: the upload */
    bool begins;             /* read: a mutation begins here */
    struct blob *blob;       /* in memory alone: where value lies in one; else NULL */
};

/* The value of a put of parts. */
enum { RECORD_PARTS_BYTES = 16 };

struct record_parts {
    uint64_t upload;
    uint64_t len;
};

enum {
    RECORD_END = 1, /* no record here: zeros where its header would be, or no room for one */
    RECORD_BAD = 2, /* something is here, and it is not a valid record of this segment */
};

/* Bytes a record of that payload takes, header and padding included. */
size_t record_bytes(size_t payload_bytes);

/* Bytes of one operation. */
size_t record_op_bytes(const struct record_op *op);

/* Writes one operation at `to`, which has record_op_bytes of room; returns one past its end. */
uint8_t *record_op_write(uint8_t *to, const struct record_op *op);

/* Says of an operation that has been written: a mutation begins with it. */
void record_op_begin(uint8_t *op);

/* The same without the value's bytes, which are to follow. */
uint8_t *record_op_write_head(uint8_t *to, const struct record_op *op);

/* The next operation of a payload; *rest moves past it. 0, RECORD_END when *rest is empty,
 * RECORD_BAD when it is malformed. Bytes point into the payload. */
int record_op_read(struct bytes *rest, struct record_op *ret);

void record_parts_write(uint8_t to[RECORD_PARTS_BYTES], const struct record_parts *parts);
struct record_parts record_parts_read(const struct record_op *op); /* of a valid one */

/* Fills in the header and padding around a payload already at record + RECORD_HEADER_BYTES. */
void record_seal(uint8_t *record, const struct record_header *h, uint64_t salt);

/* Reads the record at the front of `in` (all that is left of the segment, or at least the
 * whole record). 0, RECORD_END, RECORD_BAD. The payload points into in. */
int record_read(struct bytes in, uint64_t segment, uint64_t salt, struct record_header *ret,
                struct bytes *ret_payload);

/* Is there a valid record of a batch later than `batch` in `in`, at any multiple of 8? */
bool record_find_later(struct bytes in, uint64_t segment, uint64_t salt, uint64_t batch);

#endif
