#ifndef KITH_IO_INBOX_FOLDER_H
#define KITH_IO_INBOX_FOLDER_H

/* An inbox on the real disk: struct inbox (peer/inbox.h) over the folder where what others send
 * arrives. A transfer is staged in that folder, so that it is published by giving it a name:
 *
 *     .kith/ID/            0700; ID: the transfer's, as text
 *         journal          bytes; locked (flock) by who works on the transfer
 *         content/N        what came of entry N
 *         tree/            what was built of them, by their names; small files are made here
 *
 * Nothing but names beneath descriptors is used after the folder was opened (io/beneath.h), so
 * the process may be confined to it then; it must stay allowed to move files from one folder to
 * another (Landlock's REFER). Whatever else lies in the staging, planted there, is never
 * followed nor written through: it is replaced where a file is written, and refused where one
 * is given its place or published. An empty journal means that nothing of the rest counts: it
 * is removed when the folder is opened.
 *
 * Names are kept byte for byte, but for the top: ".kith", in any case of its letters, is no
 * name there (INBOX_NAME), and a leading '.' becomes '_', since a hidden file in a home folder
 * may be one that is run. Under INBOX_REPLACE a name that begins with '_' is given as by
 * INBOX_RENAME: that file may have come of the same transfer, with a dot.
 *
 * Files and folders have the rights that the process's umask leaves, all or none to be
 * executed, and the times of the sender's. */

#include "base/limits.h"
#include "base/random_id.h"
#include "io/beneath.h"
#include "peer/inbox.h"

#include <sys/types.h>
#include <time.h>

enum { INBOX_FOLDER_BUSY = 1 /* another process works on this transfer */ };

enum {
    INBOX_FOLDER_SYNCED_ALONE = 16, /* files since the last sync; of more, all is synced */
    /* A file that is no larger is made in its place at once, as soon as there were too many to
     * be synced alone: that has to find them. */
    INBOX_FOLDER_PLACED_BYTES = 256 * 1024,
    INBOX_FOLDER_RUNS = 64 /* of entries that were made in their places; what is made in more is
                            * looked for when it is placed */
};

/* A folder of the tree that is being filled. */
struct inbox_folder_level {
    int fd;
    struct timespec mtime; /* it gets it when it is left */
};

/* Entries behind each other that were made in their places; folders count. */
struct inbox_folder_run {
    uint64_t first, end;
};

struct inbox_folder {
    struct inbox inbox; /* first */
    enum inbox_rule rule;
    char id[RANDOM_ID_TEXT_LEN + 1];
    mode_t umask;
    int top_fd, kith_fd, staging_fd, content_fd, tree_fd; /* -1: not open */

    int journal_fd;       /* holds the lock */
    uint64_t journal_len; /* all of it ... */
    uint64_t synced_len;  /* ... and what is on the disk */
    bool journal_changed; /* since then */

    int file_fd; /* the staged file that is open; -1: none is */
    uint64_t file_number;
    bool file_changed; /* it counts among the unsynced */
    bool file_made;    /* by this process, with the mode of one that is not executable */
    bool file_placed;  /* it was made in its place: in the innermost open folder, under ... */
    struct beneath_name file_name;
    uint64_t file_end; /* so much of it is written; UINT64_MAX: not known */

    uint64_t unsynced[INBOX_FOLDER_SYNCED_ALONE];
    size_t unsynced_count;
    bool unsynced_many; /* there were more */
    bool has_many;      /* some time before */
    bool names_changed; /* of content, or of the staging itself */

    struct inbox_folder_run runs[INBOX_FOLDER_RUNS];
    size_t run_count;

    struct inbox_folder_level levels[LIMIT_TRANSFER_DEPTH + 1]; /* the first depth of them */
    unsigned depth;
    bool has_folders; /* some were made in the tree */
};

/* Opens the staging of a transfer, made where it is missing. inbox_fd is the caller's, and not
 * needed any more. A umask of the process that keeps the owner out does so no more; no other
 * thread may make files meanwhile. INBOX_FOLDER_BUSY; -errno: -ENOTDIR, -EPERM (another user's)
 * where something was planted. On any but 0 there is nothing to close. */
int inbox_folder_open(struct inbox_folder *f, int inbox_fd, const struct random_id *id,
                      enum inbox_rule rule);
void inbox_folder_close(struct inbox_folder *f);

/* Is there a staging of that transfer? */
bool inbox_folder_is_there(int inbox_fd, const struct random_id *id);

/* Each transfer that is staged in a folder, in no order, until each returns something else than
 * 0, which is passed on. Names that are none of ours are passed over. -errno. */
int inbox_folder_list(int inbox_fd, int (*each)(void *ctx, const struct random_id *id),
                      void *ctx);

#endif
