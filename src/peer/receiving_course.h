#ifndef KITH_PEER_RECEIVING_COURSE_H
#define KITH_PEER_RECEIVING_COURSE_H

/* The course of what a sender says, message by message: which may follow which, and how much of
 * it there may be. What comes from the other side and what comes from a journal is judged here
 * alike. Content is judged by its length alone. */

#include "base/random_id.h"
#include "peer/transfer_path.h"

/* What was agreed on. */
struct receiving_terms {
    struct random_id id; /* its first 8 bytes seed the sums */
    uint64_t cap;        /* of content and entries (LIMIT_TRANSFER_ENTRY_BYTES each) */
    uint64_t bytes;      /* of content, as offered; TRANSFER_SIZE_UNKNOWN */
    uint64_t entries;    /* as offered; likewise */
    bool sha256;         /* wanted: each file's is computed, and compared with the sender's */
};

struct receiving_course {
    struct receiving_terms terms;
    struct transfer_path path;
    bool over;                   /* there are no more entries */
    uint64_t number;             /* the next entry, or the one whose content comes */
    bool within;                 /* it comes: */
    struct transfer_entry entry; /* its name in `name`; as it was last, where none is within */
    uint8_t name[255];
    uint64_t offset; /* all before it came */
    bool at_end;     /* of an unknown size: there is no more */
    bool anew;       /* AFRESH was said of it */
    uint64_t listed; /* the size that ENTRY said */
    uint64_t bytes;  /* of content that counts, holes among it, of all entries */
    uint64_t grown;  /* AFRESH said so much more than ENTRY; allowed beyond what was offered */
};

void receiving_course_init(struct receiving_course *c, const struct receiving_terms *terms);

/* ENTRY, CHUNK, HOLE, WHOLE, AFRESH, DROPPED. 0; or why the attempt is over: TRANSFER_BROKEN,
 * TRANSFER_TOO_MUCH; then c is of no use any more. */
int receiving_course_take(struct receiving_course *c, const struct transfer_message *m);

/* The entry that is within counts as not yet said. */
void receiving_course_forget(struct receiving_course *c);

#endif
