#include "peer/dialing.h"

#include "base/limits.h"

#define BIT(n) (1u << (n))

/* Which states may follow which. */
static const unsigned may_follow[] = {
    [DIALING_RACING] = BIT(DIALING_RELAYED) | BIT(DIALING_RESTING),
    [DIALING_RELAYED] = BIT(DIALING_RACING) | BIT(DIALING_RESTING),
    [DIALING_RESTING] = BIT(DIALING_RACING) | BIT(DIALING_RELAYED),
};

static void set_state(struct dialing *d, enum dialing_state state)
{
    assert(may_follow[d->state] & BIT(state));
    d->state = state;
}

/* splitmix64 */
static uint64_t draw(struct dialing *d)
{
    uint64_t z = d->chance += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* The first wait doubled `times` times, up to a ceiling, give or take a quarter. */
static struct instant after_backoff(struct dialing *d, unsigned times)
{
    uint64_t ms = LIMIT_DIAL_BACKOFF_MIN_MS << (times < 16 ? times : 16);
    if (ms > LIMIT_DIAL_BACKOFF_MAX_MS)
        ms = LIMIT_DIAL_BACKOFF_MAX_MS;
    return instant_after_ms(d->now, ms * 3 / 4 + draw(d) % (ms / 2 + 1));
}

static void begin_race(struct dialing *d, struct instant at)
{
    d->began = at;
    d->next = 0;
    d->rounds = 0;
    d->next_dial = d->candidates.count > 0 ? at : INSTANT_NEVER;
    d->next_relay =
        d->may_relay ? instant_after_ms(at, d->candidates.count > 0 ? LIMIT_DIAL_RELAY_MS : 0)
                     : INSTANT_NEVER;
}

void dialing_init(struct dialing *d, const struct candidates *candidates, bool may_relay,
                  uint64_t chance, struct instant now)
{
    *d = (struct dialing){.state = DIALING_RACING,
                          .candidates = *candidates,
                          .may_relay = may_relay,
                          .chance = chance,
                          .now = now};
    begin_race(d, now);
}

void dialing_survey(struct dialing *d, uint64_t wait_ms)
{
    struct instant at = instant_after_ms(d->now, wait_ms);
    d->surveys = true;
    d->next_dial = d->candidates.count > 0 ? at : INSTANT_NEVER;
    d->next_relay = d->may_relay ? at : INSTANT_NEVER;
}

void dialing_called(struct dialing *d, struct instant now)
{
    d->now = now;
    if (!d->may_relay || d->relay.outcome == DIALING_UNDER_WAY)
        return;
    struct instant again = instant_after_ms(d->relay.began, LIMIT_DIAL_CALLED_MS);
    d->next_relay = d->relay.attempts > 0 && again.ns > now.ns ? again : now;
}

void dialing_renew(struct dialing *d, const struct candidates *candidates, struct instant now)
{
    d->now = now;
    d->candidates = *candidates;
    d->cancelled = 0;
    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        d->traces[i] = (struct dialing_trace){0};
    if (d->state == DIALING_RESTING)
        return;
    struct instant relay = d->next_relay;
    begin_race(d, now);
    if (d->state == DIALING_RELAYED || d->relay.outcome == DIALING_UNDER_WAY)
        d->next_relay = relay;
}

static size_t under_way(const struct dialing *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->candidates.count; i++)
        n += d->traces[i].outcome == DIALING_UNDER_WAY;
    return n;
}

bool dialing_is_through(const struct dialing *d)
{
    return d->surveys && under_way(d) == 0 && d->next_dial.ns == INSTANT_NEVER.ns &&
           d->relay.outcome != DIALING_UNDER_WAY && d->next_relay.ns == INSTANT_NEVER.ns;
}

static void begin_attempt(struct dialing *d, struct dialing_trace *t)
{
    t->outcome = DIALING_UNDER_WAY;
    t->attempts++;
    t->began = d->now;
}

/* After the last candidate of a round: the next round, unless it is given up. */
static void end_round(struct dialing *d)
{
    d->next = 0;
    d->rounds++;
    bool was_last =
        d->surveys || (d->state == DIALING_RELAYED && d->rounds >= LIMIT_DIAL_LATE_ROUNDS);
    d->next_dial = was_last ? INSTANT_NEVER : after_backoff(d, d->rounds);
}

static bool dial_next(struct dialing *d, struct dialing_event *ret)
{
    if (d->next_dial.ns > d->now.ns || under_way(d) >= LIMIT_DIAL_AT_ONCE)
        return false;
    while (d->next < d->candidates.count && d->traces[d->next].outcome == DIALING_UNDER_WAY)
        d->next++;
    size_t i = d->next++;
    if (d->next >= d->candidates.count)
        end_round(d);
    else
        d->next_dial = instant_after_ms(d->now, LIMIT_DIAL_STAGGER_MS);
    if (i >= d->candidates.count)
        return false;
    begin_attempt(d, &d->traces[i]);
    *ret = (struct dialing_event){.type = DIALING_DIAL, .candidate = i};
    return true;
}

static bool ask_relay(struct dialing *d, struct dialing_event *ret)
{
    if (d->next_relay.ns > d->now.ns)
        return false;
    d->next_relay = INSTANT_NEVER;
    if (d->relay.outcome == DIALING_UNDER_WAY)
        return false; /* a second one would end the first */
    begin_attempt(d, &d->relay);
    *ret = (struct dialing_event){.type = DIALING_RELAY};
    return true;
}

static bool tell_cancelled(struct dialing *d, struct dialing_event *ret)
{
    for (size_t i = 0; i < d->candidates.count; i++) {
        if (!(d->cancelled & BIT(i)))
            continue;
        d->cancelled &= ~BIT(i);
        *ret = (struct dialing_event){.type = DIALING_CANCEL, .candidate = i};
        return true;
    }
    return false;
}

bool dialing_next_event(struct dialing *d, struct dialing_event *ret)
{
    return tell_cancelled(d, ret) || ask_relay(d, ret) || dial_next(d, ret);
}

static void end_attempt(struct dialing *d, struct dialing_trace *t,
                        enum dialing_outcome outcome)
{
    t->outcome = outcome;
    t->ended = d->now;
}

static void cancel(struct dialing *d, size_t i, enum dialing_outcome why)
{
    end_attempt(d, &d->traces[i], why);
    d->cancelled |= BIT(i);
}

void dialing_done(struct dialing *d, size_t candidate, enum dialing_outcome outcome,
                  struct instant now)
{
    d->now = now;
    if (candidate < d->candidates.count && d->traces[candidate].outcome == DIALING_UNDER_WAY)
        end_attempt(d, &d->traces[candidate], outcome);
}

void dialing_relay_done(struct dialing *d, enum dialing_outcome outcome, struct instant now)
{
    d->now = now;
    if (d->surveys && d->relay.outcome != DIALING_UNDER_WAY)
        return; /* its time was over */
    end_attempt(d, &d->relay, outcome);
    if (outcome == DIALING_PROVEN) {
        d->relay_failures = 0;
    } else if (d->state == DIALING_RACING && d->may_relay && !d->surveys) {
        d->next_relay = after_backoff(d, d->relay_failures);
        d->relay_failures++;
    }
}

/* A path that was lost soon after it came makes the next race wait a little longer each time.
 */
static void lost(struct dialing *d)
{
    bool lasted = d->now.ns - d->got_path.ns >= LIMIT_DIAL_LASTED_MS * 1000000;
    d->losses = lasted ? 0 : d->losses + 1;
    struct instant soon = instant_after_ms(d->now, draw(d) % LIMIT_DIAL_STAGGER_MS);
    begin_race(d, d->losses > 1 ? after_backoff(d, d->losses - 2) : soon);
}

static void rest(struct dialing *d)
{
    d->next_dial = d->next_relay = INSTANT_NEVER;
    for (size_t i = 0; i < d->candidates.count; i++)
        if (d->traces[i].outcome == DIALING_UNDER_WAY)
            cancel(d, i, DIALING_GIVEN_UP);
}

void dialing_set_path(struct dialing *d, enum dialing_path path, struct instant now)
{
    static const enum dialing_state states[] = {[DIALING_NO_PATH] = DIALING_RACING,
                                                [DIALING_RELAY_PATH] = DIALING_RELAYED,
                                                [DIALING_DIRECT_PATH] = DIALING_RESTING};
    d->now = now;
    enum dialing_state before = d->state, state = states[path];
    if (state == before || d->surveys)
        return;
    set_state(d, state);
    if (state == DIALING_RESTING)
        rest(d);
    else if (before != DIALING_RACING)
        lost(d);
    if (state == DIALING_RELAYED)
        d->next_relay = INSTANT_NEVER;
    if (state != DIALING_RACING)
        d->got_path = now;
}

/* In a survey the relay is not waited at for as long as the hub would. */
static struct instant relay_until(const struct dialing *d)
{
    return d->surveys && d->relay.outcome == DIALING_UNDER_WAY
               ? instant_after_ms(d->relay.began, LIMIT_DIAL_SURVEY_RELAY_MS)
               : INSTANT_NEVER;
}

struct instant dialing_deadline(const struct dialing *d)
{
    struct instant at = d->next_relay;
    if (under_way(d) < LIMIT_DIAL_AT_ONCE)
        at = instant_min(at, d->next_dial);
    for (size_t i = 0; i < d->candidates.count; i++)
        if (d->traces[i].outcome == DIALING_UNDER_WAY)
            at = instant_min(at, instant_after_ms(d->traces[i].began, LIMIT_DIAL_ATTEMPT_MS));
    return instant_min(at, relay_until(d));
}

void dialing_tick(struct dialing *d, struct instant now)
{
    d->now = now;
    for (size_t i = 0; i < d->candidates.count; i++)
        if (d->traces[i].outcome == DIALING_UNDER_WAY &&
            instant_after_ms(d->traces[i].began, LIMIT_DIAL_ATTEMPT_MS).ns <= now.ns)
            cancel(d, i, DIALING_TIMEOUT);
    if (relay_until(d).ns <= now.ns)
        end_attempt(d, &d->relay, DIALING_TIMEOUT);
}

bool dialing_was_refused(const struct dialing *d)
{
    for (size_t i = 0; i < d->candidates.count; i++)
        if (d->traces[i].outcome == DIALING_UNPROVEN)
            return true;
    return false;
}

const char *dialing_outcome_words(enum dialing_outcome o)
{
    static const char *const words[] = {
        [DIALING_UNTRIED] = "not tried",
        [DIALING_UNDER_WAY] = "under way",
        [DIALING_PROVEN] = "works",
        [DIALING_REFUSED] = "nobody listens there",
        [DIALING_UNREACHABLE] = "there is no way there",
        [DIALING_TIMEOUT] = "no answer",
        [DIALING_NO_TLS] = "somebody else listens there",
        [DIALING_WRONG_KEY] = "another device answers there",
        [DIALING_UNPROVEN] = "connected, but it does not let this device in",
        [DIALING_DENIED] = "the hub refuses to relay",
        [DIALING_GIVEN_UP] = "given up: not needed any more",
    };
    return words[o];
}
