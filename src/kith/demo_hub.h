#ifndef KITH_KITH_DEMO_HUB_H
#define KITH_KITH_DEMO_HUB_H

/* The demo's own hub: a kithd on a free port of the loopback and a scratch folder, which goes
 * when it does. */

#include "client/where.h"
#include "io/process.h"
#include "kith/session.h"

#include <limits.h>

enum { DEMO_HUB_WAIT_MS = 10000 }; /* for its start and its end; past it, it hangs */

struct demo_hub {
    struct process process;
    char scratch[PATH_MAX];       /* empty: there is none */
    char where[WHERE_TEXT_BYTES]; /* once it listens, else empty */
    bool judged;                  /* how it ended was looked at */
};

/* Starts it and waits until it listens. Returns an exit code. */
int demo_hub_start(struct demo_hub *h, struct process_set *set, struct session *s,
                   const char *log);

/* Waits for it to end, by itself where it was asked to, else after a SIGTERM. Returns an exit
 * code: anything but an orderly end is wrong. */
int demo_hub_stop(struct demo_hub *h, struct session *s, bool was_asked);

/* Ends it in any case, in good order if it can, and removes the folder. Says so where it had
 * ended by itself, but for an orderly end. Safe on a zeroed one. */
void demo_hub_fini(struct demo_hub *h, struct session *s);

#endif
