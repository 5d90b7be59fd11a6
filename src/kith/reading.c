#include "kith/reading.h"

#include "base/limits.h"

#include <errno.h>
#include <unistd.h>

int reading_all(struct buffer *b, size_t max)
{
    for (;;) {
        uint8_t *space;
        int r = buffer_reserve(b, LIMIT_READ_BYTES, &space);
        if (r != 0)
            return r < 0 ? r : -EFBIG;
        ssize_t n = read(STDIN_FILENO, space, LIMIT_READ_BYTES);
        if (n == 0)
            return buffer_len(b) > max ? -EFBIG : 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        buffer_wrote(b, n > 0 ? (size_t)n : 0);
    }
}
