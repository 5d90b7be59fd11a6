#include "kith/contact.h"

#include "client/answer.h"
#include "io/clock.h"
#include "io/problem.h"

#include <errno.h>
#include <signal.h>

static struct contact *contact_at(struct presence *p)
{
    return (struct contact *)((char *)p - offsetof(struct contact, presence));
}

struct contact *contact_of(struct talks *t)
{
    return contact_at(presence_of(t));
}

struct contact *contact_of_post(struct post *p)
{
    return (struct contact *)((char *)p - offsetof(struct contact, post));
}

void contact_end(struct contact *c, int code)
{
    if (c->over)
        return;
    c->over = true;
    c->code = code;
    if (c->handler->ending)
        c->handler->ending(c);
    presence_close(&c->presence);
    for (size_t i = 0; i < sizeof c->stops / sizeof *c->stops; i++)
        uv_close((uv_handle_t *)&c->stops[i], NULL);
    uv_close((uv_handle_t *)&c->wake, NULL);
}

static void on_wake(uv_timer_t *timer)
{
    struct contact *c = timer->data;
    c->handler->wake(c);
}

void contact_wake(struct contact *c, uint64_t ms)
{
    if (!c->over)
        uv_timer_start(&c->wake, on_wake, ms, 0);
}

void contact_lost(struct contact *c, const char *why)
{
    if (!c->over)
        contact_end(c, session_fail(c->session, EXIT_UNREACHABLE, "lost the hub at %s: %s",
                                    c->session->where_text, why));
}

/* ---- asking ---- */

/* Without a hub nothing is asked, and nothing is wrong. */
static uint64_t asked(struct contact *c, struct bytes word, uint64_t number)
{
    if (number != 0)
        journal_note(&c->session->journal, "asked", word);
    else if (c->presence.present)
        contact_end(c, session_fail(c->session, EXIT_NO, "%s", problem_text(-ENOMEM)));
    return number;
}

uint64_t contact_request(struct contact *c, const struct bytes *argv, size_t argc)
{
    return asked(c, argv[0], presence_ask(&c->presence, argv, argc));
}

uint64_t contact_ask(struct contact *c, const char *word, struct bytes subject)
{
    return asked(c, bytes_from_str(word), presence_ask_meeting(&c->presence, word, subject));
}

int contact_post(struct post *p, const struct bytes *argv, size_t argc)
{
    return postman_ask(&contact_of_post(p)->postman, argv, argc);
}

void contact_accept(struct contact *c, const struct notice *invited)
{
    asked(c, bytes_from_str("ACCEPT"), presence_accept(&c->presence, invited));
}

void contact_decline(struct contact *c, struct bytes id)
{
    asked(c, bytes_from_str("DECLINE"), presence_decline(&c->presence, id));
}

void contact_refused(struct contact *c, struct bytes answer)
{
    int code = answer_is_denial(answer) ? EXIT_DENIED : EXIT_NO;
    answer = answer_words(answer);
    contact_end(c, session_fail(c->session, code, "%.*s",
                                (int)(answer.len < 300 ? answer.len : 300),
                                (const char *)answer.data));
}

void contact_keep(struct contact *c, struct said *said, struct bytes other)
{
    char why[CHRONICLE_WHY_BYTES];
    said->when = clock_walltime();
    if (!chronicle_keep(&c->chronicle, other, said, why))
        output_error_line("kith: ", bytes_from_str(why));
}

int contact_begin(struct contact *c, const struct notice *n)
{
    struct trouble t;
    enum trouble_kind kind = presence_begin(&c->presence, n, &t);
    return kind == TROUBLE_NONE ? EXIT_DONE : session_trouble(c->session, &t);
}

/* ---- the presence ---- */

static void on_met(struct presence *p)
{
    contact_at(p)->met_hub = true;
    session_met(contact_at(p)->session);
}

static void on_ready(struct presence *p, bool again)
{
    struct contact *c = contact_at(p);
    postman_ready(&c->postman);
    c->handler->ready(c, again);
}

static void on_lost(struct presence *p, const char *why)
{
    struct contact *c = contact_at(p);
    postman_lost(&c->postman);
    c->handler->lost(c, why);
}

static void on_answer(struct presence *p, uint64_t number, const struct resp_value *values,
                      size_t count)
{
    struct contact *c = contact_at(p);
    if (!postman_answered(&c->postman, number, values, count) && c->handler->answer)
        c->handler->answer(c, number, values);
}

static void on_notice(struct presence *p, const struct notice *n)
{
    struct contact *c = contact_at(p);
    if (n->kind == NOTICE_LETTER)
        post_letter_came(&c->post);
    else if (c->handler->notice)
        c->handler->notice(c, n);
}

static void on_failed(struct presence *p, const struct trouble *why)
{
    struct contact *c = contact_at(p);
    contact_end(c, session_trouble(c->session, why));
}

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

static void run(struct contact *c, uint16_t port)
{
    const struct presence_handler handler = {.met = on_met,
                                             .ready = on_ready,
                                             .lost = on_lost,
                                             .answer = on_answer,
                                             .notice = on_notice,
                                             .failed = on_failed,
                                             .talks = c->handler->talks};
    struct trouble t;
    uv_timer_init(&c->loop, &c->wake);
    c->wake.data = c;
    watch_signals(c);
    if (presence_open(&c->presence, &c->loop, &c->session->self, port, &handler, &t) !=
        TROUBLE_NONE)
        contact_end(c, session_trouble(c->session, &t));
    else
        hub_line_set_patience(&c->presence.hub, LIMIT_ANSWER_MS);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    presence_fini(&c->presence);
}

static int run_with_post(struct contact *c, uint16_t port)
{
    struct session *s = c->session;
    struct trouble t;
    c->chronicle = (struct chronicle){.self = &s->self, .keeps = s->options.history};
    if (postman_open(&c->postman, &c->post, c->handler->post, &c->presence, &s->self,
                     &c->chronicle, &t) != TROUBLE_NONE) {
        c->code = session_trouble(s, &t);
    } else {
        c->post.takes = c->handler->takes_letters;
        run(c, port);
    }
    postman_close(&c->postman);
    return c->code;
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
    code = run_with_post(c, port);
    uv_loop_close(&c->loop);
    if (c->signal != 0) {
        signal(c->signal, SIG_DFL);
        raise(c->signal);
    }
    return code;
}
