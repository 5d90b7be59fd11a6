#include "kith/contact.h"

#include "client/answer.h"
#include "io/problem.h"

#include <signal.h>
#include <stdio.h>

/* The login, in its order. */
enum { HELLO, LOGIN, WHOAMI, LOGIN_REQUESTS };

static struct contact *of_hub(struct hub_line *l)
{
    return (struct contact *)((char *)l - offsetof(struct contact, hub));
}

struct contact *contact_of(struct talks *t)
{
    return (struct contact *)((char *)t - offsetof(struct contact, talks));
}

void contact_end(struct contact *c, int code)
{
    if (c->over)
        return;
    c->over = true;
    c->code = code;
    talks_close(&c->talks);
    hub_line_close(&c->hub);
    for (size_t i = 0; i < sizeof c->stops / sizeof *c->stops; i++)
        uv_close((uv_handle_t *)&c->stops[i], NULL);
}

/* ---- asking ---- */

static void ask(struct contact *c, const struct bytes *argv, size_t argc)
{
    journal_note(&c->session->journal, "asked", argv[0]);
    int r = hub_line_ask(&c->hub, argv, argc, false);
    if (r != 0)
        contact_end(c, session_fail(c->session, EXIT_NO, "%s", problem_text(r)));
}

void contact_ask(struct contact *c, const char *word, struct bytes subject)
{
    struct bytes argv[2 + CANDIDATES_MAX] = {bytes_from_str(word), subject};
    size_t n = c->talks.candidate_count;
    for (size_t i = 0; i < n; i++)
        argv[2 + i] = c->talks.candidates[i];
    ask(c, argv, 2 + n);
}

void contact_decline(struct contact *c, struct bytes id)
{
    struct bytes argv[] = {bytes_from_str("DECLINE"), id, bytes_from_str("BUSY")};
    ask(c, argv, 3);
}

int contact_begin(struct contact *c, const struct notice *n)
{
    struct trouble t;
    enum trouble_kind kind = talks_begin(&c->talks, c->name, n, &t);
    return kind == TROUBLE_NONE ? EXIT_DONE : session_trouble(c->session, &t);
}

/* ---- the hub ---- */

static void on_up(struct hub_line *l)
{
    struct contact *c = of_hub(l);
    struct bytes hello[] = {bytes_from_str("HELLO"), bytes_from_str("3")};
    struct bytes login[] = {bytes_from_str("LOGIN")}, whoami[] = {bytes_from_str("WHOAMI")};
    c->answered = 0;
    talks_look_around(&c->talks, hub_line_is_local(l));
    ask(c, hello, 2);
    ask(c, login, 1);
    ask(c, whoami, 1);
}

static void refused(struct contact *c, const struct resp_value *reply)
{
    int code = bytes_starts_with(reply->text, "NOLOGIN")
                   ? session_fail(c->session, EXIT_DENIED,
                                  "this device is nobody's at %s: kith register makes an "
                                  "account, kith login adds the device to one",
                                  c->session->where_text)
                   : session_fail(c->session, EXIT_DENIED, "the hub says: %.*s",
                                  (int)(reply->text.len < 300 ? reply->text.len : 300),
                                  (const char *)reply->text.data);
    contact_end(c, code);
}

static void take_name(struct contact *c, struct bytes name)
{
    if (!account_name_is_valid(name)) {
        contact_end(c, session_strange(c->session));
        return;
    }
    bool again = c->was_ready;
    snprintf(c->name, sizeof c->name, "%.*s", (int)name.len, (const char *)name.data);
    c->was_ready = true;
    c->handler->ready(c, again);
}

static void on_answer(struct hub_line *l, const struct resp_value *values, size_t count)
{
    struct contact *c = of_hub(l);
    if (c->answered >= LOGIN_REQUESTS) {
        c->handler->answer(c, values);
        return;
    }
    unsigned which = c->answered++;
    if (values->kind == RESP_FAILURE)
        refused(c, values);
    else if (which == WHOAMI)
        take_name(c, values->text);
}

static void on_push(struct hub_line *l, const struct resp_value *values, size_t count)
{
    struct notice n;
    if (notice_parse(values, count, &n))
        of_hub(l)->handler->notice(of_hub(l), &n);
}

static void on_down(struct hub_line *l, const char *why)
{
    of_hub(l)->handler->lost(of_hub(l), why);
}

static void on_met(struct hub_line *l)
{
    session_met(of_hub(l)->session);
}

static void on_failed(struct hub_line *l, const struct trouble *why)
{
    struct contact *c = of_hub(l);
    contact_end(c, session_trouble(c->session, why));
}

static const struct hub_line_handler hub_handler = {.met = on_met,
                                                    .up = on_up,
                                                    .down = on_down,
                                                    .answer = on_answer,
                                                    .push = on_push,
                                                    .failed = on_failed};

/* ---- one run ---- */

static void on_stop(uv_signal_t *stop, int number)
{
    struct contact *c = stop->data;
    c->signal = number;
    contact_end(c, EXIT_NO);
}

static void watch_signals(struct contact *c)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uv_signal_init(&c->loop, &c->stops[i]);
        c->stops[i].data = c;
        uv_signal_start(&c->stops[i], on_stop, numbers[i]);
    }
}

static int open_all(struct contact *c, uint16_t port)
{
    struct self *self = &c->session->self;
    struct trouble t;
    if (talks_open(&c->talks, &c->loop, self, port, c->handler->talks, &t) == TROUBLE_NONE &&
        hub_line_open(&c->hub, &c->loop, self, &hub_handler, &t) == TROUBLE_NONE)
        return EXIT_DONE;
    return session_trouble(c->session, &t);
}

int contact_run(struct contact *c, struct session *s, const struct contact_handler *handler)
{
    uint16_t port;
    c->handler = handler;
    c->session = s;
    if (s->where.path[0])
        return session_fail(s, EXIT_USAGE,
                            "people meet over TLS: --hub HOST:PORT, not a Unix socket");
    s->where.secure = true;
    int code = session_peer_port(s, &port);
    if (code != EXIT_DONE)
        return code;
    int r = uv_loop_init(&c->loop);
    if (r < 0)
        return session_fail(s, EXIT_NO, "%s", problem_text(r));
    watch_signals(c);
    code = open_all(c, port);
    if (code != EXIT_DONE)
        contact_end(c, code);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    talks_fini(&c->talks);
    hub_line_fini(&c->hub);
    uv_loop_close(&c->loop);
    if (c->signal != 0) {
        signal(c->signal, SIG_DFL);
        raise(c->signal);
    }
    return c->code;
}
