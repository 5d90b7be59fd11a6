#include "io/usage.h"

#include "base/bytes.h"
#include "base/number.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t microseconds(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_usec;
}

/* The second number in there, in pages. */
static uint64_t read_resident(void)
{
    char text[128];
    uint64_t pages;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    struct bytes rest = bytes_make(text, n > 0 ? (size_t)n : 0);
    size_t blank = bytes_find(rest, ' ');
    rest = bytes_from(rest, blank < rest.len ? blank + 1 : rest.len);
    if (!number_parse_u64(bytes_first(rest, bytes_find(rest, ' ')), &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void usage_read(struct usage *ret)
{
    struct rusage used;
    *ret = (struct usage){.resident_bytes = read_resident()};
    if (getrusage(RUSAGE_SELF, &used) != 0)
        return;
    ret->user_us = microseconds(used.ru_utime);
    ret->system_us = microseconds(used.ru_stime);
    ret->resident_max = (uint64_t)used.ru_maxrss * 1024;
}
