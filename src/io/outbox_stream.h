#ifndef KITH_IO_OUTBOX_STREAM_H
#define KITH_IO_OUTBOX_STREAM_H

/* What comes from a descriptor, as one file of unknown size (peer/outbox.h). What was read of
 * it is spooled into a file, so that it can be sent again after a cut, by another process; what
 * the other side keeps is punched out of that, so that the disk needs to hold only what is
 * under way.
 *
 *     "kithpool", version 1 (1), reading 1, 0 2
 *     when it was begun: nanoseconds 4, seconds 8
 *     punched 8: all content before that; then 0 up to 4096
 *     content
 *
 * reading is 1 while bytes are taken from the descriptor that are not spooled yet. A process
 * that was ended then leaves a spool that may lack some: it is refused (OUTBOX_STREAM_TORN),
 * and the transfer cannot be gone on with. What was punched cannot be read: -ESTALE. Nor can
 * what lies behind all that was spooled: the other side would have us read on, to no end. */

#include "io/beneath.h"
#include "peer/outbox.h"

#include <time.h>

enum { OUTBOX_STREAM_TORN = 1 };

struct outbox_stream {
    struct outbox outbox; /* first */
    int fd, spool_fd;     /* the caller's */
    uint64_t spooled;     /* of content */
    uint64_t punched;     /* before that, there is nothing any more */
    bool ended;           /* the descriptor was */
    int error;            /* -errno: something was taken and is lost; nothing more comes */
    struct beneath_name name;
    struct timespec mtime; /* when the spool was begun */
};

/* spool_fd: a file, open for reading and writing, empty or as an earlier process has left it.
 * OUTBOX_STREAM_TORN; -EINVAL: not the name of a file; -errno. */
int outbox_stream_open(struct outbox_stream *s, int fd, int spool_fd, struct bytes name);

#endif
