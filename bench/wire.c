/* wire ONE OTHER MICROSECONDS: a cable between two network namespaces, files that setns takes,
 * in which a packet takes that long each way. Each gets an interface WIRE_NAME, without an
 * address yet. Once it is laid, it says so in a line, and goes on until it is killed; the
 * interfaces go with it. It has room for WIRE_PACKETS each way; what comes beyond is lost. */

#include "dial.h"

#include "io/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WIRE_NAME "wire"

enum { WIRE_PACKETS = 16384, PACKET_BYTES = 1500, NS = 1000000000, NS_PER_US = 1000 };

struct packet {
    uint64_t due_ns;
    size_t len;
    uint8_t bytes[PACKET_BYTES];
};

/* One way: what is read from one end, until it is written to the other. Packets first to
 * first + count - 1, modulo WIRE_PACKETS, are on their way. */
struct way {
    int from, to;
    size_t first, count;
    struct packet packets[WIRE_PACKETS];
};

static int open_end(const char *namespace)
{
    struct ifreq r = {.ifr_name = WIRE_NAME, .ifr_flags = IFF_TUN | IFF_NO_PI};
    int ns = open(namespace, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
        dial_fail(namespace);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0)
        dial_fail("/dev/net/tun");
    close(ns);
    return fd;
}

static void take(struct way *w, uint64_t delay_ns)
{
    static uint8_t lost[PACKET_BYTES];
    for (;;) {
        bool room = w->count < WIRE_PACKETS;
        struct packet *p = &w->packets[(w->first + w->count) % WIRE_PACKETS];
        ssize_t n = read(w->from, room ? p->bytes : lost, PACKET_BYTES);
        if (n <= 0)
            return;
        if (!room)
            continue;
        p->len = (size_t)n;
        p->due_ns = clock_instant().ns + delay_ns;
        w->count++;
    }
}

/* What the other end does not take is lost, as on any cable. */
static void deliver(struct way *w)
{
    uint64_t now = clock_instant().ns;
    while (w->count > 0 && w->packets[w->first].due_ns <= now) {
        struct packet *p = &w->packets[w->first];
        ssize_t n = write(w->to, p->bytes, p->len);
        if (n < 0 && errno != EAGAIN && errno != EIO && errno != EINVAL)
            dial_fail("write");
        w->first = (w->first + 1) % WIRE_PACKETS;
        w->count--;
    }
}

static uint64_t next_ns(const struct way *w)
{
    return w->count > 0 ? w->packets[w->first].due_ns : UINT64_MAX;
}

static void wait_for(const struct way ways[2])
{
    struct pollfd fds[] = {{.fd = ways[0].from, .events = POLLIN},
                           {.fd = ways[1].from, .events = POLLIN}};
    uint64_t one = next_ns(&ways[0]), other = next_ns(&ways[1]), now = clock_instant().ns;
    uint64_t due = one < other ? one : other, left = due > now ? due - now : 0;
    struct timespec t = {.tv_sec = (time_t)(left / NS), .tv_nsec = (long)(left % NS)};
    if (ppoll(fds, 2, due == UINT64_MAX ? NULL : &t, NULL) < 0)
        dial_fail("ppoll");
}

int main(int argc, char **argv)
{
    struct way *ways = calloc(2, sizeof *ways);
    if (argc != 4 || !ways)
        dial_fail("wire ONE OTHER MICROSECONDS");
    uint64_t delay_ns = dial_number(argv[3], 0) * NS_PER_US;
    ways[0].from = ways[1].to = open_end(argv[1]);
    ways[1].from = ways[0].to = open_end(argv[2]);
    puts("laid");
    fflush(stdout);
    for (;;) {
        wait_for(ways);
        for (size_t i = 0; i < 2; i++) {
            take(&ways[i], delay_ns);
            deliver(&ways[i]);
        }
    }
}
