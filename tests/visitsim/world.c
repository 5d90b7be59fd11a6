#include "world.h"

#include "liar.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ACTIVE_MS = 25 * 1000,
    SETTLING_MS = LIMIT_TALK_LOST_MS + 2 * 60 * 1000,
    LEAVING_MS = LIMIT_INVITED_MS + LIMIT_RELAY_WAIT_MS,
    COMING_MS = 60 * 1000,
    STEPS_MAX = 500 * 1000,
};

const char *world_name(size_t account)
{
    static const char *const names[WORLD_ACCOUNTS] = {"alice", "bob", "carol"};
    return names[account];
}

struct walltime world_wall(const struct world *w)
{
    return (struct walltime){1700000000000 + (int64_t)(w->trace.now.ns / 1000000)};
}

size_t world_account(struct world *w, struct bytes name)
{
    for (size_t i = 0; i < WORLD_ACCOUNTS; i++)
        if (bytes_equal_str(name, world_name(i)))
            return i;
    trace_fail(&w->trace, "nobody is called %.*s", (int)name.len, (const char *)name.data);
}

/* ---- keys ---- */

size_t world_key(struct world *w, const struct public_key *key)
{
    for (size_t i = 0; i < WORLD_KEYS; i++)
        if (memcmp(identity_key(w->identities[i]), key, sizeof *key) == 0)
            return i;
    trace_fail(&w->trace, "a key that is none");
}

size_t world_device(struct world *w, struct bytes fingerprint)
{
    struct fingerprint f;
    for (size_t i = 0; fingerprint_read(fingerprint, &f) && i < WORLD_KEYS; i++)
        if (fingerprint_equal(identity_fingerprint(w->identities[i]), &f))
            return i;
    trace_fail(&w->trace, "a fingerprint that is none");
}

void world_write_seed(size_t key, uint8_t seed[IDENTITY_SEED_BYTES])
{
    memset(seed, 0, IDENTITY_SEED_BYTES);
    seed[0] = (uint8_t)(key + 1);
}

/* ---- places ---- */

void world_write_address(const struct world *w, size_t device, char *to, size_t n, bool port)
{
    const struct place *p = &w->places[device];
    char behind[16] = "";
    if (port)
        snprintf(behind, sizeof behind, ":%d", WORLD_PORT);
    snprintf(to, n, "10.0.%zu.%zu%s", p->lan + 1, p->host + 1, behind);
}

size_t world_find(const struct world *w, const struct net_address *address)
{
    const uint8_t *b = address->bytes;
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        if (b[12] == 10 && b[14] == w->places[i].lan + 1 && b[15] == w->places[i].host + 1)
            return i;
    return PLACE_NOBODY;
}

static size_t lan_of(const struct world *w, size_t place)
{
    return place == PLACE_HUB ? (size_t)WORLD_LANS : w->places[place].lan;
}

enum reach world_reach(struct world *w, size_t from, size_t to)
{
    if (to == PLACE_NOBODY || w->parted[lan_of(w, from)][lan_of(w, to)])
        return REACH_NOT;
    if (to == PLACE_HUB)
        return w->is_up ? REACH_WORKS : REACH_REFUSED;
    if (!w->places[to].lets_in)
        return REACH_NOT;
    return w->visitors[to] ? REACH_WORKS : REACH_REFUSED;
}

void world_arrive(struct world *w, struct wire *x)
{
    if (x->ends[1].place == PLACE_HUB)
        process_accept(w, x);
    else
        visitor_arrive(w->visitors[x->ends[1].place], x);
}

/* An address that nobody has now; perhaps somebody had it before. */
static void settle_at(struct world *w, size_t device)
{
    struct place *p = &w->places[device];
    bool taken = true;
    while (taken) {
        p->lan = draw(w, WORLD_LANS);
        p->host = draw(w, WORLD_HOSTS);
        taken = false;
        for (size_t i = 0; i < WORLD_DEVICES; i++)
            taken |= i != device && w->places[i].lan == p->lan && w->places[i].host == p->host;
    }
    p->lets_in = draw(w, 3);
}

/* ---- what happens to them ---- */

static struct wire *any_wire(struct world *w)
{
    size_t n = 0;
    list_foreach (at, &w->wires)
        n++;
    size_t which = n > 0 ? draw(w, n) : 0;
    list_foreach (at, &w->wires)
        if (which-- == 0)
            return list_entry(at, struct wire, link);
    return NULL;
}

static void cut_where(struct world *w, size_t device)
{
    list_foreach (at, &w->wires) {
        struct wire *x = list_entry(at, struct wire, link);
        size_t from = x->ends[0].place, to = x->ends[1].place;
        bool parted = to != PLACE_NOBODY && w->parted[lan_of(w, from)][lan_of(w, to)];
        if (parted || from == device || to == device)
            wire_cut(x);
    }
}

static void part(struct world *w)
{
    size_t a = draw(w, WORLD_LANS + 1), b = draw(w, WORLD_LANS + 1);
    w->parted[a][b] = w->parted[b][a] = draw(w, 2);
    SAY(w, "networks %zu and %zu are %s", a, b, w->parted[a][b] ? "parted" : "joined");
    cut_where(w, PLACE_NOBODY);
}

static void move(struct world *w, size_t device)
{
    struct visitor *v = w->visitors[device];
    cut_where(w, device);
    settle_at(w, device);
    if (!v)
        return;
    world_write_address(w, device, v->at, sizeof v->at, true);
    v->candidate = bytes_from_str(v->at);
    SAY(w, "device %zu is at %s now", device, v->at);
}

static void turn(struct world *w, size_t device)
{
    if (w->visitors[device])
        visitor_stop(w->visitors[device]);
    else
        visitor_start(w, device);
}

static void disturb(struct world *w)
{
    struct wire *x;
    size_t device = draw(w, WORLD_DEVICES);
    w->disturbs_at = world_later(w, 1500);
    switch (draw(w, 16)) {
    case 0:
    case 1:
        if ((x = any_wire(w)))
            wire_cut(x);
        break;
    case 2:
    case 3:
        if ((x = any_wire(w)) && x->is_open) {
            wire_cut(x);
            x->dies_at = w->trace.now;
        }
        break;
    case 4:
    case 5:
        part(w);
        break;
    case 6:
        move(w, device);
        break;
    case 7:
        turn(w, device);
        break;
    case 8:
        w->delay_ms = draw(w, 3) ? draw(w, 20) : draw(w, 1000);
        break;
    case 9:
        w->disk_ms = draw(w, 2) ? 3 : 2000;
        break;
    case 11:
        if (w->is_up)
            process_crash(w, draw(w, 2));
        break;
    case 10:
        if (!w->visitors[device])
            visitor_start(w, device);
        break;
    default:
        break;
    }
}

static void heal(struct world *w)
{
    SAY(w, "all heals");
    w->healed = true;
    liar_fini(w);
    memset(w->parted, 0, sizeof w->parted);
    w->delay_ms = 20;
    w->disk_ms = 3;
    w->disturbs_at = INSTANT_NEVER;
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        if (w->visitors[i])
            w->visitors[i]->acts_at = w->trace.now;
}

/* ---- steps ---- */

static struct instant next_moment(const struct world *w)
{
    struct instant at = instant_min(w->disturbs_at, process_next(w));
    list_foreach (link, &w->wires)
        at = instant_min(at, wire_next(list_entry(link, struct wire, link)));
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        if (w->visitors[i])
            at = instant_min(at, visitor_next(w->visitors[i]));
    return at;
}

static void sweep_wires(struct world *w)
{
    for (struct list *at = w->wires.next, *next; at != &w->wires; at = next) {
        struct wire *x = list_entry(at, struct wire, link);
        next = at->next;
        if (!x->ends[0].is_there && !x->ends[1].is_there)
            wire_free(x);
    }
}

static void step(struct world *w, struct instant until)
{
    struct instant at = instant_min(next_moment(w), until);
    if (at.ns > w->trace.now.ns)
        w->trace.now = at;
    w->trace.step++;
    list_foreach (link, &w->wires)
        wire_run(list_entry(link, struct wire, link));
    process_run(w);
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        if (w->visitors[i])
            visitor_run(w->visitors[i]);
    if (w->disturbs_at.ns <= w->trace.now.ns)
        disturb(w);
    sweep_wires(w);
}

static void run_for(struct world *w, uint64_t ms)
{
    struct instant until = instant_after_ms(w->trace.now, ms);
    while (w->trace.now.ns < until.ns) {
        step(w, until);
        CHECK(w, w->trace.step < STEPS_MAX, "time does not pass");
    }
}

/* ---- when everything has settled ---- */

static unsigned present(const struct world *w)
{
    unsigned there = 0;
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        there |= w->visitors[i] ? 1u << account_of(i) : 0;
    return there;
}

static void check_talk(struct world *w, const struct talk_end *t)
{
    const struct meeting *m = t->meeting;
    struct visitor *other = t->other < WORLD_DEVICES ? w->visitors[t->other] : NULL;
    const struct talk_end *far = other ? talk_of(other, m) : NULL;
    CHECK(w, t->state == TALK_TALKING, "device %zu has lost %s for good", t->visitor->device,
          t->name);
    CHECK(w, far && far->state == TALK_TALKING, "device %zu talks with %s, who does not",
          t->visitor->device, t->name);
    CHECK(w, m->heard[0] == m->said[1] && m->heard[1] == m->said[0],
          "something said was not heard");
}

static void check_visitor(struct world *w, const struct visitor *v)
{
    CHECK(w, visitor_is_here(v), "device %zu is not in", v->device);
    CHECK(w, visitor_sees(v) == present(w), "device %zu sees %x, and there are %x", v->device,
          visitor_sees(v), present(w));
    CHECK(w, v->asked_count == 0, "device %zu is not answered", v->device);
    CHECK(w, v->visit.post.sending_count == 0, "device %zu still sends a letter", v->device);
    list_foreach (at, &v->talks)
        check_talk(w, list_entry(at, struct talk_end, link));
}

static void check_settled(struct world *w)
{
    CHECK(w, w->is_up, "the hub does not come back");
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        if (w->visitors[i])
            check_visitor(w, w->visitors[i]);
}

/* Whatever was left for them waits there. */
static void come_again(struct world *w)
{
    for (size_t i = 0; i < WORLD_DEVICES; i++) {
        if (w->visitors[i])
            visitor_stop(w->visitors[i]);
        visitor_start(w, i);
    }
    run_for(w, COMING_MS);
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        CHECK(w, visitor_is_here(w->visitors[i]), "device %zu does not come in", i);
    mail_check_arrived(w);
}

static void leave(struct world *w)
{
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        if (w->visitors[i])
            visitor_stop(w->visitors[i]);
    run_for(w, LEAVING_MS);
    process_check_empty(w);
    CHECK(w, list_is_empty(&w->wires), "a connection is left");
}

/* ---- a seed ---- */

static void open_notebooks(struct world *w)
{
    for (size_t i = 0; i < WORLD_DEVICES; i++) {
        struct notebook *b = &w->notebooks[i];
        *b = (struct notebook){.world = w, .device = i};
        buffer_init(&b->known, SIZE_MAX / 4);
        buffer_init(&b->seen, SIZE_MAX / 4);
    }
}

static void close_notebooks(struct world *w)
{
    for (size_t i = 0; i < WORLD_DEVICES; i++) {
        buffer_fini(&w->notebooks[i].known);
        buffer_fini(&w->notebooks[i].seen);
    }
}

static struct world *open_world(uint64_t seed, bool verbose, struct identity *const *identities)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w || !(w->meetings = calloc(WORLD_MEETINGS, sizeof *w->meetings)))
        abort();
    w->trace = (struct trace){.seed = seed, .now = {1}, .verbose = verbose};
    w->chance = seed;
    w->identities = identities;
    list_init(&w->wires);
    w->delay_ms = draw(w, 50);
    w->disk_ms = draw(w, 2) ? 3 : 1000;
    w->disk = faulty_disk_new();
    fingerprint_write(w->hub_print, identity_fingerprint(identities[PLACE_HUB]));
    open_notebooks(w);
    if (draw(w, 3) == 0)
        liar_init(w);
    process_start(w);
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        w->places[i].lan = SIZE_MAX;
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        settle_at(w, i);
    for (size_t i = 0; i < WORLD_DEVICES; i++)
        if (draw(w, 3))
            visitor_start(w, i);
    w->disturbs_at = world_later(w, 3000);
    return w;
}

void world_play(uint64_t seed, bool verbose, struct identity *const *identities,
                struct world_counts *counts)
{
    struct world *w = open_world(seed, verbose, identities);
    run_for(w, ACTIVE_MS);
    heal(w);
    run_for(w, SETTLING_MS);
    check_settled(w);
    come_again(w);
    leave(w);
    process_crash(w, false);
    faulty_disk_free(w->disk);
    counts->steps += w->trace.step;
    counts->talks += w->talks;
    counts->texts += w->texts;
    counts->switches += w->switches;
    counts->letters += w->letters;
    counts->compared += w->compared;
    counts->lies += w->told_lies;
    close_notebooks(w);
    free(w->meetings);
    free(w);
}
