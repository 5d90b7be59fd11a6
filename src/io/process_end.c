#include "io/process_end.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_named(pid_t pid, const char *name)
{
    char path[64], found[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, found, sizeof found - 1);
    close(fd);
    return n > 0 && found[n - 1] == '\n' && strlen(name) == (size_t)n - 1 &&
           memcmp(found, name, (size_t)n - 1) == 0;
}

int process_end_open(pid_t pid, const char *name, int *ret_fd)
{
    if (pid <= 0)
        return -ESRCH;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return -errno;
    /* The descriptor first: now the id is still this process's, or there is none of it. */
    if (!is_named(pid, name)) {
        close(fd);
        return -ESRCH;
    }
    *ret_fd = fd;
    return 0;
}

int process_end_wait(int fd, uint64_t timeout_ms)
{
    struct pollfd end = {.fd = fd, .events = POLLIN};
    int r;
    do
        r = poll(&end, 1, timeout_ms < INT_MAX ? (int)timeout_ms : INT_MAX);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r == 0 ? PROCESS_END_TIMEOUT : 0;
}
