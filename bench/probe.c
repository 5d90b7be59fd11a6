/* probe PORT KEY EVERY_US PROCESSOR OWN: GETs the key on one connection at a steady pace,
 * whether earlier ones are answered or not, as many clients with a request each would, and
 * measures how long each answer took, from when its turn was; time in which the server's
 * PROCESSOR or its OWN stood still (standstill.h) does not count. The value must have no line
 * break in it.
 *
 * A line of standard input ends a window: when all that was asked in it is answered, what was
 * measured is printed as a JSON object on a line, in microseconds, and the next begins. The end
 * of input ends the program, in the same way. It runs before everybody else on its processor,
 * where it may, so that it measures the server and not who shares the processor with it. */

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

enum {
    REQUEST_BYTES = 256,
    REPLIES_BYTES = 65536,
    US = 1000,
    LONG_NS = 500 * US,
    S = 1000000000
};

struct wait {
    uint64_t turn_ns, ns; /* from when its turn was, so long: unknown before it is answered */
};

struct probe {
    int fd;
    char request[REQUEST_BYTES];
    size_t request_len;
    char replies[REPLIES_BYTES]; /* what came of those not whole yet */
    size_t replies_len;
    uint64_t every_ns, turn_ns; /* turn_ns: of the next */
    struct standstill *standstill;
    struct wait *waits; /* of this window, in turn */
    size_t count, room;
    size_t answered; /* the first so many */
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

/* ---- asking ---- */

static void ask(struct probe *p)
{
    if (p->count == p->room) {
        p->room = p->room ? p->room * 2 : 65536;
        p->waits = realloc(p->waits, p->room * sizeof *p->waits);
        if (!p->waits)
            dial_fail("probe");
    }
    p->waits[p->count++] = (struct wait){.turn_ns = p->turn_ns};
    p->turn_ns += p->every_ns;
    dial_send(p->fd, p->request, p->request_len);
}

/* The bytes of the first reply there, 0 when it is not whole: "$-1\r\n", or
 * "$LEN\r\nVALUE\r\n". */
static size_t measure_reply(const char *reply, size_t len)
{
    const char *end = memchr(reply, '\n', len);
    if (!end)
        return 0;
    if (reply[0] != '$' || reply[1] == '-')
        dial_fail("the key has no value to get");
    end = memchr(end + 1, '\n', len - (size_t)(end + 1 - reply));
    return end ? (size_t)(end + 1 - reply) : 0;
}

static void receive(struct probe *p)
{
    p->replies_len +=
        dial_receive(p->fd, p->replies + p->replies_len, sizeof p->replies - p->replies_len);
    uint64_t now = now_ns();
    size_t done = 0, n;
    while ((n = measure_reply(p->replies + done, p->replies_len - done)) > 0) {
        struct wait *w = &p->waits[p->answered++];
        w->ns = now - w->turn_ns;
        done += n;
    }
    if (done == 0 && p->replies_len == sizeof p->replies)
        dial_fail("the value is too long");
    p->replies_len -= done;
    memmove(p->replies, p->replies + done, p->replies_len);
}

static void receive_rest(struct probe *p)
{
    while (p->answered < p->count)
        receive(p);
}

/* ---- telling ---- */

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
    receive_rest(p);
    standstill_look(p->standstill);
    forgive_standstill(p);
    qsort(p->waits, p->count, sizeof *p->waits, by_size);
    printf("{\"count\": %zu, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f, "
           "\"standstill\": %.1f}\n",
           p->count, at(p, 500), at(p, 990), at(p, 999), at(p, 1000),
           (double)standstill_longest(p->standstill) / US);
    fflush(stdout);
    p->count = p->answered = 0;
    p->turn_ns = now_ns() + p->every_ns;
}

/* Whether to go on; reports what was asked for. */
static bool take_orders(struct probe *p)
{
    char orders[64];
    ssize_t n = read(STDIN_FILENO, orders, sizeof orders);
    for (ssize_t i = 0; i < n; i++)
        if (orders[i] == '\n')
            report(p);
    return n > 0;
}

/* ---- the turns ---- */

/* Until something has come, or it is the next one's turn. */
static void wait_for_turn(const struct probe *p, struct pollfd fds[2])
{
    uint64_t now = now_ns(), ns = p->turn_ns > now ? p->turn_ns - now : 0;
    struct timespec left = {.tv_sec = (time_t)(ns / S), .tv_nsec = (long)(ns % S)};
    if (ppoll(fds, 2, &left, NULL) < 0 && errno != EINTR)
        dial_fail("poll");
}

static void run(struct probe *p)
{
    struct pollfd fds[] = {{.fd = p->fd, .events = POLLIN},
                           {.fd = STDIN_FILENO, .events = POLLIN}};
    bool goes_on = true;
    p->turn_ns = now_ns();
    while (goes_on) {
        wait_for_turn(p, fds);
        if (fds[0].revents)
            receive(p);
        if (fds[1].revents)
            goes_on = take_orders(p);
        while (p->turn_ns <= now_ns())
            ask(p);
    }
    report(p);
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
    run(&p);
    free(p.waits);
    close(p.fd);
    return 0;
}
