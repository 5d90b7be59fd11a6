#ifndef KITH_PEER_INBOX_H
#define KITH_PEER_INBOX_H

/* The seam below peer/receiving.h: where one transfer is staged, kept safe and published. What
 * a peer has sent is written through nothing else. Calls may block: they are made by a process
 * that may wait.
 *
 * Staged content is a file for each entry, known by its number. Once all is there and checked,
 * the tree is built beside it, each file put into its place; last, what lies at the top of the
 * tree is published, one by one. A small file may be made in its place at once (begin): it is
 * found by its number as long as it is open, and again once it was taken back.
 *
 * All return 0, -errno, or what each says. After an error of writing (-ENOSPC, -EDQUOT, -EIO
 * ...) what was staged since the last sync counts as lost; nothing else does. */

#include "base/bytes.h"
#include "peer/transfer_message.h"

enum {
    INBOX_NONE = 1,  /* there is no such thing: of a staged file; or it has its place already */
    INBOX_TAKEN = 2, /* there is one of that name */
    INBOX_NAME = 3   /* the file system has no such name */
};

/* Where something of a name that is taken goes. */
enum inbox_rule {
    INBOX_REFUSE,
    INBOX_RENAME, /* under another name, as "a (2).txt" */
    INBOX_REPLACE /* in place of the other, at once; a folder is renamed all the same */
};

struct inbox;

struct inbox_ops {
    /* The journal: bytes behind each other. Appended ones may be lost until sync. */
    int (*journal_append)(struct inbox *i, struct bytes data);
    /* *ret_n 0: the end. */
    int (*journal_read)(struct inbox *i, uint64_t offset, uint8_t *into, size_t room,
                        size_t *ret_n);
    /* What lies behind `len` is gone. */
    int (*journal_cut)(struct inbox *i, uint64_t len);

    /* Opens the staged file of an entry, for writing and reading, in place of the one that was
     * open; where it is not there, makes it. fresh: it is empty then. */
    int (*stage)(struct inbox *i, uint64_t number, bool fresh);
    /* The next entry of a transfer, in their order: a file is staged, as fresh; a folder may be
     * made in the tree already. INBOX_TAKEN, INBOX_NAME. */
    int (*begin)(struct inbox *i, const struct transfer_entry *entry);
    /* What an earlier opening has begun in its place is staged again, by its number: entry by
     * entry, in their order, from the first; then NULL, after which there is no tree. It may
     * fail to find one. */
    int (*take_back)(struct inbox *i, const struct transfer_entry *entry);
    /* Of the one that is open. Beyond its end there are holes. */
    int (*write)(struct inbox *i, uint64_t offset, struct bytes data);
    int (*read)(struct inbox *i, uint64_t offset, uint8_t *into, size_t room, size_t *ret_n);
    /* All of it is written: it has that size, times and mode, and is closed. */
    int (*complete)(struct inbox *i, const struct transfer_entry *entry, uint64_t size);
    /* INBOX_NONE. */
    int (*drop)(struct inbox *i, uint64_t number);

    /* All that was staged is on the disk; after it, and only then, the journal is. */
    int (*sync)(struct inbox *i);

    /* Bytes that can still be written. */
    int (*room)(struct inbox *i, uint64_t *ret);

    /* May something be published under this name, by the rule? INBOX_TAKEN, INBOX_NAME. */
    int (*check_name)(struct inbox *i, struct bytes name);

    /* Builds the tree, entry by entry in their order. A folder is made, or is there already; a
     * staged file gets its place: INBOX_NONE where it has it already, INBOX_TAKEN where another
     * has. entry->depth is at most one more than that of the folder before. */
    int (*place)(struct inbox *i, const struct transfer_entry *entry);
    /* All are in their places, and folders have their times; on the disk. */
    int (*placed)(struct inbox *i);

    /* Publishes what lies at the top of the tree under that name; ret_name gets the one it has
     * now, NAME_MAX + 1 bytes. INBOX_NONE: it is published already. A name that was taken
     * meanwhile, against the rule, gets another as by INBOX_RENAME: nothing that came is lost.
     */
    int (*publish)(struct inbox *i, struct bytes name, char *ret_name);
    /* Nothing of the transfer is left but what was published. */
    int (*clear)(struct inbox *i);
};

struct inbox {
    const struct inbox_ops *ops;
};

#endif
