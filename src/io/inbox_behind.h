#ifndef KITH_IO_INBOX_BEHIND_H
#define KITH_IO_INBOX_BEHIND_H

/* An inbox (peer/inbox.h) that writes behind: staging, writing and completing files are put
 * into a queue, content copied, and done in their order by a thread, over another inbox, while
 * its owner decrypts and sums what comes next. Everything else waits for the queue to be empty,
 * but for journal_append, which the inbox below has to allow beside those three.
 *
 * An error of the thread's is returned by the next call, whatever that is, and by every one
 * from then on; the journal is cut back to what was synced last, so that it says nothing of
 * what was not written. Landlock binds a thread that is started after it (io/confinement.h). */

#include "peer/inbox.h"

#include <pthread.h>

enum {
    INBOX_BEHIND_JOBS = 256,
    INBOX_BEHIND_BYTES = 8 * TRANSFER_CHUNK_BYTES /* of content, not yet written */
};

enum inbox_behind_what { INBOX_BEHIND_STAGE, INBOX_BEHIND_WRITE, INBOX_BEHIND_COMPLETE };

struct inbox_behind_job {
    enum inbox_behind_what what;
    uint64_t at;                 /* STAGE: the number; WRITE: the offset; COMPLETE: the size */
    bool fresh;                  /* STAGE */
    struct transfer_entry entry; /* COMPLETE; without its name */
    size_t data_at, len, taken;  /* WRITE: in data; of data, with what was left at its end */
};

struct inbox_behind {
    struct inbox inbox; /* first */
    struct inbox *below;
    uint64_t journal_len, journal_synced;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* there is a job, or one is done, or it is over */
    struct inbox_behind_job jobs[INBOX_BEHIND_JOBS];
    size_t first, count;   /* of the queue; the first is being done */
    uint8_t *data;         /* INBOX_BEHIND_BYTES, a ring */
    size_t data_end, used; /* where the next content goes; bytes of jobs that wait */
    int error;             /* the first */
    bool over;
    bool waits, worker_waits; /* one of the two, for a change */
};

/* -ENOMEM, or what starting a thread returns: nothing to close then. below is borrowed. */
int inbox_behind_open(struct inbox_behind *b, struct inbox *below);

/* What waits is still done. */
void inbox_behind_close(struct inbox_behind *b);

#endif
