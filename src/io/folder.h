#ifndef KITH_IO_FOLDER_H
#define KITH_IO_FOLDER_H

/* A data folder on the real disk, locked for one process: struct disk (store/disk.h) over
 * files. The folder is its owner's alone (0700); a file `lock` in it holds the owner's pid. */

#include "store/disk.h"

#include <sys/types.h>

enum {
    FOLDER_IN_USE = 1,     /* another process holds the lock */
    FOLDER_IS_OPEN = 2,    /* others may look into it, or it is another user's: refused */
    FOLDER_HOLDS_NONE = 3, /* it holds no hub's data */
};

struct folder;

/* Opens a folder, made with its parents where it is missing, and locks it. *ret_holder is the
 * pid of who holds it on FOLDER_IN_USE (0: not known). -errno. folder_close takes NULL. */
int folder_open(const char *path, struct folder **ret, pid_t *ret_holder);

/* The same for a folder that must be there (-ENOENT). One on a file system that cannot be
 * written to is not locked. */
int folder_open_existing(const char *path, struct folder **ret, pid_t *ret_holder);
void folder_close(struct folder *f);

/* Closes a folder and takes back what has been made since folder_open of the same path: its
 * lock, where it had none; a hub's data, where it held none; and where it was not there,
 * itself, and those of its parents that were not there either. Anything else in them stays, and
 * so do they then. Takes NULL. */
void folder_retract(const char *path, struct folder *f);

struct disk *folder_disk(struct folder *f);

/* Is there anything of that name? */
bool folder_exists(const char *path);

/* Is there a folder in which one of that path could be made? */
bool folder_has_parent(const char *path);

/* 0: there is something of a hub's in a folder, its lock or a file of its data;
 * FOLDER_HOLDS_NONE. -errno, -ENOTDIR for what is no folder. */
int folder_find_data(const char *path);

/* Gives a folder another name beside the old one, durably; never in place of something. -errno.
 */
int folder_rename(const char *from, const char *to);

/* Closes a folder and removes it with a hub's data in it; what else is in it stays, and so does
 * it then. */
void folder_discard(const char *path, struct folder *f);

#endif
