#ifndef KITH_IO_PROCESS_END_H
#define KITH_IO_PROCESS_END_H

/* The end of another process of this machine, to be waited for (pidfd_open(2)). */

#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_END_TIMEOUT = 1 };

/* -ESRCH where no process of that id has that name (of at most 15 bytes). The descriptor is the
 * caller's to close; it stays that process's, whoever gets its id later. */
int process_end_open(pid_t pid, const char *name, int *ret_fd);

/* Waits until it has ended, at most so long. -errno. */
int process_end_wait(int fd, uint64_t timeout_ms);

#endif
