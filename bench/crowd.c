/* crowd kith|irc hold|leave PORT COUNT AT_ONCE: logs in COUNT times over TLS, so many at once.
 *
 * kith: as the members of device.h, by their devices' certificates and LOGIN. irc: with NICK
 * and USER, without a certificate. hold: all stay until the end of standard input, and hear
 * what they are told. leave: each goes as soon as it is logged in, and its place is taken by
 * another, of at most LEAVERS members.
 *
 * A line "ready" is printed when the certificates are made, and the logins begin with a line of
 * standard input. When all are logged in, a JSON object on a line says how many, and in how
 * many seconds. */

#include "device.h"
#include "dial.h"
#include "line.h"

#include "io/clock.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { LEAVERS = 256, EVENTS = 256, NS = 1000000000 };

struct guest {
    struct line line;
    uint32_t events; /* asked of epoll */
    bool has_asked, is_in;
};

struct crowd {
    bool is_irc, leaves;
    uint16_t port;
    uint64_t count, at_once, begun, in;
    struct tls_config **configs;
    uint64_t config_count;
    struct guest *guests; /* LEAVERS, or all */
    uint64_t place_count;
    int epoll;
};

static void prepare(struct crowd *c)
{
    static const char *const hub[] = {"kith-hub/1", NULL}, *const none[] = {NULL};
    c->place_count = c->leaves ? c->at_once : c->count;
    c->config_count = c->is_irc ? 1 : c->leaves && c->count > LEAVERS ? LEAVERS : c->count;
    c->guests = calloc(c->place_count, sizeof *c->guests);
    c->configs = calloc(c->config_count, sizeof(struct tls_config *));
    if (!c->guests || !c->configs)
        dial_fail("crowd");
    for (uint64_t i = 0; i < c->config_count; i++)
        c->configs[i] = c->is_irc ? line_config(TLS_CLIENT, LINE_NOBODY, none)
                                  : line_config(TLS_CLIENT, (int64_t)i, hub);
}

static void watch(struct crowd *c, struct guest *g, int how)
{
    uint32_t events = (uint32_t)line_wants(&g->line);
    struct epoll_event e = {.events = events, .data.ptr = g};
    if (events == g->events)
        return;
    if (epoll_ctl(c->epoll, how, g->line.fd, &e) < 0)
        dial_fail("epoll_ctl");
    g->events = events;
}

/* The poll(2) events are those of epoll, by number. */
_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT, "line_wants is for epoll, too");

static void arrive(struct crowd *c, struct guest *g)
{
    *g = (struct guest){.is_in = false};
    line_dial(&g->line, c->port, c->configs[c->begun++ % c->config_count]);
    watch(c, g, EPOLL_CTL_ADD);
}

static void ask(struct crowd *c, struct guest *g)
{
    char text[128];
    uint64_t n = (uint64_t)(g - c->guests);
    snprintf(text, sizeof text, "NICK m%llu\r\nUSER m 0 * :m\r\n", (unsigned long long)n);
    line_say(&g->line, bytes_from_str(c->is_irc ? text : "*1\r\n$5\r\nLOGIN\r\n"));
    g->has_asked = true;
}

static bool holds(struct bytes b, const char *text)
{
    return b.len > 0 && memmem(b.data, b.len, text, strlen(text)) != NULL;
}

static bool is_welcome(const struct crowd *c, struct guest *g)
{
    struct bytes heard = buffer_view(&g->line.plain);
    bool is_refused =
        c->is_irc ? holds(heard, "ERROR ") : heard.len > 0 && heard.data[0] == '-';
    if (is_refused) {
        fprintf(stderr, "a login: %.*s\n", (int)heard.len, (const char *)heard.data);
        exit(1);
    }
    return holds(heard, c->is_irc ? " 001 " : "+OK\r\n");
}

static void enter(struct crowd *c, struct guest *g)
{
    g->is_in = true;
    c->in++;
    if (c->leaves)
        line_close(&g->line);
    if (c->begun < c->count)
        arrive(c, c->leaves ? g : &c->guests[c->begun]);
}

static void take(struct crowd *c, struct guest *g)
{
    line_move(&g->line);
    if (g->line.is_over) {
        errno = ECONNRESET;
        dial_fail("a connection was closed");
    }
    if (!g->has_asked && tls_is_open(g->line.tls)) {
        ask(c, g);
        line_move(&g->line);
    }
    if (!g->is_in && is_welcome(c, g)) {
        enter(c, g);
        if (c->leaves)
            return;
    }
    if (g->is_in)
        buffer_release(&g->line.plain);
    watch(c, g, EPOLL_CTL_MOD);
}

/* False at the end of standard input. */
static bool turn(struct crowd *c)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(c->epoll, events, EVENTS, -1);
    if (n < 0 && errno != EINTR)
        dial_fail("epoll_wait");
    for (int i = 0; i < n; i++) {
        if (!events[i].data.ptr)
            return false;
        take(c, events[i].data.ptr);
    }
    return true;
}

static void log_in_all(struct crowd *c)
{
    char go[8];
    puts("ready");
    fflush(stdout);
    if (read(STDIN_FILENO, go, sizeof go) <= 0)
        exit(1);
    struct instant start = clock_instant();
    while (c->begun < c->at_once && c->begun < c->count)
        arrive(c, &c->guests[c->begun]);
    while (c->in < c->count)
        turn(c);
    printf("{\"count\": %llu, \"seconds\": %.6f}\n", (unsigned long long)c->in,
           (double)(clock_instant().ns - start.ns) / NS);
    fflush(stdout);
}

static void stay(struct crowd *c)
{
    struct epoll_event end = {.events = EPOLLIN};
    if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &end) < 0)
        dial_fail("epoll_ctl");
    while (turn(c))
        ;
}

int main(int argc, char **argv)
{
    struct crowd c = {.is_irc = false};
    if (argc != 6 || sodium_init() < 0)
        dial_fail("crowd kith|irc hold|leave PORT COUNT AT_ONCE");
    c.is_irc = strcmp(argv[1], "irc") == 0;
    c.leaves = strcmp(argv[2], "leave") == 0;
    c.port = (uint16_t)dial_number(argv[3], 1);
    c.count = dial_number(argv[4], 1);
    c.at_once = dial_number(argv[5], 1);
    c.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (c.epoll < 0)
        dial_fail("epoll");
    prepare(&c);
    log_in_all(&c);
    if (!c.leaves)
        stay(&c);
    return 0;
}
