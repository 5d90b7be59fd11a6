#include "world.h"

#include <stdlib.h>

enum {
    ACTIVE_MS = 120 * 1000,
    HEALING_MS = 600 * 1000,
    SETTLING_MS = 2 * LIMIT_PEER_SILENCE_MS,
    PADDING = 3
};

/* ---- what is said ---- */

static size_t compose(uint64_t number, size_t len, uint8_t *to)
{
    memcpy(to, &number, sizeof number);
    for (size_t i = sizeof number; i < len; i++)
        to[i] = (uint8_t)(number + i * PADDING);
    return len;
}

static void say(struct world *w, unsigned side, enum peer_channel channel)
{
    static uint8_t message[LIMIT_PEER_MESSAGE_BYTES];
    struct side *s = &w->sides[side];
    size_t max = draw(w, 8) ? 64 : LIMIT_PEER_MESSAGE_BYTES - 8;
    size_t len = compose(s->said[channel], 8 + draw(w, max + 1), message);
    int r = peer_session_say(&s->session, channel, bytes_make(message, len));
    if (r == 0)
        s->said[channel]++;
    trace_check(&w->trace, r == 0 || r == PEER_SESSION_FULL, "cannot say: %d", r);
}

static void hear(struct world *w, unsigned side, const struct peer_event *e)
{
    struct side *s = &w->sides[side];
    uint64_t number = UINT64_MAX;
    if (e->message.len >= sizeof number)
        memcpy(&number, e->message.data, sizeof number);
    trace_check(&w->trace, number == s->heard[e->channel],
                "%u heard %llu of channel %u, not %llu", side, (unsigned long long)number,
                (unsigned)e->channel, (unsigned long long)s->heard[e->channel]);
    trace_check(&w->trace, number < w->sides[1 - side].said[e->channel], "nobody said that");
    for (size_t i = sizeof number; i < e->message.len; i++)
        trace_check(&w->trace, e->message.data[i] == (uint8_t)(number + i * PADDING),
                    "a message was changed");
    s->heard[e->channel]++;
    w->messages++;
}

/* ---- what a side does ---- */

static struct link *link_of(struct world *w, unsigned side, unsigned path)
{
    for (size_t i = 0; i < LINKS; i++)
        if (w->links[i].is_there && w->links[i].is_attached[side] &&
            w->links[i].path[side] == path)
            return &w->links[i];
    trace_fail(&w->trace, "no such connection");
}

static void settle(struct world *w, unsigned side, const struct link *l,
                   enum dialing_outcome outcome)
{
    if (l->candidate >= 0 && l->dialer == side)
        dialing_done(&w->sides[side].dialing, (size_t)l->candidate, outcome, w->now);
    else if (l->kind == PEER_PATH_RELAYED)
        dialing_relay_done(&w->sides[side].dialing, outcome, w->now);
}

static void take_drop(struct world *w, unsigned side, const struct peer_event *e)
{
    struct link *l = link_of(w, side, e->path);
    trace_say(&w->trace, "%u drops path %u: %d", side, e->path, (int)e->drop);
    trace_check(&w->trace, e->drop != PEER_DROP_BROKEN, "an honest side is called broken");
    trace_check(&w->trace, e->drop != PEER_DROP_UNPROVEN || l->reach == REACH_NO_PROOF,
                "a true proof was refused");
    if (e->drop == PEER_DROP_UNPROVEN)
        settle(w, side, l, DIALING_UNPROVEN);
    link_pump(w, l, side);
    link_close(w, l, side);
}

static void take_event(struct world *w, unsigned side, const struct peer_event *e)
{
    struct side *s = &w->sides[side];
    const struct link *l = NULL;
    if (e->type == PEER_EVENT_MESSAGE || e->type == PEER_EVENT_PROVEN ||
        e->type == PEER_EVENT_PATH_CHANGED) {
        l = link_of(w, side, e->path);
        trace_check(&w->trace, l->reach == REACH_WORKS, "an impostor was believed");
    }
    switch (e->type) {
    case PEER_EVENT_MESSAGE:
        hear(w, side, e);
        break;
    case PEER_EVENT_PROVEN:
        settle(w, side, l, DIALING_PROVEN);
        break;
    case PEER_EVENT_PATH_CHANGED:
        trace_say(&w->trace, "%u uses path %u, %s", side, e->path,
                  e->kind == PEER_PATH_DIRECT ? "direct" : "relayed");
        w->switches++;
        dialing_set_path(&s->dialing,
                         e->kind == PEER_PATH_DIRECT ? DIALING_DIRECT_PATH : DIALING_RELAY_PATH,
                         w->now);
        break;
    case PEER_EVENT_PATH_LOST:
        trace_say(&w->trace, "%u has no path", side);
        dialing_set_path(&s->dialing, DIALING_NO_PATH, w->now);
        break;
    case PEER_EVENT_DROP:
        take_drop(w, side, e);
        break;
    case PEER_EVENT_CLOSED:
        trace_say(&w->trace, "%u is closed: %d", side, (int)e->close);
        s->is_over = true;
        break;
    default:
        break;
    }
}

void side_take_events(struct world *w, unsigned side)
{
    struct peer_event e;
    while (peer_session_next_event(&w->sides[side].session, &e))
        take_event(w, side, &e);
}

static void cancel(struct world *w, unsigned side, int candidate)
{
    for (size_t i = 0; i < LINKS; i++) {
        struct link *l = &w->links[i];
        if (!l->is_there || l->dialer != side || l->candidate != candidate)
            continue;
        if (!l->is_open)
            link_free(l);
        else if (w->sides[side].session.paths[l->path[side]].state == PEER_PATH_PROVING)
            link_close(w, l, side);
    }
}

static void run_dialing(struct world *w, unsigned side)
{
    struct side *s = &w->sides[side];
    struct dialing_event e;
    dialing_tick(&s->dialing, w->now);
    while (!s->is_over && dialing_next_event(&s->dialing, &e)) {
        if (e.type == DIALING_DIAL) {
            link_open(w, PEER_PATH_DIRECT, side, (int)e.candidate, s->reach[e.candidate]);
        } else if (e.type == DIALING_CANCEL) {
            cancel(w, side, (int)e.candidate);
        } else {
            s->wants_relay = true;
            s->wants_until = instant_after_ms(w->now, 10000);
            w->sides[1 - side].called_at = later(w, w->delay_ms);
        }
    }
}

/* The hub says to who is waited for that he is. */
static void run_calls(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &w->sides[i];
        if (s->called_at.ns > w->now.ns)
            continue;
        s->called_at = INSTANT_NEVER;
        if (w->relay_is_up && w->sides[1 - i].wants_relay)
            dialing_called(&s->dialing, w->now);
    }
}

/* The hub joins who both ask for the relay. */
static void run_relay(struct world *w)
{
    struct side *s = w->sides;
    if (s[0].wants_relay && s[1].wants_relay && w->relay_is_up) {
        s[0].wants_relay = s[1].wants_relay = false;
        link_open(w, PEER_PATH_RELAYED, 0, -1, REACH_WORKS);
    }
    for (int i = 0; i < 2; i++) {
        if (!s[i].wants_relay || s[i].wants_until.ns > w->now.ns)
            continue;
        s[i].wants_relay = false;
        dialing_relay_done(&s[i].dialing, DIALING_TIMEOUT, w->now);
    }
}

/* ---- what happens to them ---- */

static struct link *any_link(struct world *w)
{
    struct link *l = &w->links[draw(w, LINKS)];
    return l->is_there && l->is_open ? l : NULL;
}

static void set_reach(struct world *w, bool all_work)
{
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < CANDIDATES; c++)
            w->sides[i].reach[c] = all_work ? REACH_WORKS : (enum reach)draw(w, 5);
}

/* A side has another address: what it had open is dead, and nobody is told. */
static void move(struct world *w, unsigned side)
{
    struct candidates candidates = w->sides[side].dialing.candidates;
    trace_say(&w->trace, "%u has another address", side);
    for (size_t i = 0; i < LINKS; i++)
        if (w->links[i].is_there && w->links[i].is_open)
            link_cut(w, &w->links[i]);
    for (size_t i = 0; i < LINKS; i++)
        if (w->links[i].is_there && w->links[i].is_attached[side])
            link_close(w, &w->links[i], side);
    side_take_events(w, side);
    for (int c = 0; c < CANDIDATES; c++)
        cancel(w, side, c);
    dialing_renew(&w->sides[side].dialing, &candidates, w->now);
}

static void disturb(struct world *w)
{
    struct link *l;
    switch (draw(w, 24)) {
    case 0:
        if ((l = any_link(w)))
            link_cut(w, l);
        break;
    case 1:
    case 2:
        if ((l = any_link(w)) && l->is_attached[0]) {
            link_close(w, l, 0);
            side_take_events(w, 0);
        }
        break;
    case 3:
        w->parted = draw(w, 3) == 0;
        for (size_t i = 0; w->parted && i < LINKS; i++)
            if (w->links[i].is_there && w->links[i].is_open &&
                w->links[i].kind == PEER_PATH_DIRECT)
                link_cut(w, &w->links[i]);
        break;
    case 4:
        w->relay_is_up = draw(w, 4) != 0;
        break;
    case 5:
        if (draw(w, 4) == 0)
            move(w, (unsigned)draw(w, 2));
        break;
    case 6:
        set_reach(w, false);
        break;
    case 7:
        w->delay_ms = draw(w, 3) ? draw(w, 20) : draw(w, 1500);
        break;
    default:
        break;
    }
}

static void act(struct world *w)
{
    unsigned side = (unsigned)draw(w, 2);
    enum peer_channel channel = draw(w, 3) ? PEER_TALK : PEER_BULK;
    for (uint64_t n = draw(w, draw(w, 10) ? 4 : 200); n > 0; n--)
        say(w, side, channel);
    disturb(w);
    w->next_action = later(w, 1500);
}

static void heal(struct world *w)
{
    trace_say(&w->trace, "all heals");
    w->healed = true;
    w->parted = false;
    w->relay_is_up = true;
    w->delay_ms = 20;
    set_reach(w, true);
    w->next_action = INSTANT_NEVER;
}

/* ---- steps ---- */

static void check_bounds(struct world *w, const struct peer_session *s)
{
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++)
        trace_check(&w->trace,
                    buffer_len(&s->paths[i].out) <
                        LIMIT_PEER_TALK_AHEAD_BYTES + 2 * LIMIT_PEER_MESSAGE_BYTES,
                    "too much waits to be sent");
    for (size_t c = 0; c < PEER_CHANNELS; c++)
        trace_check(&w->trace,
                    s->lanes[c].count <= LIMIT_PEER_UNACKED_MESSAGES &&
                        s->lanes[c].bytes <= LIMIT_PEER_UNACKED_BYTES,
                    "too much is kept");
}

static struct instant next_moment(const struct world *w)
{
    struct instant at = w->next_action;
    for (size_t i = 0; i < LINKS; i++)
        at = instant_min(at, link_next(&w->links[i]));
    for (int i = 0; i < 2; i++) {
        const struct side *s = &w->sides[i];
        at = instant_min(at, peer_session_deadline(&s->session));
        if (!s->is_over)
            at = instant_min(at, dialing_deadline(&s->dialing));
        if (s->wants_relay)
            at = instant_min(at, s->wants_until);
        at = instant_min(at, s->called_at);
    }
    return at;
}

static void pump(struct world *w)
{
    for (size_t i = 0; i < LINKS; i++)
        for (unsigned side = 0; side < 2; side++)
            link_pump(w, &w->links[i], side);
}

static void step(struct world *w, struct instant until)
{
    struct instant at = instant_min(next_moment(w), until);
    w->now = at.ns > w->now.ns ? at : w->now;
    w->trace.now = w->now;
    w->trace.step++;
    if (w->next_action.ns <= w->now.ns)
        act(w);
    for (size_t i = 0; i < LINKS; i++)
        link_run(w, &w->links[i]);
    run_calls(w);
    for (unsigned i = 0; i < 2; i++) {
        peer_session_tick(&w->sides[i].session, w->now);
        side_take_events(w, i);
        run_dialing(w, i);
    }
    run_relay(w);
    pump(w);
    for (int i = 0; i < 2; i++)
        check_bounds(w, &w->sides[i].session);
}

static bool all_arrived(const struct world *w)
{
    for (int i = 0; i < 2; i++)
        for (size_t c = 0; c < PEER_CHANNELS; c++)
            if (w->sides[i].heard[c] != w->sides[1 - i].said[c] ||
                w->sides[i].session.lanes[c].count > 0)
                return false;
    return true;
}

static bool both_over(const struct world *w)
{
    return w->sides[0].is_over && w->sides[1].is_over;
}

static void run_until(struct world *w, struct instant until, bool (*done)(const struct world *),
                      const char *what)
{
    uint64_t first = w->trace.step;
    while (w->now.ns < until.ns && !(done && done(w))) {
        step(w, until);
        trace_check(&w->trace, w->trace.step - first < 2000000, "time does not pass");
    }
    trace_check(&w->trace, !done || done(w), "%s", what);
}

/* ---- a life ---- */

static void init_side(struct world *w, unsigned side)
{
    struct side *s = &w->sides[side];
    s->called_at = INSTANT_NEVER;
    struct random_id id = {.bytes = {1}};
    struct public_key keys[2] = {{.bytes = {1}}, {.bytes = {2}}};
    struct candidates candidates = {.count = CANDIDATES};
    if (pair_init(&s->pair, &id, bytes_from_str(side ? "bob" : "anna"), &keys[side],
                  bytes_from_str(side ? "anna" : "bob"), &keys[1 - side]) != 0)
        abort();
    peer_session_init(&s->session, &s->pair, w->now);
    dialing_init(&s->dialing, &candidates, true, draw(w, UINT64_MAX), w->now);
}

static void close_one(struct world *w)
{
    unsigned side = (unsigned)draw(w, 2);
    say(w, side, PEER_TALK);
    peer_session_close(&w->sides[side].session, w->now);
    pump(w);
    run_until(w, instant_after_ms(w->now, LIMIT_PEER_CLOSE_MS + 1000), both_over,
              "they do not agree that it is over");
    trace_check(&w->trace,
                w->sides[1 - side].heard[PEER_TALK] == w->sides[side].said[PEER_TALK],
                "the last words were lost");
}

static struct world *begin(uint64_t seed, bool verbose)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    w->trace = (struct trace){.seed = seed, .verbose = verbose};
    w->chance = seed;
    w->now.ns = 1000000000;
    w->relay_is_up = draw(w, 2);
    w->delay_ms = draw(w, 100);
    buffer_init(&w->heard_proofs, 38 * 64);
    for (unsigned i = 0; i < 2; i++)
        init_side(w, i);
    return w;
}

static void end(struct world *w)
{
    for (size_t i = 0; i < LINKS; i++)
        if (w->links[i].is_there)
            link_free(&w->links[i]);
    for (int i = 0; i < 2; i++)
        peer_session_fini(&w->sides[i].session);
    buffer_fini(&w->heard_proofs);
    free(w);
}

uint64_t world_play(uint64_t seed, bool verbose, uint64_t *ret_switches)
{
    struct world *w = begin(seed, verbose);
    set_reach(w, false);
    run_until(w, instant_after_ms(w->now, ACTIVE_MS), NULL, "");
    heal(w);
    run_until(w, instant_after_ms(w->now, SETTLING_MS), NULL, "");
    run_until(w, instant_after_ms(w->now, HEALING_MS), all_arrived, "not all has arrived");
    close_one(w);
    uint64_t messages = w->messages;
    *ret_switches += w->switches;
    end(w);
    return messages;
}

/* ---- coming back ---- */

static bool are_direct(const struct world *w)
{
    for (int i = 0; i < 2; i++)
        if (w->sides[i].dialing.state != DIALING_RESTING)
            return false;
    return true;
}

static struct link *used_link(struct world *w, unsigned side)
{
    const struct peer_session *s = &w->sides[side].session;
    return link_of(w, side, (unsigned)(s->used - s->paths));
}

uint64_t world_measure_return(uint64_t seed, bool verbose)
{
    struct world *w = begin(seed, verbose);
    unsigned side = (unsigned)draw(w, 2);
    w->relay_is_up = true;
    w->next_action = INSTANT_NEVER;
    set_reach(w, true);
    run_until(w, instant_after_ms(w->now, 10000), are_direct, "there is no direct path");
    run_until(w, instant_after_ms(w->now, draw(w, 30000)), NULL, "");
    w->parted = true;
    for (size_t i = 0; i < LINKS; i++)
        if (w->links[i].is_there && w->links[i].is_open)
            link_cut(w, &w->links[i]);
    link_close(w, used_link(w, side), side);
    side_take_events(w, side);
    struct instant began = w->now;
    say(w, side, PEER_TALK);
    run_until(w, instant_after_ms(w->now, 2 * LIMIT_PEER_SILENCE_MS), all_arrived,
              "they do not come back");
    uint64_t ms = (w->now.ns - began.ns) / 1000000;
    trace_say(&w->trace, "%u is heard again after %llu ms", 1 - side, (unsigned long long)ms);
    end(w);
    return ms;
}
