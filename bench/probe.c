/* probe PORT KEY EVERY_US PROCESSOR OWN: GETs the key on one connection at a steady pace, and
 * measures how long each answer took, from when its turn was: an answer that is late makes the
 * next ones late, and that counts; time in which the server's PROCESSOR or its OWN stood still
 * (standstill.h) does not. The value must have no line break in it.
 *
 * A line of standard input ends a window: what was measured in it is printed as a JSON object
 * on a line, in microseconds, and the next begins. The end of input ends the program, in the
 * same way. It runs before everybody else on its processor, where it may, so that it measures
 * the server and not who shares the processor with it. */

#include "dial.h"
#include "standstill.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 256, REPLY_BYTES = 4096, US = 1000, LONG_NS = 500 * US, S = 1000000000 };

struct wait {
    uint64_t turn_ns, ns; /* from when its turn was, so long */
};

struct probe {
    int fd;
    char request[REQUEST_BYTES];
    size_t request_len;
    uint64_t every_ns, turn_ns;
    struct standstill *standstill;
    struct wait *waits; /* of this window */
    size_t count, room;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / S), .tv_nsec = (long)(ns % S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

static void record(struct probe *p, uint64_t ns)
{
    if (p->count == p->room) {
        p->room = p->room ? p->room * 2 : 65536;
        p->waits = realloc(p->waits, p->room * sizeof *p->waits);
        if (!p->waits)
            dial_fail("probe");
    }
    p->waits[p->count++] = (struct wait){p->turn_ns, ns};
}

/* "$-1\r\n", an error, or "$LEN\r\nVALUE\r\n": one line, or two. */
static void receive_reply(struct probe *p)
{
    char reply[REPLY_BYTES];
    size_t have = 0, lines = 0, want = 2;
    while (lines < want) {
        size_t n = dial_receive(p->fd, reply + have, sizeof reply - have);
        for (size_t i = have; i < have + n; i++)
            lines += reply[i] == '\n';
        have += n;
        if (reply[0] != '$' || (have > 1 && reply[1] == '-'))
            dial_fail("the key has no value to get");
        if (have == sizeof reply && lines < want)
            dial_fail("the value is too long");
    }
}

static void take_turn(struct probe *p)
{
    sleep_until(p->turn_ns);
    dial_send(p->fd, p->request, p->request_len);
    receive_reply(p);
    record(p, now_ns() - p->turn_ns);
    p->turn_ns += p->every_ns;
}

static int by_size(const void *a, const void *b)
{
    const struct wait *x = a, *y = b;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

/* The least wait that so many per mille of the answers did not exceed. */
static double at(const struct probe *p, size_t per_mille)
{
    if (p->count == 0)
        return 0;
    size_t i = (p->count * per_mille + 999) / 1000;
    return (double)p->waits[i ? i - 1 : 0].ns / US;
}

static void forgive_standstill(struct probe *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct wait *w = &p->waits[i];
        if (w->ns > LONG_NS)
            w->ns -= standstill_within(p->standstill, w->turn_ns, w->turn_ns + w->ns);
    }
}

static void report(struct probe *p)
{
    standstill_look(p->standstill);
    forgive_standstill(p);
    qsort(p->waits, p->count, sizeof *p->waits, by_size);
    printf("{\"count\": %zu, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f, "
           "\"standstill\": %.1f}\n",
           p->count, at(p, 500), at(p, 990), at(p, 999), at(p, 1000),
           (double)standstill_longest(p->standstill) / US);
    fflush(stdout);
    p->count = 0;
    p->turn_ns = now_ns() + p->every_ns;
}

/* Whether to go on; reports what was asked for. */
static bool listen_to_orders(struct probe *p)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char orders[64];
    if (poll(&in, 1, 0) <= 0)
        return true;
    ssize_t n = read(STDIN_FILENO, orders, sizeof orders);
    for (ssize_t i = 0; i < n; i++)
        if (orders[i] == '\n')
            report(p);
    return n > 0;
}

static void run_first(void)
{
    struct sched_param priority = {.sched_priority = 1};
    sched_setscheduler(0, SCHED_FIFO, &priority); /* as root only */
}

int main(int argc, char **argv)
{
    struct probe p = {0};
    if (argc != 6)
        dial_fail("probe PORT KEY EVERY_US PROCESSOR OWN");
    size_t key_len = strlen(argv[2]);
    int n = snprintf(p.request, sizeof p.request, "*2\r\n$3\r\nGET\r\n$%zu\r\n%s\r\n", key_len,
                     argv[2]);
    if (n < 0 || (size_t)n >= sizeof p.request)
        dial_fail("the key is too long");
    p.request_len = (size_t)n;
    p.every_ns = dial_number(argv[3], 1) * US;
    p.fd = dial((uint16_t)dial_number(argv[1], 1));
    p.standstill = standstill_new();
    standstill_watch(p.standstill, (int)dial_number(argv[4], 0));
    standstill_watch(p.standstill, (int)dial_number(argv[5], 0));
    run_first();
    p.turn_ns = now_ns();
    while (listen_to_orders(&p))
        take_turn(&p);
    report(&p);
    free(p.waits);
    close(p.fd);
    return 0;
}
