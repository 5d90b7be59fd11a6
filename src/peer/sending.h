#ifndef KITH_PEER_SENDING_H
#define KITH_PEER_SENDING_H

/* What sends a transfer, as a machine over an outbox (peer/outbox.h): messages in, messages
 * out (peer/transfer_message.h). It lasts as long as one connection; the next begins where the
 * other side says.
 *
 *   UNPLACED -> TELLING -> ENDED                all was said; chunks may be asked for again
 *   all -> STOPPING -> CLOSED                   our STOP is to be said, is said
 *   all -> CLOSED                               DONE or STOP was heard
 *
 * A file that has changed is said afresh, LIMIT_TRANSFER_AGAIN times at most, then dropped, as
 * is one that cannot be read: the others go on. So what was said of a file up to WHOLE is how
 * it was at one time, as far as the outbox can tell. A chunk that is asked for again is read
 * again if its file is as it was in the list; else the file is dropped.
 *
 * END says how much content, holes among it, was said on this connection, void or not.
 *
 * SHA-256, where wanted, is of what is read as it is said; of a file whose begin was said on
 * another connection, all is read once more at its end. */

#include "base/random_id.h"
#include "base/sha256.h"
#include "peer/outbox.h"
#include "peer/transfer_path.h"

enum {
    SENDING_FILL_BYTES = 64 * 1024, /* said at once, where messages are small ... */
    SENDING_ROOM_BYTES =            /* ... and at most: so much room `out` has to have */
    SENDING_FILL_BYTES + TRANSFER_CHUNK_BYTES + 1024
};

enum {
    SENDING_WAITS = 2, /* nothing to say until something is heard */
    SENDING_OVER = 3   /* nothing to say any more */
};

enum sending_state {
    SENDING_UNPLACED,
    SENDING_TELLING,
    SENDING_ENDED,
    SENDING_STOPPING,
    SENDING_CLOSED
};

struct sending;

struct sending {
    struct outbox *outbox;
    /* All of a file was said, and so was its SHA-256, where that is wanted: NULL, or to be
     * told. The path is from the top of the transfer. */
    void (*file)(struct sending *s, struct bytes path, uint64_t size, const uint8_t *sha256);
    /* It is given up; of one whose chunk was asked for again the path is its name alone. */
    void (*dropped)(struct sending *s, struct bytes path, enum transfer_reason reason);
    /* It has changed while it was sent, or since: it is said anew. */
    void (*afresh)(struct sending *s, struct bytes path);
    void *owner;   /* for these: not touched */
    uint64_t seed; /* of the sums */
    bool sha256_wanted;
    enum sending_state state;
    enum transfer_reason reason; /* STOPPING, CLOSED; NONE: all is done */

    uint64_t number;             /* the next entry, or the one whose content is being said */
    bool within;                 /* it is being said: */
    struct transfer_entry entry; /* its name in `name` */
    uint8_t name[255];
    uint64_t offset; /* all before it was said */
    bool reopens;    /* at a place within: its file is to be opened */
    bool at_end;     /* of an unknown size: there is no more */
    unsigned again;  /* times it was said afresh */
    bool hashing;    /* all before offset is in the hash */
    struct sha256 hash;
    struct transfer_path path;

    bool asked; /* for a chunk again */
    uint64_t asked_number, asked_offset;

    /* To be shown. Content of the entries said, holes among it, as it counts now; what is void
     * does not. */
    uint64_t bytes;
    uint64_t bytes_said; /* on this connection, void or not */
    uint64_t bytes_kept; /* by the other side, as it says */
};

/* The outbox is borrowed as long as s lives. */
void sending_init(struct sending *s, struct outbox *outbox, const struct random_id *id,
                  bool sha256_wanted);
void sending_fini(struct sending *s);

/* A frame that came; what breaks the protocol ends it (TRANSFER_BROKEN). */
void sending_hear(struct sending *s, const struct peer_frame *f);

/* Appends a message at least, SENDING_ROOM_BYTES at most. SENDING_WAITS, SENDING_OVER;
 * -ENOMEM, BUFFER_FULL: the attempt is over. */
int sending_next(struct sending *s, struct buffer *out);

/* The attempt is to end, unless it has: STOP is said next. */
void sending_stop(struct sending *s, enum transfer_reason reason);

/* What is being said: from the top of the transfer. Empty at first. */
struct bytes sending_path(const struct sending *s);

#endif
