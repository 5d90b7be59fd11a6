#ifndef KITH_IO_CONFINEMENT_H
#define KITH_IO_CONFINEMENT_H

/* Confines the calling process, for good, to some folders and to what it has open: for one that
 * reads what others have sent. What it could do with a mistake of ours is then little:
 *
 * - It gains no rights by a program it starts (PR_SET_NO_NEW_PRIVS); and leaves no core, nor
 * can others of its user look into it (PR_SET_DUMPABLE).
 * - With Landlock (Documentation/userspace-api/landlock.rst of Linux) it opens, makes, renames
 *   and removes files below those folders alone, and starts no program at all. A symlink, or
 *   /proc/self/fd, leads out of them no more than a name does. What is open stays open.
 *
 * It says nothing about names: that something is there, and its size and times, can still be
 * seen everywhere (stat). Threads may be started, and are confined as it is. */

#include <stddef.h>

/* What is in force, as bits; by the kernel's age. */
enum confinement_protection {
    CONFINEMENT_PRIVILEGES = 1,  /* what needs no Landlock */
    CONFINEMENT_FILES = 2,       /* all of the above but truncate(2); Linux 5.19 */
    CONFINEMENT_TRUNCATION = 4,  /* files elsewhere are not truncated either; 6.2 */
    CONFINEMENT_CONNECTIONS = 8, /* no TCP connections are made or awaited; 6.7 */
    CONFINEMENT_DEVICES = 16,    /* ioctl(2) of devices elsewhere; 6.10 */
    CONFINEMENT_OTHERS = 32,     /* other processes: no signals, no abstract sockets; 6.12 */
    CONFINEMENT_ALL = 63,
};

enum { CONFINEMENT_NONE = 1 };

/* What confinement_enter would put in force here: of enum confinement_protection. Nothing is
 * changed. */
unsigned confinement_available(void);

/* Enters it; below the folders, open descriptors of them, everything is allowed but to start
 * programs. All that is available is in force then. Before the process starts a thread: others
 * would stay as they are.
 *
 * NONE: the kernel has no Landlock, or one that cannot rename from folder to folder, and files
 * are as open as before; CONFINEMENT_PRIVILEGES alone is in force. -errno: some of it may be;
 * the process is to end. */
int confinement_enter(const int *folders, size_t count);

#endif
