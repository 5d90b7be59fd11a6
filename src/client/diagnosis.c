#include "client/diagnosis.h"

#include <stdio.h>

/* ---- what is found ---- */

static void add(struct diagnosis *d, struct candidates *c, const struct candidate_rules *rules,
                struct bytes text)
{
    struct diagnosis_path *p = &d->paths[d->path_count++];
    *p = (struct diagnosis_path){.ms = -1, .verdict = candidates_add(c, rules, text)};
    snprintf(p->text, sizeof p->text, "%.*s", (int)text.len, (const char *)text.data);
    if (p->verdict != CANDIDATE_GOOD)
        return;
    endpoint_read(text, &p->at);
    for (size_t i = 0; i < c->count; i++)
        if (endpoint_equal(&c->list[i].at, &p->at))
            p->is_near = c->list[i].rank != CANDIDATE_RANK_SEEN;
}

void diagnosis_init(struct diagnosis *d, const struct notice *n,
                    const struct candidate_rules *rules, size_t offered)
{
    struct candidates c = {.count = 0};
    *d = (struct diagnosis){.offered = offered, .relay_ms = -1};
    snprintf(d->name, sizeof d->name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    for (size_t i = 0; i < n->candidate_count && i < NOTICE_CANDIDATES; i++)
        add(d, &c, rules, n->candidates[i]);
}

void diagnosis_came(struct diagnosis *d, const struct net_address *from)
{
    for (size_t i = 0; i < d->came_count; i++)
        if (net_address_equal(&d->came[i], from))
            return;
    if (d->came_count < DIAGNOSIS_CAME)
        d->came[d->came_count++] = *from;
}

static int64_t took(const struct dialing_trace *t)
{
    bool is_known = t->attempts > 0 && t->outcome != DIALING_UNDER_WAY;
    return is_known ? (int64_t)((t->ended.ns - t->began.ns) / 1000000) : -1;
}

void diagnosis_take(struct diagnosis *d, const struct dialing *tried)
{
    const struct candidates *c = &tried->candidates;
    for (size_t i = 0; i < d->path_count; i++) {
        struct diagnosis_path *p = &d->paths[i];
        for (size_t k = 0; k < c->count && p->verdict == CANDIDATE_GOOD; k++) {
            if (!endpoint_equal(&c->list[k].at, &p->at))
                continue;
            p->outcome = tried->traces[k].outcome;
            p->ms = took(&tried->traces[k]);
        }
    }
    d->relay = tried->relay.outcome;
    d->relay_ms = took(&tried->relay);
}

/* ---- what follows ---- */

static bool works(const struct diagnosis_path *p)
{
    return p->verdict == CANDIDATE_GOOD && p->outcome == DIALING_PROVEN;
}

/* How many paths of the other's have been dialed and work. */
static size_t count_working(const struct diagnosis *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->path_count; i++)
        n += works(&d->paths[i]);
    return n;
}

static size_t count_dialed(const struct diagnosis *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->path_count; i++)
        n += d->paths[i].verdict == CANDIDATE_GOOD;
    return n;
}

/* Reached, but this device was not let in. */
static bool is_refused(const struct diagnosis *d)
{
    bool refused = d->relay == DIALING_UNPROVEN;
    for (size_t i = 0; i < d->path_count; i++)
        refused = refused || (d->paths[i].verdict == CANDIDATE_GOOD &&
                              d->paths[i].outcome == DIALING_UNPROVEN);
    return refused;
}

static bool is_over(const struct diagnosis *d, bool v4)
{
    for (size_t i = 0; i < d->path_count; i++)
        if (works(&d->paths[i]) && net_address_is_v4(&d->paths[i].at.address) == v4)
            return true;
    for (size_t i = 0; i < d->came_count; i++)
        if (net_address_is_v4(&d->came[i]) == v4)
            return true;
    return false;
}

enum diagnosis_way diagnosis_way(const struct diagnosis *d)
{
    if (count_working(d) > 0 || d->came_count > 0)
        return DIAGNOSIS_DIRECT;
    return d->relay == DIALING_PROVEN ? DIAGNOSIS_RELAYED : DIAGNOSIS_NONE;
}

/* ---- words ---- */

static const char *outcome_word(enum dialing_outcome o)
{
    static const char *const words[] = {
        [DIALING_UNTRIED] = "untried",      [DIALING_UNDER_WAY] = "untried",
        [DIALING_PROVEN] = "works",         [DIALING_REFUSED] = "refused",
        [DIALING_UNREACHABLE] = "no-way",   [DIALING_TIMEOUT] = "no-answer",
        [DIALING_NO_TLS] = "somebody-else", [DIALING_WRONG_KEY] = "wrong-key",
        [DIALING_UNPROVEN] = "unproven",    [DIALING_DENIED] = "denied",
        [DIALING_GIVEN_UP] = "untried"};
    return words[o];
}

/* Has anything shown that the machine at that address is there? */
static bool is_alive(const struct diagnosis *d, const struct net_address *a)
{
    for (size_t i = 0; i < d->came_count; i++)
        if (net_address_equal(&d->came[i], a))
            return true;
    return false;
}

/* The other's kith listens there, or did a moment ago: what keeps one out is something else. */
static const char *hint(const struct diagnosis *d, const struct diagnosis_path *p)
{
    bool is_here = is_alive(d, &p->at.address);
    if (p->outcome == DIALING_REFUSED)
        return is_here ? ": a firewall there refuses it" : ": perhaps by a firewall there";
    if (p->outcome == DIALING_TIMEOUT || p->outcome == DIALING_UNREACHABLE)
        return is_here ? ": a firewall there keeps it out" : "";
    return "";
}

static void describe_path(const struct diagnosis *d, const struct diagnosis_path *p,
                          struct finding *f)
{
    const char *where = p->is_near ? "same network" : "where the hub sees it";
    *f = (struct finding){.about = "path", .ms = -1, .result = "not-dialed"};
    snprintf(f->at, sizeof f->at, "%s", p->text);
    if (p->verdict != CANDIDATE_GOOD) {
        snprintf(f->words, sizeof f->words, "not dialed: it %s",
                 candidate_verdict_words(p->verdict));
        return;
    }
    f->result = outcome_word(p->outcome);
    f->ms = p->ms;
    if (works(p))
        snprintf(f->words, sizeof f->words, "%s: connected in %lld ms", where,
                 (long long)p->ms);
    else if (p->outcome == DIALING_REFUSED)
        snprintf(f->words, sizeof f->words, "%s: refused%s", where, hint(d, p));
    else
        snprintf(f->words, sizeof f->words, "%s: %s%s", where,
                 dialing_outcome_words(p->outcome), hint(d, p));
}

static void describe_came(const struct diagnosis *d, size_t i, struct finding *f)
{
    *f = (struct finding){.about = "from there", .ms = -1, .result = "works"};
    if (d->came_count > 0) {
        char at[NET_ADDRESS_TEXT_BYTES];
        net_address_write(at, &d->came[i]);
        snprintf(f->at, sizeof f->at, "%s", at);
        snprintf(f->words, sizeof f->words, "%s has connected to this device", d->name);
        return;
    }
    f->result = "nothing-came";
    snprintf(f->words, sizeof f->words,
             d->offered > 0 ? "nothing came: what %s has tried, and why it failed, is not "
                              "known from here"
                            : "nothing came: %s was told no address of this device",
             d->name);
}

static void describe_relay(const struct diagnosis *d, struct finding *f)
{
    *f =
        (struct finding){.about = "relay", .ms = d->relay_ms, .result = outcome_word(d->relay)};
    if (d->relay == DIALING_PROVEN)
        snprintf(f->words, sizeof f->words, "works: connected in %lld ms",
                 (long long)d->relay_ms);
    else if (d->relay == DIALING_TIMEOUT)
        snprintf(f->words, sizeof f->words,
                 "the hub lets this device wait, but %s has not come", d->name);
    else
        snprintf(f->words, sizeof f->words, "%s", dialing_outcome_words(d->relay));
}

static void conclude_direct(const struct diagnosis *d, char *out, size_t n)
{
    bool v6 = is_over(d, false), v4 = is_over(d, true);
    const char *over = v6 && v4 ? "IPv6 and IPv4" : v6 ? "IPv6" : "IPv4";
    if (count_working(d) == 0)
        snprintf(out, n,
                 "direct, over %s: %s gets here, this device does not get there, and "
                 "one of the two is enough",
                 over, d->name);
    else if (d->came_count == 0)
        snprintf(out, n,
                 "direct, over %s: this device gets to %s; from there nothing came, "
                 "and one of the two is enough",
                 over, d->name);
    else
        snprintf(out, n, "direct, over %s, from either side", over);
}

static const char *relay_hint(const struct diagnosis *d)
{
    return d->relay == DIALING_DENIED ? "; so would a hub that relays: kithd --relay chat" : "";
}

/* Why not direct, and what helps. */
static void conclude_closed(const struct diagnosis *d, const char *how, char *out, size_t n)
{
    if (is_refused(d))
        snprintf(out, n,
                 "%s: %s is reached, but does not believe this device. Where it is unsigned: "
                 "kith devices --sign, on an older device of yours; else %s sees why, and what "
                 "to type",
                 how, d->name, d->name);
    else if (count_dialed(d) == 0)
        snprintf(out, n,
                 "%s: %s has no address that this device may dial, and nothing came "
                 "from there. A network that both are in would do%s",
                 how, d->name, relay_hint(d));
    else
        snprintf(
            out, n,
            "%s: nothing from outside gets to either of you. On one of the two "
            "machines, open a port in the firewall, and give it to kith with --peer-port%s",
            how, relay_hint(d));
}

static void conclude(const struct diagnosis *d, struct finding *f)
{
    static const char *const results[] = {[DIAGNOSIS_DIRECT] = "direct",
                                          [DIAGNOSIS_RELAYED] = "relayed",
                                          [DIAGNOSIS_NONE] = "none"};
    enum diagnosis_way way = diagnosis_way(d);
    *f = (struct finding){.about = "conclusion", .ms = -1, .result = results[way]};
    snprintf(f->at, sizeof f->at, "%s", d->name);
    if (way == DIAGNOSIS_DIRECT)
        conclude_direct(d, f->words, sizeof f->words);
    else
        conclude_closed(d, way == DIAGNOSIS_RELAYED ? "only relayed" : "no way at all",
                        f->words, sizeof f->words);
}

bool diagnosis_finding(const struct diagnosis *d, size_t index, struct finding *ret)
{
    if (index < d->path_count) {
        describe_path(d, &d->paths[index], ret);
        return true;
    }
    index -= d->path_count;
    size_t came = d->came_count > 0 ? d->came_count : 1;
    if (index < came)
        describe_came(d, index, ret);
    else if (index == came)
        describe_relay(d, ret);
    else if (index == came + 1)
        conclude(d, ret);
    return index <= came + 1;
}
