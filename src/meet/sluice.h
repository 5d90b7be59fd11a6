#ifndef KITH_MEET_SLUICE_H
#define KITH_MEET_SLUICE_H

/* Between a carrier (meet/carrier.h) and the bulk channel of a talk: what the carrier writes to
 * its end of a socket is said there (peer/bulk_message.h), what is heard there is written to
 * the socket. So its connection goes over the talk, and it knows nothing of that.
 *
 * At most LIMIT_TRANSFER_RELAYED_BYTES are said and not TAKEN, each way: where a disk is slow
 * the carrier waits, and this process does not grow.
 *
 *   OPEN -> ENDED    the carrier's end is closed, and the other side is told
 *   OPEN -> LOST     nothing can be said any more
 *
 * Where the other side says END, the carrier reads what came before, then the end, and what it
 * writes goes nowhere. It lies on the heap; who has made it frees it, from within a call of its
 * own at any time. */

#include "base/buffer.h"
#include "base/list.h"
#include "peer/bulk_message.h"

#include <uv.h>

struct sluice;

enum { SLUICE_FULL = 1, SLUICE_BROKEN = 2 };

struct sluice_handler {
    /* Says a message, copied: SLUICE_FULL, until sluice_room; anything else but 0: it is LOST.
     * It does not call back. */
    int (*say)(struct sluice *s, struct bytes message);
};

enum sluice_state { SLUICE_OPEN, SLUICE_ENDED, SLUICE_LOST };

struct sluice {
    struct list link; /* the owner's */
    void *owner;
    struct random_id talk; /* the owner's: the introduction of the link it is over */
    const struct sluice_handler *handler;
    enum sluice_state state;
    struct random_id token;
    int fd; /* this end of the socket */
    uv_poll_t poll;
    struct buffer unsaid;        /* a message that the channel had no room for */
    struct buffer unread;        /* heard, and not written to the carrier yet */
    uint64_t said, let_go;       /* bytes of DATA; of them TAKEN by the other side */
    uint64_t heard, taken, told; /* likewise heard; written to the carrier; said so */
    bool is_alone;               /* the other side has said END */
    bool is_left;                /* the carrier's end is closed */
};

/* ret_fd: the carrier's end, which blocks, the caller's. handler.say is called from the loop
 * alone, and from within sluice_take and sluice_room. -errno. */
int sluice_new(struct sluice **ret, uv_loop_t *loop, const struct random_id *token,
               const struct sluice_handler *handler, void *owner, int *ret_fd);

/* A message of its token. BROKEN: against the protocol; nothing of it was taken. */
int sluice_take(struct sluice *s, const struct bulk_message *m);

/* There is room again on the channel. */
void sluice_room(struct sluice *s);

/* The carrier has ended: what it has written is said as far as that may be said now, then END.
 */
void sluice_leave(struct sluice *s);

/* There is nothing left to do. */
static inline bool sluice_is_done(const struct sluice *s)
{
    return s->state != SLUICE_OPEN && buffer_len(&s->unsaid) == 0;
}

/* The carrier's connection ends without a word, and the other side is told. */
void sluice_cut(struct sluice *s);

/* Where it is OPEN, the carrier's connection ends without a word. */
void sluice_free(struct sluice *s);

#endif
