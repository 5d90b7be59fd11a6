#ifndef KITH_IO_INBOX_STREAM_H
#define KITH_IO_INBOX_STREAM_H

/* An inbox that keeps nothing: the content of one file goes to a descriptor, in order, as it
 * comes (peer/inbox.h). A second file, or a folder, is INBOX_NAME; a hole becomes zeros; what
 * was written cannot be written anew (-ESPIPE). The journal is in memory, for this attempt: one
 * that was cut cannot be gone on with. */

#include "peer/inbox.h"

struct inbox_stream {
    struct inbox inbox; /* first */
    int fd;             /* the caller's */
    int journal_fd;     /* of a file in memory */
    uint64_t journal_len;
    bool has_number;
    uint64_t number; /* of the one file */
    uint64_t at;     /* so much of it was written */
    bool published;
};

/* -errno: nothing to close then. */
int inbox_stream_open(struct inbox_stream *s, int fd);
void inbox_stream_close(struct inbox_stream *s);

#endif
