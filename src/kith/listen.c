/* kith listen: accepts talks by rule, and prints a line for each text that comes. */

#include "client/accepting.h"
#include "kith/command.h"
#include "kith/contact.h"

#include <stdio.h>

/* ---- the hub ---- */

static void note(struct session *s, const char *text)
{
    if (!s->output.quiet && !s->output.json)
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
        output_line(o, before, text);
    } else {
        struct buffer b;
        buffer_init(&b, SIZE_MAX);
        struct json j = json_begin(&b);
        json_str(&j, "from", name);
        json_bytes(&j, "text", text);
        output_json(o, &j);
    }
    if (o->failed != 0)
        contact_end(contact_of(t), EXIT_NO);
}

/* It was said; others are listened to. */
static void on_refused(struct talks *t, const char *name, const struct trouble *why)
{
    session_trouble(contact_of(t)->session, why);
}

static const struct talks_handler talks_handler = {.heard = on_heard,
                                                   .ask_devices = presence_ask_devices,
                                                   .refused = on_refused,
                                                   .moved = presence_moved};

static const struct contact_handler contact_handler = {
    .ready = on_ready, .lost = on_lost, .notice = on_notice, .talks = &talks_handler};

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
