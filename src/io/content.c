#include "io/content.h"

#include <errno.h>
#include <unistd.h>

/* What came of a call: whether to go on. */
static int count_moved(ssize_t moved, size_t *done)
{
    if (moved < 0)
        return errno == EINTR ? 0 : -errno;
    *done += (size_t)moved;
    return 0;
}

int content_read(int fd, uint64_t offset, uint8_t *into, size_t room, size_t *ret_n)
{
    size_t done = 0;
    ssize_t got = -1;
    int r = 0;
    while (r == 0 && got != 0 && done < room) {
        got = pread(fd, into + done, room - done, (off_t)(offset + done));
        r = count_moved(got, &done);
    }
    if (r == 0)
        *ret_n = done;
    return r;
}

int content_write(int fd, uint64_t offset, struct bytes data)
{
    size_t done = 0;
    int r = 0;
    while (r == 0 && done < data.len)
        r = count_moved(pwrite(fd, data.data + done, data.len - done, (off_t)(offset + done)),
                        &done);
    return r;
}
