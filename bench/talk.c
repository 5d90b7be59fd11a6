/* talk COUNT SAYS HEARS: two devices in processes of their own, on the processors SAYS and
 * HEARS, in a session over one TLS connection. One says COUNT texts of TEXT_BYTES as fast as
 * the session takes them; the other hears each and marks them as shown, one mark for all that
 * came together. When the last is known to be shown, a JSON object on a line says how many, in
 * how many seconds, and what processor time both took together. */

#include "device.h"
#include "dial.h"
#include "partner.h"

#include "io/clock.h"

#include <errno.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAYER, HEARER, TEXT_BYTES = 32, NS = 1000000000, US = 1000000 };

struct hearing {
    uint64_t shown; /* the last text's number that is shown: to be, or known to be */
    bool is_due;
};

static void pin(uint64_t processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof set, &set) < 0)
        dial_fail("sched_setaffinity");
}

static void on_heard(struct partner *p, const struct talk_event *e)
{
    struct hearing *h = p->ctx;
    if (e->type == TALK_EVENT_TEXT && e->text.len != TEXT_BYTES)
        dial_fail("another text was heard than said");
    h->shown = e->id;
    h->is_due = e->type == TALK_EVENT_TEXT;
}

static bool wait_for(struct partner *p)
{
    struct pollfd fd = {.fd = p->lines[0].fd, .events = line_wants(&p->lines[0])};
    if (!p->lines[0].tls)
        return false;
    if (poll(&fd, 1, -1) < 0)
        dial_fail("poll");
    partner_move(p);
    return true;
}

static void hear(struct partner *p)
{
    struct hearing *h = p->ctx;
    while (wait_for(p)) {
        if (!h->is_due)
            continue;
        h->is_due = false;
        partner_show(p, h->shown);
        partner_move(p);
    }
}

static void say(struct partner *p, uint64_t count)
{
    uint8_t text[TEXT_BYTES];
    struct hearing *h = p->ctx;
    memset(text, 't', sizeof text);
    for (uint64_t said = 0; h->shown < count;) {
        while (said < count && partner_say(p, bytes_make(text, sizeof text)))
            said++;
        partner_move(p);
        if (h->shown < count && !wait_for(p))
            dial_fail("the other side went away");
    }
}

static void become(struct partner *p, struct hearing *h, unsigned own)
{
    static const struct random_id id = {{1}};
    *p = (struct partner){.heard = on_heard, .ctx = h};
    partner_begin(p, &id, own, own == SAYER ? HEARER : SAYER);
}

static void run_hearer(int listener, uint64_t processor)
{
    struct partner p;
    struct hearing h = {0};
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    pin(processor);
    become(&p, &h, HEARER);
    int fd = poll(&ready, 1, -1) < 0 ? -1 : accept(listener, NULL, NULL);
    if (fd < 0)
        dial_fail("accept");
    line_take(partner_add(&p, PROOF_ANSWERS), fd, partner_config(PROOF_ANSWERS, HEARER));
    hear(&p);
    exit(0);
}

static double cpu_s(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / US;
}

int main(int argc, char **argv)
{
    struct partner p;
    struct hearing h = {0};
    uint16_t port;
    if (argc != 4 || sodium_init() < 0)
        dial_fail("talk COUNT SAYS HEARS");
    uint64_t count = dial_number(argv[1], 1);
    int listener = line_listen(&port);
    pid_t other = fork();
    if (other < 0)
        dial_fail("fork");
    if (other == 0)
        run_hearer(listener, dial_number(argv[3], 0));
    pin(dial_number(argv[2], 0));
    become(&p, &h, SAYER);
    line_dial(partner_add(&p, PROOF_DIALS), port, partner_config(PROOF_DIALS, SAYER));
    while (!p.is_open && wait_for(&p))
        ;
    struct instant start = clock_instant();
    say(&p, count);
    double seconds = (double)(clock_instant().ns - start.ns) / NS;
    partner_end(&p);
    waitpid(other, NULL, 0);
    printf("{\"count\": %llu, \"seconds\": %.6f, \"cpu_s\": %.6f}\n", (unsigned long long)count,
           seconds, cpu_s(RUSAGE_SELF) + cpu_s(RUSAGE_CHILDREN));
    return 0;
}
