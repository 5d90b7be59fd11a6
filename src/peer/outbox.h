#ifndef KITH_PEER_OUTBOX_H
#define KITH_PEER_OUTBOX_H

/* The seam below peer/sending.h: what is sent, as a list of entries made beforehand, and their
 * content. Calls may block: they are made by a process that may wait.
 *
 * The list says how each file was when it was made: size, times, inode. A file that is not so
 * any more has changed, and what was read of it before never stands beside what is read now.
 *
 * All return 0, -errno (a source that cannot be read, too), or what each says. */

#include "base/bytes.h"
#include "peer/transfer_message.h"

enum {
    OUTBOX_END = 1,     /* there are no more */
    OUTBOX_CHANGED = 2, /* it is not as it was */
    OUTBOX_GONE = 3     /* it is there no more, or is no file any more */
};

struct outbox;

struct outbox_ops {
    /* The entry of that number; quick where it is the one after the last that was asked for.
     * ret->name holds until the next call. OUTBOX_END. */
    int (*entry)(struct outbox *o, uint64_t number, struct transfer_entry *ret);

    /* Opens the content of the file last asked for by entry, in place of any other.
     * OUTBOX_CHANGED: it is open all the same, as it is now. OUTBOX_GONE. */
    int (*open)(struct outbox *o);
    /* How it is now, of the one that is open: size, times, mode; and it counts as unchanged
     * from now on. */
    int (*look)(struct outbox *o, struct transfer_entry *ret);
    /* Is the one that is open as it was when it was opened, or looked at last? OUTBOX_CHANGED.
     */
    int (*check)(struct outbox *o);
    /* *ret_n less than room: the end. What has no known size is waited for. */
    int (*read)(struct outbox *o, uint64_t offset, uint8_t *into, size_t room, size_t *ret_n);
    /* From offset on, where the next data are; the size where there is only a hole. */
    int (*next_data)(struct outbox *o, uint64_t offset, uint64_t *ret);
    /* The other side keeps all before this place: of what cannot be read twice it may be
     * forgotten. */
    void (*kept)(struct outbox *o, uint64_t number, uint64_t offset);
};

struct outbox {
    const struct outbox_ops *ops;
};

#endif
