#ifndef KITH_IO_BENEATH_H
#define KITH_IO_BENEATH_H

/* What is opened, made, moved and removed beneath a folder that is held open, where somebody
 * else may plant things: a name is one component, no link is ever followed, no other file
 * system is entered. Linux 5.6.
 *
 * Functions return 0 or -errno, those that open a descriptor in place of the 0. */

#include "base/bytes.h"

#include <limits.h>
#include <sys/types.h>

/* A name of a file, to be given to the kernel. */
struct beneath_name {
    char text[NAME_MAX + 1];
};

/* False for what is no name of one file in a folder: empty, too long, with a NUL or '/', "."
 * and "..". */
bool beneath_name_read(struct bytes name, struct beneath_name *ret);

/* The one place where such files are made and opened. flags as for open(2); with O_CREAT it
 * must not be there. -ELOOP: a link; -ENOTDIR where a folder is wanted. Never waits for a
 * fifo's other end. */
int beneath_open(int folder, const char *name, int flags, mode_t mode);

/* A plain file with this one name, for writing and reading, with the rights that the umask
 * leaves; made where it is not there, and anew where something else is. An empty folder gives
 * way, one with something in it does not: -ENOTEMPTY. *ret_made: it is new. */
int beneath_open_file(int folder, const char *name, bool *ret_made);

/* The same, made: -EEXIST where anything is there. */
int beneath_make_file(int folder, const char *name);

/* A folder, made where it is not there: -ENOTDIR for anything else. */
int beneath_open_folder(int folder, const char *name, mode_t mode, bool *ret_made);

/* Gives another name, never in place of anything: -EEXIST. Where the file system cannot do that
 * at once, a file has both names for a moment, and a crash may leave it so: then it has the new
 * one as soon as the same is called again. */
int beneath_move(int from, const char *name, int to, const char *new_name);

/* Removes whatever has that name, a folder with all that is in it: -ELOOP for folders that lie
 * more than BENEATH_DEPTH in each other. -ENOENT. */
enum { BENEATH_DEPTH = 80 };
int beneath_remove(int folder, const char *name);

/* The same for all that is in a folder, but for what has that name. */
int beneath_empty(int folder, const char *spared);

#endif
