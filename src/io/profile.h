#ifndef KITH_IO_PROFILE_H
#define KITH_IO_PROFILE_H

/* What kith remembers for somebody, each under a name in a folder of his own:
 * $XDG_CONFIG_HOME/kith/PROFILE, or ~/.config/kith/PROFILE. The folder is its owner's alone;
 * one that others may look into is refused, not mended. */

#include "base/buffer.h"

/* Beside BUFFER_FULL, which says that a file is too large. */
enum {
    PROFILE_NOWHERE = BUFFER_FULL + 1, /* there is no home folder */
    PROFILE_IS_OPEN,                   /* others may look into it, or it is another user's */
    PROFILE_KEY_IS_OPEN,
    PROFILE_KEY_IS_NONE,
};

struct profile {
    int fd;     /* of the folder; -1: not open */
    char *path; /* of it, for messages; NULL: not known */
};

/* Opens the folder, made where it is missing. PROFILE_NOWHERE, PROFILE_IS_OPEN, -errno.
 * profile_close follows in any case. */
int profile_open(struct profile *p, const char *name);
void profile_close(struct profile *p);

/* Appends a file's content to out; nothing where there is no such file. -errno, BUFFER_FULL. */
int profile_read(const struct profile *p, const char *file, struct buffer *out);

/* Puts a file there, in place of any other, as one and durably. -errno. */
int profile_write(const struct profile *p, const char *file, struct bytes content);

/* Opens a file there, made where it is missing and flags (O_CREAT and its like, beside
 * O_CLOEXEC, O_NOFOLLOW) say so, for its owner alone. A descriptor, -errno. */
int profile_file(const struct profile *p, const char *file, int flags);

/* False only where it is sure that there is no such file. */
bool profile_has(const struct profile *p, const char *file);

/* -errno; 0 where there was none, too. */
int profile_remove(const struct profile *p, const char *file);

/* Calls see for the name of each file there, in no order. -errno. */
int profile_each(const struct profile *p, void (*see)(void *ctx, const char *file), void *ctx);

enum { PROFILE_KEY_BYTES = 32 };

/* The device's key, the secret seed of it: PROFILE_KEY_FILE, made on first use. One that others
 * may read is refused: PROFILE_KEY_IS_OPEN; PROFILE_KEY_IS_NONE: the file holds no key. -errno.
 */
#define PROFILE_KEY_FILE "device.key"
int profile_key(const struct profile *p, uint8_t ret[PROFILE_KEY_BYTES]);

/* Keeps other processes from doing the same until the lock is given back; waits for them. The
 * lock, or -errno. */
int profile_lock(const struct profile *p);
void profile_unlock(int lock);

/* The same for one thing alone, a file of that name, and without waiting: -EWOULDBLOCK where
 * another process has it. */
int profile_try_lock(const struct profile *p, const char *file);

/* The same for one of many things that share a file, which tells them apart by a number. */
int profile_try_lock_one(const struct profile *p, const char *file, uint64_t number);

#endif
