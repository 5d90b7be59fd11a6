#ifndef KITH_HUB_HASHING_H
#define KITH_HUB_HASHING_H

/* A password hashed for a connection, by a thread that may wait (hub/job.h): LIMIT_HASHES at
 * once, on all workers together, since each takes much memory. Those that come meanwhile wait
 * their turn, LIMIT_HASHES_WAITING of them; past that it is refused.
 *
 *   a command        hashing_begin, and returns what that does: COMMAND_AGAIN_JOB
 *   the same, again  hashing_result: what came of it
 *   it is over       hashing_end
 *
 * States: WAITS -> GOES -> DONE, and from any of them, when the connection goes, freed. */

#include "hub/command.h"
#include "hub/job.h"
#include "people/password.h"

/* What is to be hashed. */
struct hashing_plan {
    bool checks;           /* is `given` the password `kept`? */
    struct password kept;  /* where it checks */
    struct bytes given;    /* likewise */
    bool makes;            /* a new password of `chosen` */
    struct bytes chosen;   /* where it makes */
    struct password fresh; /* likewise: its cost and salt, and then all of it */
};

struct hashing {
    struct job job;
    struct list wait_link; /* in hub.hashings, while it waits */
    struct hashing_plan plan;
    bool right; /* where it checks */
    bool done;
    int result;     /* 0 or -ENOMEM */
    uint64_t tag;   /* the command's own */
    uint64_t lsn;   /* likewise: of what it then changed; 0: nothing yet */
    uint8_t text[]; /* given and chosen */
};

/* COMMAND_AGAIN_JOB; or COMMAND_DONE: it could not be, and that is answered. */
int hashing_begin(struct call *call, const struct hashing_plan *plan, uint64_t tag);

/* What was hashed for this connection's command; NULL: nothing yet. */
const struct hashing *hashing_result(const struct connection *c);

/* The command has made its change, and runs again until that is durable. */
void hashing_made_change(struct connection *c, uint64_t lsn);

/* The command is over. */
void hashing_end(struct connection *c);

/* The connection goes. Takes NULL. */
void hashing_leave(struct hashing *h);

/* One may have ended on another worker: begins those that wait here, as far as they may. */
void hashing_go_on(struct hub *hub);

#endif
