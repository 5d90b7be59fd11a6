#include "meet/talk_link_inner.h"

#include "io/clock.h"
#include "io/own_addresses.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- connections ---- */

struct talk_path *talk_path_new(int attempt)
{
    struct talk_path *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->attempt = attempt;
    buffer_init(&p->in, LIMIT_PEER_FRAME_BYTES + 2 * LIMIT_TLS_PLAIN_BYTES);
    return p;
}

void talk_path_free(struct talk_path *p)
{
    buffer_fini(&p->in);
    free(p);
}

static struct talk_path *path_of(struct peer_line *l)
{
    return (struct talk_path *)((char *)l - offsetof(struct talk_path, line));
}

static void report(struct talk_link *t, const struct talk_path *p, enum dialing_outcome outcome)
{
    if (p->attempt >= 0)
        dialing_done(&t->dialing, (size_t)p->attempt, outcome, clock_instant());
    else if (p->attempt == TALK_PATH_RELAY)
        dialing_relay_done(&t->dialing, outcome, clock_instant());
}

static void detach(struct talk_link *t, struct talk_path *p)
{
    if (p->attached)
        peer_session_detach(&t->session, p->path, clock_instant());
    p->attached = false;
}

static void on_closed(struct peer_line *l)
{
    struct talk_path *p = path_of(l);
    struct talk_link *t = p->owner;
    if (!p->proven)
        report(t, p, p->attached ? DIALING_UNPROVEN : l->outcome);
    if (l->relayed)
        t->is_used_up = l->is_used_up;
    detach(t, p);
    list_remove(&p->link);
    talk_path_free(p);
    talk_link_pump(t);
}

static void attach(struct talk_link *t, struct talk_path *p)
{
    const struct public_key *key = peer_line_key(&p->line);
    uint8_t exporter[PROOF_EXPORTER_BYTES];
    enum peer_path_kind kind = p->line.relayed ? PEER_PATH_RELAYED : PEER_PATH_DIRECT;
    int r = key ? peer_line_export(&p->line, exporter) : PEER_SESSION_WRONG_KEY;
    if (r == 0)
        r = peer_session_attach(&t->session, kind, p->line.role, key, exporter, clock_instant(),
                                &p->path);
    p->attached = r == 0;
    if (r == PEER_SESSION_WRONG_KEY)
        p->line.outcome = DIALING_WRONG_KEY;
    if (r != 0)
        peer_line_close(&p->line);
}

static void on_open(struct peer_line *l)
{
    struct talk_path *p = path_of(l);
    attach(p->owner, p);
    talk_link_pump(p->owner);
}

static void on_read(struct peer_line *l, struct bytes in)
{
    struct talk_path *p = path_of(l);
    if (!p->attached)
        return;
    if (buffer_append_bytes(&p->in, in) != 0)
        peer_line_close(l);
    talk_link_pump(p->owner);
}

static void on_room(struct peer_line *l)
{
    talk_link_pump(path_of(l)->owner);
}

static const struct peer_line_handler line_handler = {
    .open = on_open, .read = on_read, .room = on_room, .closed = on_closed};

static void own(struct talk_link *t, struct talk_path *p)
{
    p->owner = t;
    list_append(&t->paths, &p->link);
}

bool talk_link_expects(const struct talk_link *t, const struct public_key *key)
{
    return !t->over && memcmp(&t->pair.other.key, key, sizeof *key) == 0;
}

enum peer_claim talk_link_claim(const struct talk_link *t, const struct public_key *key,
                                const uint8_t exporter[PROOF_EXPORTER_BYTES], struct bytes in)
{
    return t->over ? PEER_CLAIM_NONE
                   : peer_session_claim(&t->session, PROOF_ANSWERS, key, exporter, in);
}

void talk_link_take(struct talk_link *t, struct talk_path *path)
{
    list_remove(&path->link);
    own(t, path);
    path->line.handler = &line_handler;
    attach(t, path);
    talk_link_pump(t);
}

/* ---- dialing ---- */

/* What could not even begin has failed. */
static void start(struct talk_link *t, struct talk_path *p, int r)
{
    if (r == 0) {
        own(t, p);
        return;
    }
    report(t, p, DIALING_UNREACHABLE);
    talk_path_free(p);
}

static void dial(struct talk_link *t, size_t candidate, int attempt)
{
    struct talk_path *p = talk_path_new(attempt);
    const struct endpoint *at = &t->dialing.candidates.list[candidate].at;
    char host[NET_ADDRESS_TEXT_BYTES];
    if (!p) {
        dialing_done(&t->dialing, candidate, DIALING_UNREACHABLE, clock_instant());
        return;
    }
    net_address_write(host, &at->address);
    start(t, p,
          peer_line_dial(&p->line, t->ground->loop, host, at->port, t->ground->dials,
                         &line_handler));
}

static void ask_relay(struct talk_link *t)
{
    const struct self *s = t->ground->self;
    bool dials = pair_is_first(&t->pair);
    struct peer_line_relay how = {.host = s->where->host,
                                  .port = s->where->port,
                                  .hub_print = s->hub_print,
                                  .to_hub = s->to_hub,
                                  .within = dials ? t->ground->dials : t->ground->answers,
                                  .role = dials ? PROOF_DIALS : PROOF_ANSWERS,
                                  .id = t->pair.id};
    struct talk_path *p = talk_path_new(TALK_PATH_RELAY);
    if (p)
        start(t, p, peer_line_relay(&p->line, t->ground->loop, &how, &line_handler));
    else
        dialing_relay_done(&t->dialing, DIALING_UNREACHABLE, clock_instant());
}

static void cancel(struct talk_link *t, size_t candidate)
{
    list_foreach (at, &t->paths) {
        struct talk_path *p = list_entry(at, struct talk_path, link);
        if (p->attempt == (int)candidate && !p->proven)
            peer_line_close(&p->line);
    }
}

void talk_link_moved(struct talk_link *t, const struct own_address *own, size_t own_count,
                     const struct candidates *candidates)
{
    list_foreach (at, &t->paths) {
        struct talk_path *p = list_entry(at, struct talk_path, link);
        if (!own_addresses_lack(own, own_count, &p->line.channel))
            continue;
        detach(t, p);
        peer_line_close(&p->line);
    }
    for (size_t i = 0; i < t->dialing.candidates.count; i++)
        cancel(t, i);
    if (!t->dialing.surveys)
        dialing_renew(&t->dialing, candidates, clock_instant());
    talk_link_pump(t);
}

void talk_link_survey(struct talk_link *t, uint64_t wait_ms)
{
    dialing_survey(&t->dialing, wait_ms);
}

void talk_link_called(struct talk_link *t)
{
    dialing_called(&t->dialing, clock_instant());
    talk_link_pump(t);
}

static void tell_survey(struct talk_link *t)
{
    if (t->surveyed || t->state == TALK_LINK_ENDING || !dialing_is_through(&t->dialing))
        return;
    t->surveyed = true;
    t->handler->surveyed(t);
}

void talk_paths_dial(struct talk_link *t)
{
    struct dialing_event e;
    dialing_tick(&t->dialing, clock_instant());
    while (!t->over && dialing_next_event(&t->dialing, &e)) {
        if (e.type == DIALING_DIAL)
            dial(t, e.candidate, (int)e.candidate);
        else if (e.type == DIALING_CANCEL)
            cancel(t, e.candidate);
        else
            ask_relay(t);
    }
    tell_survey(t);
}

struct talk_path *talk_paths_find(struct talk_link *t, unsigned path)
{
    list_foreach (at, &t->paths) {
        struct talk_path *p = list_entry(at, struct talk_path, link);
        if (p->attached && p->path == path)
            return p;
    }
    return NULL;
}

void talk_paths_describe(struct talk_link *t, const struct talk_path *p)
{
    struct address at;
    char host[ADDRESS_TEXT_BYTES];
    if (p->line.relayed || !channel_other_end(&p->line.channel, &at)) {
        snprintf(t->way, sizeof t->way, "relayed");
        return;
    }
    address_host(&at, host);
    snprintf(t->way, sizeof t->way, "direct %s", host);
}

static const struct talk_path *in_use(const struct talk_link *t)
{
    list_foreach (at, &t->paths) {
        const struct talk_path *p = list_entry(at, struct talk_path, link);
        if (p->attached && t->session.used == &t->session.paths[p->path])
            return p;
    }
    return NULL;
}

bool talk_link_beside(const struct talk_link *t, struct address *ret_at, bool *ret_dialed)
{
    const struct talk_path *p = in_use(t);
    if (p)
        *ret_dialed = p->attempt != TALK_PATH_TAKEN;
    return p && !p->line.relayed && channel_other_end(&p->line.channel, ret_at);
}

bool talk_link_carries(const struct talk_link *t)
{
    const struct talk_path *p = in_use(t);
    return p && p->line.carries_files;
}

void talk_paths_write(struct talk_link *t, struct talk_path *p)
{
    struct bytes out;
    while (p->attached && !peer_line_is_full(&p->line) &&
           peer_session_output(&t->session, p->path, &out) == 0 && out.len > 0) {
        size_t n = out.len;
        peer_line_write(&p->line, out);
        peer_session_sent(&t->session, p->path, n);
    }
}

void talk_paths_drop(struct talk_link *t, const struct peer_event *e)
{
    struct talk_path *p = talk_paths_find(t, e->path);
    if (!p)
        return;
    if (e->drop == PEER_DROP_OVER)
        talk_paths_write(t, p);
    if (!p->proven)
        p->line.outcome = DIALING_UNPROVEN;
    detach(t, p);
    peer_line_close(&p->line);
}

/* As much has gone over the connection in use as one key is good for: whoever dialed it dials
 * it once more. */
void talk_paths_renew(struct talk_link *t, unsigned path)
{
    struct talk_path *p = talk_paths_find(t, path);
    if (p && p->attempt >= 0)
        dial(t, (size_t)p->attempt, TALK_PATH_AGAIN);
    else if (p && p->line.relayed)
        ask_relay(t);
}

void talk_paths_proven(struct talk_link *t, struct talk_path *p)
{
    struct address from;
    p->proven = true;
    t->is_used_up = false;
    report(t, p, DIALING_PROVEN);
    if (p->attempt == TALK_PATH_TAKEN && channel_other_end(&p->line.channel, &from))
        t->handler->came(t, &from);
    /* A survey finds more ways than a session has room for. */
    if (t->dialing.surveys && t->session.used &&
        t->session.paths[p->path].state == PEER_PATH_SPARE) {
        detach(t, p);
        peer_line_close(&p->line);
    }
}
