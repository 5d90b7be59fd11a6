#ifndef KITH_PEER_RECEIVING_H
#define KITH_PEER_RECEIVING_H

/* What receives a transfer, as a machine over an inbox (peer/inbox.h): messages in, messages
 * out. One lasts as long as one connection; the next goes on from the journal.
 *
 * Everything that comes is staged and written into the journal (without data, with the sums);
 * receiving_sync makes it durable: staged content first, then the journal. After a crash what
 * the journal says counts, up to its first record that is not whole, and content that was said
 * there by an earlier connection is read back and compared with its sums before anything is
 * published; what is not so any more is asked for again, LIMIT_TRANSFER_AGAIN times each. Then
 * the tree is built and published.
 *
 *   BEGUN -> TAKING -> CHECKING -> PLACING -> PUBLISHING -> PUBLISHED
 *   all -> STOPPED       with a reason, which the other side has said or is to be told (in out)
 *
 * What is checked is in the journal; a later connection goes on from there. All that follows
 * may be done more than once. The inbox is cleared before DONE is said: where that does not
 * arrive, the owner of r has to know that the transfer is over, and to say so.
 *
 * A file that was said AFRESH and is not whole is begun anew by the next connection: that one's
 * sender knows of it only what its list says.
 *
 * Memory is the same, whatever is received. Hostile until proven otherwise: order, numbers,
 * offsets, sizes, depths, names and totals are all checked against each other and against the
 * terms; what breaks them is TRANSFER_BROKEN (or the reason that fits), staging is left as it
 * was. */

#include "base/sha256.h"
#include "peer/receiving_course.h"
#include "peer/receiving_walk.h"

enum receiving_state {
    RECEIVING_BEGUN,
    RECEIVING_TAKING,
    RECEIVING_CHECKING, /* content of earlier connections */
    RECEIVING_PLACING,  /* the tree is built */
    RECEIVING_PUBLISHING,
    RECEIVING_PUBLISHED,
    RECEIVING_STOPPED
};

enum { RECEIVING_WAITS = 2 }; /* nothing to do until something is heard */

/* All that one call appends to out. */
enum { RECEIVING_ROOM_BYTES = 128 };

struct receiving;

/* Each may be NULL. Names are as they came: to be cleaned before they are shown. They are told
 * while it is published: by the connection that does so, of all entries; by one that was
 * interrupted and by the next, of some of them twice. */
struct receiving_handler {
    /* A file was put into its place; path: from the top of the transfer, '/' between. */
    void (*file)(struct receiving *r, struct bytes path, uint64_t size, const uint8_t *sha256);
    /* It was given up by the sender. */
    void (*dropped)(struct receiving *r, struct bytes path, enum transfer_reason reason);
    void (*published)(struct receiving *r, struct bytes name, const char *now_called);
    /* All is published; what is left of the staging is about to go, and with it all that is
     * known here of the transfer. */
    void (*whole)(struct receiving *r);
};

/* Dropped after it was whole. */
struct receiving_late {
    uint64_t number;
    enum transfer_reason reason;
};

/* A piece of content that is read back: a chunk, or as much of a hole. */
struct receiving_piece {
    uint64_t offset;
    size_t len;
    bool hole;
    uint8_t sum[TRANSFER_SUM_BYTES];
    unsigned again; /* times it was asked for */
    bool differs;   /* what came last was not what was said of it */
};

struct receiving_check {
    bool within;                    /* content of the walk's file is being read: */
    struct receiving_reader reader; /* its records */
    struct receiving_piece piece;
    uint64_t hole_end; /* what is left of a hole ends there */
    bool holds;        /* a piece that is not yet right */
    bool waits;        /* it was asked for */
    uint8_t *data;     /* TRANSFER_CHUNK_BYTES */
};

struct receiving {
    struct inbox *inbox;
    const struct receiving_handler *handler;
    void *owner; /* for the handler: not touched */
    enum receiving_state state;
    enum transfer_reason reason; /* STOPPED */

    struct receiving_course course; /* entries and bytes so far: its number and bytes */
    struct receiving_journal journal;
    uint64_t earlier;  /* the journal's length when this connection began */
    uint64_t entry_at; /* where the record of the last ENTRY begins */
    bool checked;      /* as the journal says */
    bool placed;       /* likewise */
    struct receiving_late late[LIMIT_TRANSFER_LATE];
    size_t late_count;

    uint64_t bytes_taken;  /* on this connection, void or not */
    uint64_t unkept_bytes; /* not on the disk yet; an entry counts, too */
    bool unsynced;
    unsigned again; /* times the file was said afresh, on this connection */
    bool hashing;   /* all of the file came on this connection, and is in the hash */
    struct sha256 hash;

    struct receiving_walk walk; /* CHECKING, PLACING, PUBLISHING */
    struct receiving_check check;
};

/* Inbox and handler (it may be NULL) are borrowed as long as r lives. */
void receiving_init(struct receiving *r, struct inbox *inbox,
                    const struct receiving_terms *terms,
                    const struct receiving_handler *handler);
void receiving_fini(struct receiving *r);

/* All of these append to out, RECEIVING_ROOM_BYTES at most. 0; -ENOMEM, BUFFER_FULL: the
 * attempt is over. Whatever else goes wrong is a state, STOPPED. */

/* Once, first: reads the journal, and says from where on the other side is to send. */
int receiving_begin(struct receiving *r, struct buffer *out);

/* A frame that came. */
int receiving_take(struct receiving *r, const struct peer_frame *f, struct buffer *out);

/* A piece of the work that follows when all was said: content is read back, the tree built and
 * published; so that its owner can do something else between. RECEIVING_WAITS. */
int receiving_work(struct receiving *r, struct buffer *out);

/* Makes durable what came, and says so; to be called LIMIT_TRANSFER_SYNC_MS after something
 * came, or as soon as receiving_wants_sync. */
int receiving_sync(struct receiving *r, struct buffer *out);
bool receiving_wants_sync(const struct receiving *r);

/* The attempt is over, unless it is. What is not synced is lost. */
int receiving_stop(struct receiving *r, enum transfer_reason reason, struct buffer *out);

#endif
