#ifndef KITH_IO_INBOX_STREAM_H
#define KITH_IO_INBOX_STREAM_H

/* An inbox that keeps nothing: the content of one file goes to a descriptor, in order, as it
 * comes (peer/inbox.h). A second file, or a folder, is INBOX_NAME; a hole becomes zeros; what
 * was written cannot be written anew (-ESPIPE). There is no journal: what is appended is
 * forgotten, so an attempt that was cut cannot be gone on with. */

#include "peer/inbox.h"

struct inbox_stream {
    struct inbox inbox; /* first */
    int fd;             /* the caller's */
    bool has_number;
    uint64_t number; /* of the one file */
    uint64_t at;     /* so much of it was written */
    bool published;
};

void inbox_stream_init(struct inbox_stream *s, int fd);

#endif
