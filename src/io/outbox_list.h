#ifndef KITH_IO_OUTBOX_LIST_H
#define KITH_IO_OUTBOX_LIST_H

/* The list of what a transfer sends, in a file: written once, by a walk of the disk, and read
 * at every attempt, entry by entry in order, seldom at another place. It is what the sender
 * remembers over restarts, so every record is guarded, and a list that is not whole is refused.
 *
 *     head:    "kithlist", version 4 (1), 0 4
 *     record:  sum 8, kind 1 ('f', 'd'), flags 1 (1: executable, 2: proven), depth 2,
 *              name length 2, path length 2, size 8, seconds of mtime 8 and ctime 8,
 *              nanoseconds of both 4 and 4, device 8, inode 8, name, path
 *     end:     a record of kind 'e', its size all bytes of content, else zeros
 *
 * Numbers are little-endian. The sum is XXH3-64 of what follows it, with the record's number as
 * seed. Only what lies at the top has a path: from the root, where it was found. */

#include "base/limits.h"
#include "io/outbox_state.h"
#include "peer/transfer_message.h"

enum {
    OUTBOX_LIST_END = 1,  /* there are no more */
    OUTBOX_LIST_TORN = 2, /* it is none, or is not whole */
};

enum {
    OUTBOX_LIST_PATH_MAX = 4095,
    OUTBOX_LIST_RECORD_MAX = 64 + 255 + OUTBOX_LIST_PATH_MAX,
    OUTBOX_LIST_SPACE_BYTES = 64 * 1024, /* written or read at once */
    OUTBOX_LIST_STRIDE = 4096,           /* records from one place that is known to the next */
};

struct outbox_record {
    enum transfer_kind kind;
    unsigned depth;
    struct outbox_state state;
    struct bytes name; /* 1 to 255 bytes, as transfer_entry's */
    struct bytes path; /* of depth 0: begins with '/', no NUL; else empty */
};

struct outbox_totals {
    uint64_t entries, bytes;
};

/* ---- written ---- */

struct outbox_list_writer {
    int fd;
    uint64_t at; /* where space goes */
    size_t used;
    struct outbox_totals totals; /* so far */
    uint8_t space[OUTBOX_LIST_SPACE_BYTES];
};

/* fd: an empty file, open for writing; it stays the caller's. The others: 0 or -errno. */
void outbox_list_begin(struct outbox_list_writer *w, int fd);
int outbox_list_add(struct outbox_list_writer *w, const struct outbox_record *r);
/* The list is whole, and on the disk. */
int outbox_list_finish(struct outbox_list_writer *w);

/* ---- read ---- */

struct outbox_list_place {
    uint64_t number, offset;
};

/* Where a record is, and the folders it lies in, or may. */
struct outbox_list_point {
    struct outbox_list_place next;
    unsigned depth; /* of the deepest folder, and 1 */
    struct outbox_list_place folders[LIMIT_TRANSFER_DEPTH];
};

struct outbox_list_window {
    uint8_t *space;
    size_t room, len;
    uint64_t at;
};

struct outbox_list {
    int fd;
    struct outbox_totals totals;
    struct outbox_list_point here;    /* behind the record that was read last */
    struct outbox_list_point *points; /* each STRIDE records, from 0 on */
    size_t point_count;
    struct outbox_list_window records, folder;
};

/* Reads all of a list, to know that it is whole. fd stays the caller's, and open as long as the
 * list is. OUTBOX_LIST_TORN, -errno; on any but 0 there is nothing to close. */
int outbox_list_open(struct outbox_list *l, int fd);
void outbox_list_close(struct outbox_list *l);

/* The record of that number; what it borrows holds until the next call. OUTBOX_LIST_END. */
int outbox_list_get(struct outbox_list *l, uint64_t number, struct outbox_record *ret);

/* The folder of that depth which the record that was got last lies in; borrows until the next
 * call of this. depth is less than that record's. */
int outbox_list_folder(struct outbox_list *l, unsigned depth, struct outbox_record *ret);

#endif
