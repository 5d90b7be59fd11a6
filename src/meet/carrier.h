#ifndef KITH_MEET_CARRIER_H
#define KITH_MEET_CARRIER_H

/* The process that does the disk's and the network's work of a transfer, as seen from the loop
 * of the one that asks for it: our own program, started anew under the name CARRIER_NAME
 * (meet/carrying.h is what it does). It is told once what to do; it says how it goes on; it
 * ends by itself, with us, or when it is killed, at any time: what it leaves on the disk is
 * gone on with.
 *
 *   CLOSED -> RUNNING -> CLOSED       carrier_start; handler.ended
 *
 * The owner embeds it, and leaves it alone until handler.ended, which comes last and never from
 * within a call of the owner's. */

#include "base/buffer.h"
#include "peer/transfer_reason.h"

#include <uv.h>

#define CARRIER_NAME "kith-carrier"

struct carrier;

/* What it tells: messages of fields (wire/field.h), each of which is one piece of news, again
 * as fields, of which the first is one of these numbers. */
enum carrier_news {
    CARRIER_LISTED = 1, /* entries, bytes, tops, name: all of what is sent was found */
    CARRIER_SKIPPED,    /* path, why: it is not sent */
    CARRIER_CONNECTED,  /* to the other side's */
    CARRIER_RUNS,       /* entries, bytes, of them kept, bound (enum carrier_bound), path */
    CARRIER_FILE,       /* path, size, SHA-256 or nothing: is whole, on either side */
    CARRIER_DROPPED,    /* path, reason */
    CARRIER_AFRESH,     /* path: it has changed, and is sent anew */
    CARRIER_PUBLISHED,  /* name, what it is called now */
    CARRIER_WHOLE,      /* incoming: all is published, and about to be forgotten here */
    CARRIER_END         /* enum carrier_end, reason, words */
};

/* What it waited for most, since it told last. */
enum carrier_bound {
    CARRIER_BY_NOTHING,
    CARRIER_BY_DISK, /* this one's */
    CARRIER_BY_CPU,  /* likewise */
    CARRIER_BY_NETWORK,
    CARRIER_BY_OTHER /* the other side's disk or processor */
};

enum carrier_end {
    CARRIER_DONE,
    CARRIER_CUT,    /* the connection is lost, or there was none: to be tried again */
    CARRIER_STOPPED /* for a reason */
};

struct carrier_handler {
    /* news: the fields behind the first; they hold until it returns. */
    void (*told)(struct carrier *c, enum carrier_news what, struct bytes news);
    /* As CARRIER_END said; CARRIER_CUT where it ended without a word. words: of it. */
    void (*ended)(struct carrier *c, enum carrier_end how, enum transfer_reason reason,
                  const char *words);
};

struct carrier {
    const struct carrier_handler *handler;
    bool running;
    int pid, exit_fd, courier; /* RUNNING */
    uv_poll_t news;
    int closing; /* handles not yet closed */
    bool over;   /* it has said CARRIER_END */
    enum carrier_end how;
    enum transfer_reason reason;
    char words[200];
};

/* Starts it. -errno: ended does not follow then. */
int carrier_start(struct carrier *c, uv_loop_t *loop, const struct carrier_handler *handler);

/* A message of its order (meet/carrying.h); fd -1: none, else it stays the caller's. What fails
 * ends it. */
void carrier_order(struct carrier *c, struct bytes message, int fd);

/* Ends it, at once; handler.ended follows. Nothing where it is not RUNNING. */
void carrier_kill(struct carrier *c);

#endif
