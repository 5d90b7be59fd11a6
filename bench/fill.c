/* fill PORT COUNT [WINDOW [VALUE_BYTES]]: SETs the keys key:000000000000 and on, which are
 * those that redis-benchmark asks for, in pipelines of WINDOW commands, and ends when all are
 * answered with OK. */

#include "dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 80, WINDOW = 256, VALUE_BYTES = 32 };

struct fill {
    int fd;
    uint64_t count, window, value_bytes;
    char *requests, *replies;
};

/* The next requests, from this key on; returns their bytes. */
static size_t compose(struct fill *f, uint64_t first, uint64_t n)
{
    char *to = f->requests;
    for (uint64_t i = first; i < first + n; i++) {
        to += snprintf(to, HEAD_BYTES, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012llu\r\n$%llu\r\n",
                       (unsigned long long)i, (unsigned long long)f->value_bytes);
        memset(to, 'v', f->value_bytes);
        to += f->value_bytes;
        *to++ = '\r';
        *to++ = '\n';
    }
    return (size_t)(to - f->requests);
}

static void expect_ok(struct fill *f, uint64_t n)
{
    size_t want = n * 5, have = 0;
    while (have < want)
        have += dial_receive(f->fd, f->replies + have, want - have);
    for (size_t i = 0; i < want; i += 5) {
        if (memcmp(f->replies + i, "+OK\r\n", 5) == 0)
            continue;
        fprintf(stderr, "the answer to SET: %.*s\n", (int)(want - i), f->replies + i);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct fill f = {.window = WINDOW, .value_bytes = VALUE_BYTES};
    if (argc < 3 || argc > 5)
        dial_fail("fill PORT COUNT [WINDOW [VALUE_BYTES]]");
    f.fd = dial((uint16_t)dial_number(argv[1], 1));
    f.count = dial_number(argv[2], 1);
    if (argc > 3)
        f.window = dial_number(argv[3], 1);
    if (argc > 4)
        f.value_bytes = dial_number(argv[4], 1);
    f.requests = malloc(f.window * (HEAD_BYTES + f.value_bytes));
    f.replies = malloc(f.window * 5);
    if (!f.requests || !f.replies)
        dial_fail("fill");
    for (uint64_t done = 0, n; done < f.count; done += n) {
        n = f.count - done < f.window ? f.count - done : f.window;
        dial_send(f.fd, f.requests, compose(&f, done, n));
        expect_ok(&f, n);
    }
    return 0;
}
