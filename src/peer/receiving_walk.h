#ifndef KITH_PEER_RECEIVING_WALK_H
#define KITH_PEER_RECEIVING_WALK_H

/* All entries that a journal knows, in their order, as they are in the end: read once more to
 * check and to publish them. The journal was judged before (peer/receiving_course.h). */

#include "peer/receiving_journal.h"
#include "peer/transfer_path.h"

enum receiving_walk_event {
    RECEIVING_WALK_FOLDER,
    RECEIVING_WALK_FILE, /* it is whole */
    RECEIVING_WALK_DROPPED,
    RECEIVING_WALK_OVER
};

struct receiving_walk {
    struct receiving_reader reader;
    uint64_t end; /* of the journal */
    struct transfer_path path;
    struct transfer_entry entry; /* its name in `name` */
    uint8_t name[255];
    uint64_t said_at;    /* the record of its ENTRY, or AFRESH */
    uint64_t content_at; /* the records of its content, up to ... */
    uint64_t whole_at;   /* ... its WHOLE: */
    uint64_t size;       /* FILE */
    bool has_sha256;     /* FILE */
    uint8_t sha256[TRANSFER_SHA256_BYTES];
    enum transfer_reason reason; /* DROPPED */
};

/* All up to `end` is flushed, and stays as it is. */
void receiving_walk_init(struct receiving_walk *w, struct inbox *inbox, uint64_t end);
void receiving_walk_fini(struct receiving_walk *w);

/* -EIO: the journal is not what it was. */
int receiving_walk_next(struct receiving_walk *w, enum receiving_walk_event *ret);

#endif
