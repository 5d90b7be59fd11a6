#ifndef KITH_PEER_RECEIVING_JOURNAL_H
#define KITH_PEER_RECEIVING_JOURNAL_H

/* The journal of a transfer that is received, as records behind each other:
 *
 *     4 bytes  length of what follows the hash, 1 to RECEIVING_RECORD_BYTES; big-endian
 *     8 bytes  XXH3-64 of it, seeded with the record's offset; big-endian
 *     1 byte   type: of a message (peer/transfer_message.h) or of the four here
 *     n bytes  the message's payload as it came; of CHUNK, without data: number 8, offset 8,
 *              sum 16, length of the data 4
 *
 * What is written gathers in memory until flush, and may be lost until the inbox syncs. */

#include "base/buffer.h"
#include "base/random_id.h"
#include "peer/inbox.h"

enum { RECEIVING_JOURNAL_VERSION = 1, RECEIVING_RECORD_BYTES = 512 };

enum receiving_record_type {
    RECEIVING_BEGIN = 0xf0,   /* the first: RECEIVING_JOURNAL_VERSION 1, the transfer's id 16 */
    RECEIVING_LATE = 0xf1,    /* number 8, reason 1: dropped after all entries were said */
    RECEIVING_CHECKED = 0xf2, /* all content is right: the tree can be built */
    RECEIVING_PLACED = 0xf3   /* it is: what is not in it any more is published */
};

enum {
    RECEIVING_JOURNAL_END = 1,    /* no whole record there */
    RECEIVING_JOURNAL_STRANGE = 2 /* whole, but none of ours */
};

struct receiving_journal {
    struct inbox *inbox;
    uint64_t len; /* with what is not flushed */
    struct buffer pending;
};

/* Borrows the inbox; what lies there before counts once len says so. */
void receiving_journal_init(struct receiving_journal *j, struct inbox *inbox);
void receiving_journal_fini(struct receiving_journal *j);

/* All: 0 or -errno. */
int receiving_journal_begin(struct receiving_journal *j, const struct random_id *id);
int receiving_journal_message(struct receiving_journal *j, const struct peer_frame *f);
int receiving_journal_late(struct receiving_journal *j, uint64_t number,
                           enum transfer_reason reason);
int receiving_journal_checked(struct receiving_journal *j);
int receiving_journal_placed(struct receiving_journal *j);
int receiving_journal_flush(struct receiving_journal *j);
/* Of what is flushed, all from `len` on is gone. */
int receiving_journal_cut(struct receiving_journal *j, uint64_t len);

struct receiving_record {
    uint8_t type;
    struct bytes payload; /* holds until the reader goes on */
    uint64_t at;
};

/* Reads what is flushed, from any record on. */
struct receiving_reader {
    struct inbox *inbox;
    uint64_t at; /* the next record */
    struct buffer window;
};

void receiving_reader_init(struct receiving_reader *d, struct inbox *inbox, uint64_t at);
void receiving_reader_fini(struct receiving_reader *d);

/* RECEIVING_JOURNAL_END, -errno. */
int receiving_reader_next(struct receiving_reader *d, struct receiving_record *ret);

/* The message that it keeps; of CHUNK, data is empty and length says how much it was.
 * RECEIVING_JOURNAL_STRANGE. */
int receiving_record_message(const struct receiving_record *rec, struct transfer_message *ret);
/* RECEIVING_LATE, likewise. */
int receiving_record_late(const struct receiving_record *rec, uint64_t *ret_number,
                          enum transfer_reason *ret_reason);
bool receiving_record_begins(const struct receiving_record *rec, const struct random_id *id);

#endif
