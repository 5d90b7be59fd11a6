/* meeting PORT COUNT: the first two members of device.h, both in this process, log in to the
 * hub at that port and meet COUNT times. Each time one asks the hub with MEET, the other
 * ACCEPTs, both dial each other, and the first says something over their direct session. A JSON
 * object on a line says how many microseconds passed from MEET to when that was heard, each
 * time. */

#include "device.h"
#include "dial.h"
#include "partner.h"

#include "io/clock.h"
#include "peer/candidates.h"
#include "wire/resp_reply.h"
#include "wire/resp_write.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEOPLE = 2, WORDS = 8, ADDRESS_BYTES = 32, NS_PER_US = 1000 };

struct person {
    struct line hub;
    struct resp_reply reply;
    int listener;
    char address[ADDRESS_BYTES]; /* the candidate it offers */
    struct tls_config *dials, *answers;
    struct partner partner;
    bool is_in, meets, has_heard;
};

struct scene {
    struct person people[PEOPLE];
};

static void expect(int result, const char *what)
{
    errno = result < 0 ? -result : 0;
    if (result != 0)
        dial_fail(what);
}

static void ask(struct person *p, const char *const *words, size_t n)
{
    struct bytes argv[WORDS];
    struct buffer out;
    for (size_t i = 0; i < n; i++)
        argv[i] = bytes_from_str(words[i]);
    buffer_init(&out, LIMIT_KIB);
    expect(resp_write_request(&out, argv, n), "a request");
    line_say(&p->hub, buffer_view(&out));
    line_send(&p->hub);
    buffer_fini(&out);
}

/* ---- what the hub says ---- */

static void copy(struct bytes text, char *to, size_t size)
{
    if (text.len >= size)
        dial_fail("the hub says too much");
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
}

static void on_heard(struct partner *p, const struct talk_event *e)
{
    struct person *own = p->ctx;
    own->has_heard = own->has_heard || e->type == TALK_EVENT_TEXT;
}

static void accept_invitation(struct person *p, struct bytes id)
{
    char text[RANDOM_ID_TEXT_LEN + 1];
    copy(id, text, sizeof text);
    ask(p, (const char *const[]){"ACCEPT", text, p->address}, 3);
}

/* introduced ID NAME FINGERPRINT KEY SIDE SEEN CANDIDATE */
static void meet(struct scene *s, struct person *p, const struct resp_value *words)
{
    unsigned own = (unsigned)(p - s->people);
    struct random_id id;
    struct endpoint there;
    if (!random_id_read(words[1].text, &id) || !endpoint_read(words[7].text, &there))
        dial_fail("the hub introduces nobody");
    p->partner.heard = on_heard;
    p->partner.ctx = p;
    partner_begin(&p->partner, &id, own, 1 - own);
    p->meets = true;
    line_dial(partner_add(&p->partner, PROOF_DIALS), there.port, p->dials);
    if (own == 0 && !partner_say(&p->partner, bytes_from_str("Hello!")))
        dial_fail("nothing can be said");
}

static void take_reply(struct scene *s, struct person *p)
{
    const struct resp_value *v = p->reply.values;
    if (v->kind == RESP_FAILURE) {
        fprintf(stderr, "the hub: %.*s\n", (int)v->text.len, (const char *)v->text.data);
        exit(1);
    }
    p->is_in = p->is_in || v->kind == RESP_STATUS;
    if (v->kind != RESP_ARRAY)
        return;
    if (bytes_equal_str(v[1].text, "invited"))
        accept_invitation(p, v[2].text);
    else if (bytes_equal_str(v[1].text, "introduced") && v->number == WORDS)
        meet(s, p, v + 1);
}

static void take_hub(struct scene *s, struct person *p)
{
    size_t consumed;
    line_move(&p->hub);
    if (p->hub.is_over)
        dial_fail("the hub went away");
    while (buffer_len(&p->hub.plain) > 0 &&
           resp_reply_parse(&p->reply, buffer_view(&p->hub.plain), &consumed) == 0) {
        take_reply(s, p);
        buffer_consume(&p->hub.plain, consumed);
    }
}

/* ---- waiting ---- */

static void take_caller(struct person *p)
{
    int fd = accept(p->listener, NULL, NULL);
    if (fd >= 0)
        line_take(partner_add(&p->partner, PROOF_ANSWERS), fd, p->answers);
}

static size_t collect(const struct person *p, struct pollfd *to)
{
    size_t n = 0;
    to[n++] = (struct pollfd){.fd = p->hub.fd, .events = line_wants(&p->hub)};
    if (p->meets) /* who calls earlier waits until it is known whom to expect */
        to[n++] = (struct pollfd){.fd = p->listener, .events = POLLIN};
    for (size_t i = 0; i < PARTNER_LINES; i++)
        if (p->partner.lines[i].tls)
            to[n++] = (struct pollfd){.fd = p->partner.lines[i].fd,
                                      .events = line_wants(&p->partner.lines[i])};
    return n;
}

static void wait_once(struct scene *s)
{
    struct pollfd fds[PEOPLE * (2 + PARTNER_LINES)];
    size_t n = 0;
    for (size_t i = 0; i < PEOPLE; i++)
        n += collect(&s->people[i], fds + n);
    if (poll(fds, n, -1) < 0)
        dial_fail("poll");
    for (size_t i = 0; i < PEOPLE; i++) {
        struct person *p = &s->people[i];
        take_hub(s, p);
        if (!p->meets)
            continue;
        take_caller(p);
        partner_move(&p->partner);
    }
}

/* ---- the scene ---- */

static void arrive(struct scene *s, unsigned own, uint16_t hub)
{
    static const char *const protocols[] = {"kith-hub/1", NULL};
    struct person *p = &s->people[own];
    uint16_t port;
    p->listener = line_listen(&port);
    snprintf(p->address, sizeof p->address, "127.0.0.1:%u", (unsigned)port);
    p->dials = partner_config(PROOF_DIALS, own);
    p->answers = partner_config(PROOF_ANSWERS, own);
    resp_reply_init(&p->reply, LIMIT_MIB);
    line_dial(&p->hub, hub, line_config(TLS_CLIENT, (int64_t)own, protocols));
    while (!tls_is_open(p->hub.tls))
        line_move(&p->hub);
    ask(p, (const char *const[]){"LOGIN"}, 1);
    while (!p->is_in)
        take_hub(s, p);
}

static uint64_t meet_once(struct scene *s, const char *name)
{
    struct person *host = &s->people[0], *guest = &s->people[1];
    struct instant start = clock_instant();
    ask(host, (const char *const[]){"MEET", name, host->address}, 3);
    while (!guest->has_heard)
        wait_once(s);
    return clock_instant().ns - start.ns;
}

static void part(struct person *p)
{
    int late;
    partner_end(&p->partner);
    p->meets = p->has_heard = false;
    while ((late = accept(p->listener, NULL, NULL)) >= 0)
        close(late);
}

int main(int argc, char **argv)
{
    struct scene s = {.people = {{.is_in = false}}};
    char name[DEVICE_NAME_BYTES + 1];
    if (argc != 3 || sodium_init() < 0)
        dial_fail("meeting PORT COUNT");
    uint64_t count = dial_number(argv[2], 1);
    for (unsigned i = 0; i < PEOPLE; i++)
        arrive(&s, i, (uint16_t)dial_number(argv[1], 1));
    device_name(1, name);
    printf("{\"us\": [");
    for (uint64_t i = 0; i < count; i++) {
        printf("%s%.1f", i > 0 ? ", " : "", (double)meet_once(&s, name) / NS_PER_US);
        part(&s.people[0]);
        part(&s.people[1]);
    }
    puts("]}");
    return 0;
}
