#ifndef KITH_MEET_NEWCOMER_H
#define KITH_MEET_NEWCOMER_H

/* A connection that has just come to the peer port, while it is not known what it wants: TLS of
 * a session, or to carry a transfer's data (peer/preamble.h). Its first byte tells. Of TLS
 * nothing is read, of the other no more than the preamble; what is neither is closed.
 *
 * It lies on the heap and frees itself: one handler is called, once, and then it is gone. The
 * descriptor a handler is given is its owner's, does not block, and hangs on no loop. */

#include "base/list.h"
#include "base/time.h"
#include "peer/preamble.h"

#include <uv.h>

struct newcomer;

struct newcomer_handler {
    void (*tls)(struct newcomer *n,
                int fd); /* or whatever else does not begin like a preamble */
    void (*data)(struct newcomer *n, const struct preamble *p, int fd);
    void (*gone)(struct newcomer *n); /* it was closed, here or there */
};

struct newcomer {
    struct list link; /* the owner's */
    void *owner;
    const struct newcomer_handler *handler;
    uv_poll_t poll;
    int fd;
    struct instant since;
    uint8_t said[PREAMBLE_BYTES]; /* of a preamble */
    size_t said_len;
};

/* Takes fd, a connected socket, whatever becomes of it. -errno. */
int newcomer_new(struct newcomer **ret, uv_loop_t *loop, int fd,
                 const struct newcomer_handler *handler, void *owner);

/* No handler is called any more. */
void newcomer_close(struct newcomer *n);

#endif
