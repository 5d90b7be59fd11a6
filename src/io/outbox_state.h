#ifndef KITH_IO_OUTBOX_STATE_H
#define KITH_IO_OUTBOX_STATE_H

/* How a file that is sent is at one moment, so that it can be told later whether it has
 * changed. A file system counts time in steps: what is changed twice within one of them looks
 * the same after both. So a state counts as proven only where the last change was
 * LIMIT_TRANSFER_SETTLE_MS ago, and what is not proven is like no other. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct outbox_state {
    uint64_t size, device, inode;
    struct timespec mtime, ctime;
    bool executable; /* by its owner */
    bool proven;
    bool dense; /* it has no holes, as far as its blocks tell */
};

/* How what lies there is: arguments as for fstatat(2). Where it was changed just now, waits
 * once for that to be over. *ret_mode: what it is. -errno. */
int outbox_state_look(int folder, const char *name, int flags, struct outbox_state *ret,
                      mode_t *ret_mode);

bool outbox_state_same(const struct outbox_state *a, const struct outbox_state *b);

#endif
