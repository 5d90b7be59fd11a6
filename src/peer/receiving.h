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
 *   BEGUN -> TAKING -> CHECKING -> PUBLISHED       all messages are there; all sums are right
 *   all -> STOPPED                                 with a reason, which the other side has
 * heard or is to be told (it is in out)
 *
 * Hostile until proven otherwise: order, numbers, offsets, sizes, depths, names and totals are
 * all checked against each other and against the terms; what breaks them is TRANSFER_BROKEN (or
 * the reason that fits), staging is left as it was. */

#include "base/random_id.h"
#include "peer/inbox.h"

enum receiving_state {
    RECEIVING_BEGUN,
    RECEIVING_TAKING,
    RECEIVING_CHECKING,
    RECEIVING_PUBLISHED,
    RECEIVING_STOPPED
};

/* What was agreed on. */
struct receiving_terms {
    struct random_id id; /* seeds the sums */
    uint64_t cap;        /* of content and entries (LIMIT_TRANSFER_ENTRY_BYTES each) */
    uint64_t bytes;      /* of content, as offered; TRANSFER_SIZE_UNKNOWN */
    uint64_t entries;    /* as offered; likewise */
    bool sha256;         /* wanted: each file's is computed, and compared with the sender's */
};

struct receiving;

/* Each may be NULL. Names are as they came: to be cleaned before they are shown. */
struct receiving_handler {
    /* A file was put into its place; path: from the top of the transfer, '/' between. */
    void (*file)(struct receiving *r, struct bytes path, uint64_t size, const uint8_t *sha256);
    /* It was given up by the sender. */
    void (*dropped)(struct receiving *r, struct bytes path, enum transfer_reason reason);
    void (*published)(struct receiving *r, struct bytes name, const char *now_called);
};

#endif
