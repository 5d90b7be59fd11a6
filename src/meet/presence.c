#include "meet/presence.h"

#include <stdio.h>

enum { LOGIN_REQUESTS = 3 }; /* HELLO, LOGIN, WHOAMI */

static struct presence *of_hub(struct hub_line *l)
{
    return (struct presence *)((char *)l - offsetof(struct presence, hub));
}

struct presence *presence_of(struct talks *t)
{
    return (struct presence *)((char *)t - offsetof(struct presence, talks));
}

void presence_moved(struct talks *t)
{
    hub_line_moved(&presence_of(t)->hub, t->own, t->own_count);
}

/* ---- asking ---- */

static uint64_t ask(struct presence *p, const struct bytes *argv, size_t argc)
{
    return hub_line_ask(&p->hub, argv, argc, false) == 0 ? ++p->asked : 0;
}

uint64_t presence_ask(struct presence *p, const struct bytes *argv, size_t argc)
{
    return p->present ? ask(p, argv, argc) : 0;
}

uint64_t presence_ask_meeting(struct presence *p, const char *word, struct bytes subject)
{
    struct bytes argv[2 + CANDIDATES_MAX] = {bytes_from_str(word), subject};
    size_t n = p->talks.candidate_count;
    for (size_t i = 0; i < n; i++)
        argv[2 + i] = p->talks.candidates[i];
    return presence_ask(p, argv, 2 + n);
}

void presence_agree(struct presence *p, struct bytes id, struct bytes name)
{
    agreed_add(&p->agreed, id, name);
}

uint64_t presence_decline(struct presence *p, struct bytes id)
{
    struct bytes argv[] = {bytes_from_str("DECLINE"), id, bytes_from_str("BUSY")};
    return presence_ask(p, argv, 3);
}

uint64_t presence_accept(struct presence *p, const struct notice *invited)
{
    if (!talks_have_room(&p->talks, invited->name))
        return presence_decline(p, invited->id);
    presence_agree(p, invited->id, invited->name);
    return presence_ask_meeting(p, "ACCEPT", invited->id);
}

uint64_t presence_ask_devices(struct talks *t, const char *name)
{
    struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("OF"),
                           bytes_from_str(name)};
    return presence_ask(presence_of(t), argv, 3);
}

void presence_disbelieve(struct talks *t, struct bytes id)
{
    struct bytes argv[] = {bytes_from_str("DECLINE"), id, bytes_from_str("UNBELIEVED")};
    presence_ask(presence_of(t), argv, 3);
}

enum trouble_kind presence_begin(struct presence *p, const struct notice *n,
                                 struct trouble *ret)
{
    return talks_begin(&p->talks, p->name, n, ret);
}

/* ---- the hub ---- */

static void fail(struct presence *p, const struct trouble *why)
{
    p->present = p->ready = false;
    p->handler->failed(p, why);
}

static void on_met(struct hub_line *l)
{
    struct presence *p = of_hub(l);
    if (p->handler->met)
        p->handler->met(p);
}

static void on_up(struct hub_line *l)
{
    struct presence *p = of_hub(l);
    struct bytes hello[] = {bytes_from_str("HELLO"), bytes_from_str("3")};
    struct bytes login[] = {bytes_from_str("LOGIN")}, whoami[] = {bytes_from_str("WHOAMI")};
    struct trouble t;
    p->answered = p->asked;
    p->login = p->asked + 1;
    talks_look_around(&p->talks, hub_line_is_local(l));
    if (!ask(p, hello, 2) || !ask(p, login, 1) || !ask(p, whoami, 1)) {
        trouble_no_memory(&t);
        fail(p, &t);
    }
}

static void fail_revoked(struct presence *p)
{
    char command[SELF_COMMAND_BYTES];
    struct trouble t;
    self_command(p->hub.self, command);
    trouble_set(&t, TROUBLE_DENIED,
                "this device is no longer one of %s's: it was revoked, or the account is gone; "
                "%s login %s adds it again, with the password",
                p->name, command, p->name);
    fail(p, &t);
}

static void refused(struct presence *p, struct bytes why)
{
    struct trouble t;
    if (bytes_starts_with(why, "NOLOGIN") && p->was_ready) {
        fail_revoked(p);
        return;
    }
    if (bytes_starts_with(why, "NOLOGIN"))
        self_nobody(p->hub.self, &t);
    else
        trouble_set(&t, TROUBLE_DENIED, "the hub says: %.*s",
                    (int)(why.len < 300 ? why.len : 300), (const char *)why.data);
    fail(p, &t);
}

static void take_name(struct presence *p, const struct resp_value *reply)
{
    struct bytes name = reply->text;
    struct trouble t;
    if (reply->kind != RESP_BULK || !account_name_is_valid(name)) {
        self_strange(p->hub.self, &t);
        fail(p, &t);
        return;
    }
    bool again = p->was_ready;
    snprintf(p->name, sizeof p->name, "%.*s", (int)name.len, (const char *)name.data);
    p->ready = p->was_ready = true;
    if (again)
        talks_review(&p->talks);
    p->handler->ready(p, again);
}

static void on_answer(struct hub_line *l, const struct resp_value *values, size_t count)
{
    struct presence *p = of_hub(l);
    uint64_t number = ++p->answered;
    if (number >= p->login + LOGIN_REQUESTS && talks_devices(&p->talks, number, values, count))
        return;
    if (number >= p->login + LOGIN_REQUESTS)
        p->handler->answer(p, number, values, count);
    else if (values->kind == RESP_FAILURE)
        refused(p, values->text);
    else if (number == p->login + 1)
        p->present = true;
    else if (number == p->login + LOGIN_REQUESTS - 1)
        take_name(p, values);
}

static void take_revocation(struct presence *p, const struct public_key *key)
{
    const struct identity *own = p->hub.self->identity;
    if (own && memcmp(identity_key(own), key, sizeof *key) == 0)
        fail_revoked(p);
    else
        talks_revoked(&p->talks, key);
}

static void on_push(struct hub_line *l, const struct resp_value *values, size_t count)
{
    struct presence *p = of_hub(l);
    struct notice n;
    if (!notice_parse(values, count, &n))
        return;
    if (n.kind == NOTICE_RELAY)
        talks_called(&p->talks, n.id);
    else if (n.kind == NOTICE_REVOKED)
        take_revocation(p, &n.key);
    else if (n.kind == NOTICE_UNBELIEVED)
        talks_disbelieved(&p->talks, n.id);
    else if (n.kind != NOTICE_INTRODUCED || agreed_take(&p->agreed, &n))
        p->handler->notice(p, &n);
}

static void on_down(struct hub_line *l, const char *why)
{
    struct presence *p = of_hub(l);
    p->present = p->ready = false;
    p->handler->lost(p, why);
}

static void on_failed(struct hub_line *l, const struct trouble *why)
{
    fail(of_hub(l), why);
}

static const struct hub_line_handler hub_handler = {.met = on_met,
                                                    .up = on_up,
                                                    .down = on_down,
                                                    .answer = on_answer,
                                                    .push = on_push,
                                                    .failed = on_failed};

/* ---- begin and end ---- */

enum trouble_kind presence_open(struct presence *p, uv_loop_t *loop, struct self *self,
                                uint16_t port, const struct presence_handler *handler,
                                struct trouble *ret)
{
    *p = (struct presence){.handler = handler};
    enum trouble_kind kind = talks_open(&p->talks, loop, self, port, handler->talks, ret);
    return kind == TROUBLE_NONE ? hub_line_open(&p->hub, loop, self, &hub_handler, ret) : kind;
}

void presence_close(struct presence *p)
{
    p->present = p->ready = false;
    talks_close(&p->talks);
    hub_line_close(&p->hub);
}

void presence_fini(struct presence *p)
{
    talks_fini(&p->talks);
    hub_line_fini(&p->hub);
}
