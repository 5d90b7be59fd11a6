#ifndef KITH_STORE_SEGMENT_H
#define KITH_STORE_SEGMENT_H

/* A segment: one file of the log, `log-<id as 16 hex digits>`, of a fixed size, zero-filled
 * when it is made so that the disk's space is taken before a write is accepted into it.
 *
 *     offset  bytes
 *          0      8  "kithlog" and a NUL
 *          8      4  format version, 1; a newer one is refused
 *         12      4  zero, reserved
 *         16      8  segment id
 *         24      8  salt of its records
 *         32      8  id of the first segment this one replaces, 0 for none
 *         40      8  size of the file; where it differs, bytes were lost
 *         48      8  zero, reserved
 *         56      8  XXH3-64 of bytes 0 to 55, seed 0
 *         64         records (store/record.h), then zeros
 *
 * A segment is made as `segment.tmp`, synced, renamed, and its name synced: under its own name
 * it is always whole. Where a segment says it replaces another, the other does not count. */

#include "store/disk.h"

#include "base/bytes.h"

enum { SEGMENT_HEADER_BYTES = 64, SEGMENT_VERSION = 1 };

#define SEGMENT_TMP_NAME "segment.tmp"

struct segment_header {
    uint64_t id; /* from 1 */
    uint64_t salt;
    uint64_t replaces;
    uint64_t bytes; /* of the file, a multiple of 8 */
};

enum {
    SEGMENT_BAD = 1,   /* not a segment header */
    SEGMENT_NEWER = 2, /* of a later format version */
};

void segment_header_write(uint8_t to[SEGMENT_HEADER_BYTES], const struct segment_header *h);
int segment_header_read(struct bytes in, struct segment_header *ret);

void segment_name(char out[DISK_NAME_BYTES], uint64_t id);

/* True, with the id, for a segment's file name. */
bool segment_name_parse(const char *name, uint64_t *ret_id);

/* Makes a segment of h->bytes bytes in all: header, then `records` (may be empty), then zeros;
 * durable under its name when it returns 0. -errno, -ENOSPC among them; what was begun is
 * removed again. Blocks. */
int segment_make(struct disk *d, const struct segment_header *h, struct bytes records);

#endif
