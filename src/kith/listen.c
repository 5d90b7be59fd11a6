/* kith listen: accepts talks by rule, and prints a line for each text that comes, and for each
 * letter of those people. */

#include "client/accepting.h"
#include "kith/command.h"
#include "kith/letter_line.h"

#include <stdio.h>

/* ---- the hub ---- */

/* On standard error, with --json too: a script has to know when it is heard. */
static void note(struct session *s, const char *text)
{
    if (!s->output.quiet)
        output_error_line("kith: ", bytes_from_str(text));
}

static void on_ready(struct contact *c, bool again)
{
    char text[WHERE_TEXT_BYTES + ACCOUNT_NAME_BYTES + 40];
    snprintf(text, sizeof text, "%s at %s as %s", again ? "listening again" : "listening",
             c->session->where_text, c->presence.name);
    note(c->session, text);
}

static void on_lost(struct contact *c, const char *why)
{
    char text[WHERE_TEXT_BYTES + 300];
    snprintf(text, sizeof text, "lost the hub at %s: %.200s; trying to get back",
             c->session->where_text, why);
    note(c->session, text);
}

static void on_notice(struct contact *c, const struct notice *n)
{
    bool invited = n->kind == NOTICE_INVITED;
    if (invited && accepting_allows(c->session->options.accept, n->name))
        contact_accept(c, n);
    else if (invited)
        contact_decline(c, n->id);
    else if (n->kind == NOTICE_INTRODUCED)
        contact_begin(c, n); /* what is wrong was said; others are listened to */
}

/* ---- talks ---- */

static void on_heard(struct talks *t, const char *name, struct bytes text)
{
    struct output *o = &contact_of(t)->session->output;
    char before[ACCOUNT_NAME_BYTES + 4];
    if (!o->json) {
        snprintf(before, sizeof before, "%.*s: ", ACCOUNT_NAME_BYTES, name);
        output_lines(o, before, text);
    } else {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_str(&j, "from", name);
        json_bytes(&j, "text", text);
        output_json(o, &j);
    }
    struct contact *c = contact_of(t);
    if (o->failed != 0)
        contact_end(c, EXIT_NO);
    else
        contact_keep(c,
                     &(struct said){.from = bytes_from_str(name),
                                    .to = bytes_from_str(c->presence.name),
                                    .text = text},
                     bytes_from_str(name));
}

/* It was said; others are listened to. */
static void on_refused(struct talks *t, const char *name, const struct trouble *why)
{
    session_trouble(contact_of(t)->session, why);
}

static void on_ended(struct talks *t, const char *name, const char *why)
{
    char text[ACCOUNT_NAME_BYTES + 300];
    snprintf(text, sizeof text, "the talk with %.32s is over: %.200s", name, why ? why : "");
    if (why)
        note(contact_of(t)->session, text);
}

static const struct talks_handler talks_handler = {.heard = on_heard,
                                                   .ended = on_ended,
                                                   .ask_devices = presence_ask_devices,
                                                   .disbelieve = presence_disbelieve,
                                                   .refused = on_refused,
                                                   .moved = presence_moved};

/* ---- letters ---- */

static bool accepts(struct post *p, struct bytes name)
{
    return accepting_allows(contact_of_post(p)->session->options.accept, name);
}

static bool on_show(struct post *p, const struct peer_letter *l)
{
    struct contact *c = contact_of_post(p);
    if (!c->over && !letter_line_print(&c->session->output, l))
        contact_end(c, EXIT_NO);
    return !c->over;
}

static void on_warn(struct post *p, enum post_warning warning, struct bytes name)
{
    letter_line_warn(p, warning, name);
}

static const struct post_handler post_handler = {
    .request = contact_post, .accepts = accepts, .show = on_show, .warn = on_warn};

static const struct contact_handler contact_handler = {.ready = on_ready,
                                                       .lost = on_lost,
                                                       .notice = on_notice,
                                                       .talks = &talks_handler,
                                                       .post = &post_handler,
                                                       .takes_letters = true};

int listen_run(struct session *s)
{
    struct contact c = {.over = false};
    if (!s->options.accept)
        return session_fail(s, EXIT_USAGE,
                            "whom shall kith listen to? --accept NAME,NAME or --accept all");
    if (!accepting_is_valid(s->options.accept))
        return session_fail(s, EXIT_USAGE, "--accept takes names, as in alice,bob, or all");
    return contact_run(&c, s, &contact_handler);
}
