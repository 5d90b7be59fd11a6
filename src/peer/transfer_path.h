#ifndef KITH_PEER_TRANSFER_PATH_H
#define KITH_PEER_TRANSFER_PATH_H

/* Where in the tree the entries of a transfer lie, as they come one after the other: the chain
 * of open folders, and what it and the entry are called, '/' between. Zeroed is the top. */

#include "base/limits.h"
#include "peer/transfer_message.h"

/* Of no open folder, in more than LIMIT_TRANSFER_DEPTH, or a path of more than
 * LIMIT_TRANSFER_PATH_BYTES. */
enum { TRANSFER_PATH_BEYOND = 1 };

struct transfer_path {
    size_t len;
    unsigned depth;                      /* folders open */
    uint16_t ends[LIMIT_TRANSFER_DEPTH]; /* of each, its path's length */
    uint8_t text[LIMIT_TRANSFER_PATH_BYTES];
};

/* The next entry: folders it does not lie in are closed; a folder is open then.
 * TRANSFER_PATH_BEYOND, all is as it was. */
int transfer_path_enter(struct transfer_path *p, const struct transfer_entry *entry);

/* Of the entry that came last; holds until the next one comes. */
struct bytes transfer_path_view(const struct transfer_path *p);

#endif
