/* files-copy SOURCE TARGET: copies a file, over what TARGET holds where it is there, and says
 * in a JSON object on a line how many bytes, and in how many seconds. */

#include "dial.h"

#include "io/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE_BYTES = 256 * 1024, NS = 1000000000 };

static uint64_t copy(int from, int to)
{
    static char piece[PIECE_BYTES];
    uint64_t copied = 0;
    ssize_t n;
    while ((n = read(from, piece, sizeof piece)) > 0) {
        if (write(to, piece, (size_t)n) != n)
            dial_fail("write");
        copied += (uint64_t)n;
    }
    if (n < 0)
        dial_fail("read");
    return copied;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        dial_fail("files-copy SOURCE TARGET");
    int from = open(argv[1], O_RDONLY | O_CLOEXEC);
    int to = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (from < 0 || to < 0)
        dial_fail("open");
    struct instant start = clock_instant();
    uint64_t copied = copy(from, to);
    printf("{\"bytes\": %llu, \"seconds\": %.6f}\n", (unsigned long long)copied,
           (double)(clock_instant().ns - start.ns) / NS);
    return 0;
}
