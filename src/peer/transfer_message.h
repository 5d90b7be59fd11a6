#ifndef KITH_PEER_TRANSFER_MESSAGE_H
#define KITH_PEER_TRANSFER_MESSAGE_H

/* What two devices say to each other on the data connection of a transfer: frames
 * (wire/peer_frame.h) whose types are these (docs/peer-protocol.md, "The data connection").
 * Numbers are big-endian.
 *
 * Entries are numbered from 0 in the order in which they are said: a folder before what is in
 * it. Content comes in order behind its entry, in chunks of TRANSFER_CHUNK_BYTES, the last one
 * shorter; what is hole at least from one chunk's begin to another's may be said as one. So a
 * place is an entry and an offset in it, and all before it was said. */

#include "base/buffer.h"
#include "peer/transfer_reason.h"
#include "wire/peer_frame.h"

enum { TRANSFER_CHUNK_BYTES = 256 * 1024, TRANSFER_SUM_BYTES = 16, TRANSFER_SHA256_BYTES = 32 };
#define TRANSFER_SIZE_UNKNOWN UINT64_MAX

enum transfer_message_type {
    /* Of who sends: */
    TRANSFER_ENTRY = 1, /* number 8; kind 1, 'f' or 'd'; executable 1, 0 or 1; depth 2; size 8;
                           mtime: seconds 8 (signed), nanoseconds 4; name, the rest */
    TRANSFER_CHUNK = 2, /* number 8, offset 8, sum 16, data */
    TRANSFER_HOLE = 3,  /* number 8, offset 8, length 8 */
    TRANSFER_WHOLE =
        4, /* number 8, size 8, SHA-256 32 where it is wanted: its content is over */
    TRANSFER_AFRESH = 5,  /* as ENTRY, with its number again: it has changed. What came of its
                             content is void, and all of it follows anew */
    TRANSFER_DROPPED = 6, /* number 8, reason 1: it cannot be read; what came of it is void */
    TRANSFER_END = 7,     /* entries 8, bytes 8, of content said on this connection, holes and
                             what is void among it: no more but what is asked for */

    /* Of who receives: */
    TRANSFER_PLACE = 16, /* number 8, within 1, offset 8; the first, once: begin with the ENTRY
                            of that number; within 1: with its content from offset on */
    TRANSFER_AGAIN = 17, /* number 8, offset 8: that chunk, answered by CHUNK or by DROPPED;
                            after END, one at a time */
    TRANSFER_KEPT = 18, /* number 8, offset 8, bytes 8: all before that place is on the disk; so
                           much of content, holes among it */
    TRANSFER_DONE = 19, /* all is checked and published */

    /* Of both: */
    TRANSFER_STOP = 32 /* reason 1: this attempt is over */
};

enum transfer_kind { TRANSFER_FILE = 'f', TRANSFER_FOLDER = 'd' };

/* A file or a folder. */
struct transfer_entry {
    uint64_t number;
    enum transfer_kind kind;
    bool executable; /* by its owner */
    unsigned depth;  /* folders it lies in, of the transfer; 0: at the top */
    uint64_t size;   /* or TRANSFER_SIZE_UNKNOWN; a folder's is 0 */
    int64_t seconds; /* mtime */
    uint32_t nanoseconds;
    struct bytes name; /* 1 to 255 bytes; borrowed */
};

struct transfer_message {
    enum transfer_message_type type;
    struct transfer_entry entry;     /* ENTRY, AFRESH */
    uint64_t number, offset;         /* the others; END: entries, bytes */
    uint64_t length;                 /* HOLE, WHOLE's size; KEPT's bytes */
    bool within;                     /* PLACE */
    uint8_t sum[TRANSFER_SUM_BYTES]; /* CHUNK */
    bool has_sha256;                 /* WHOLE */
    uint8_t sha256[TRANSFER_SHA256_BYTES];
    struct bytes data;           /* CHUNK, 1 to TRANSFER_CHUNK_BYTES; borrowed */
    enum transfer_reason reason; /* DROPPED, STOP */
};

enum {
    TRANSFER_MALFORMED = 3,
    TRANSFER_STRANGE = 4 /* a type of a later version: pass over */
};

/* Names: no NUL, no '/', not "." nor "..". TRANSFER_MALFORMED is told of all that breaks the
 * shape of one message; what messages mean together is for peer/receiving.h to judge. */
int transfer_message_read(const struct peer_frame *f, struct transfer_message *ret);

/* The whole frame, appended: -ENOMEM, BUFFER_FULL. */
int transfer_message_write(struct buffer *out, const struct transfer_message *m);

/* A CHUNK whose data is read where it goes: room for all of the frame, data at *ret_data; then
 * seal it with what there is. */
int transfer_chunk_begin(struct buffer *out, uint8_t **ret_data);
void transfer_chunk_seal(struct buffer *out, uint64_t number, uint64_t offset,
                         const uint8_t sum[TRANSFER_SUM_BYTES], size_t len);

#endif
