#ifndef KITH_IO_OUTBOX_FILES_H
#define KITH_IO_OUTBOX_FILES_H

/* Files and folders of the real disk, to be sent. First a walk lists them (io/outbox_list.h),
 * in a process that may take its time; then, at each attempt, the list is an outbox
 * (peer/outbox.h): struct outbox over the files as they are listed.
 *
 * What a person names is followed where it is a link; a link within a folder is not sent, nor
 * what is neither a file nor a folder. A file at the top is found by its path, everything else
 * from the folder it lies in. Memory does not grow with the number of files, but for a
 * kibibyte for each 4096. */

#include "io/beneath.h"
#include "io/outbox_list.h"
#include "peer/outbox.h"

/* ---- the walk ---- */

enum outbox_files_problem {
    OUTBOX_FILES_LINK,       /* a link within a folder */
    OUTBOX_FILES_SPECIAL,    /* neither file nor folder */
    OUTBOX_FILES_UNREADABLE, /* with the error */
    OUTBOX_FILES_KEYS,       /* the folder in which the keys of this device lie */
    OUTBOX_FILES_DEEP,       /* more than LIMIT_TRANSFER_DEPTH folders in each other */
    OUTBOX_FILES_LONG,       /* its path is, LIMIT_TRANSFER_PATH_BYTES */
    OUTBOX_FILES_NAMELESS,   /* named by the person: "/" */
    OUTBOX_FILES_TWICE       /* two that the person named have the same name */
};

/* A folder that is never sent, wherever it is met. Device 0: there is none. */
struct outbox_files_keys {
    uint64_t device, inode;
};

/* What the walk does not list, and why. path begins as the person named it; both are borrowed.
 * is_named: it is what the person named. error: -errno of UNREADABLE, else 0. */
typedef void (*outbox_files_told)(void *ctx, const char *path, bool is_named,
                                  enum outbox_files_problem problem, int error);

enum {
    OUTBOX_FILES_REFUSED = 1 /* NAMELESS or TWICE was told of: nothing is listed */
};

/* Lists what lies at paths, and all in them, into an empty file. 0 also where something was
 * told of; then it is not in the list. -errno: the list cannot be written, memory is out. */
int outbox_files_walk(int list_fd, const char *const *paths, size_t count,
                      struct outbox_files_keys keys, struct outbox_totals *ret,
                      outbox_files_told told, void *ctx);

/* ---- the outbox ---- */

/* A folder that is held open, and its number. */
struct outbox_files_level {
    int fd;
    uint64_t number;
};

struct outbox_files {
    struct outbox outbox; /* first */
    struct outbox_list list;
    struct outbox_record record; /* asked for last; its name is `name` */
    struct beneath_name name;
    char path[PATH_MAX];                                    /* of a record of the top */
    struct outbox_files_level levels[LIMIT_TRANSFER_DEPTH]; /* the first depth of them */
    unsigned depth;
    int fd;                    /* the file that is open; -1: none is */
    struct outbox_state state; /* as it was when it was opened, or looked at last */
};

/* list_fd stays the caller's, and open. OUTBOX_LIST_TORN; -errno. On any but 0 there is nothing
 * to close. */
int outbox_files_open(struct outbox_files *o, int list_fd);
void outbox_files_close(struct outbox_files *o);

#endif
