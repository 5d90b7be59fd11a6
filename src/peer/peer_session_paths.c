#include "peer/peer_session_inner.h"

#include <sodium.h>

/* Which states may follow which. */
static const unsigned may_follow[] = {
    [PEER_PATH_FREE] = PEER_BIT(PEER_PATH_PROVING),
    [PEER_PATH_PROVING] =
        PEER_BIT(PEER_PATH_SPARE) | PEER_BIT(PEER_PATH_DROPPED) | PEER_BIT(PEER_PATH_FREE),
    [PEER_PATH_SPARE] = PEER_BIT(PEER_PATH_CHOSEN) | PEER_BIT(PEER_PATH_USED) |
                        PEER_BIT(PEER_PATH_DROPPED) | PEER_BIT(PEER_PATH_FREE),
    [PEER_PATH_CHOSEN] = PEER_BIT(PEER_PATH_USED) | PEER_BIT(PEER_PATH_SPARE) |
                         PEER_BIT(PEER_PATH_DROPPED) | PEER_BIT(PEER_PATH_FREE),
    [PEER_PATH_USED] = PEER_BIT(PEER_PATH_SPARE) | PEER_BIT(PEER_PATH_CHOSEN) |
                       PEER_BIT(PEER_PATH_USED) | PEER_BIT(PEER_PATH_DROPPED) |
                       PEER_BIT(PEER_PATH_FREE),
    [PEER_PATH_DROPPED] = PEER_BIT(PEER_PATH_FREE),
};

void peer_path_set_state(struct peer_session *s, struct peer_path *p,
                         enum peer_path_state state)
{
    assert(may_follow[p->state] & PEER_BIT(state));
    p->state = state;
    p->since = s->now;
}

bool peer_path_is_proven(const struct peer_path *p)
{
    return p->state == PEER_PATH_SPARE || p->state == PEER_PATH_CHOSEN ||
           p->state == PEER_PATH_USED;
}

/* The best to go on with: a direct one, then the one proven last. */
static struct peer_path *best(struct peer_session *s)
{
    struct peer_path *found = NULL;
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++) {
        struct peer_path *p = &s->paths[i];
        if (peer_path_is_proven(p) &&
            (!found || p->kind > found->kind ||
             (p->kind == found->kind && p->since.ns >= found->since.ns)))
            found = p;
    }
    return found;
}

/* The one that was nominated and not yet agreed on. */
static struct peer_path *pending(struct peer_session *s)
{
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++)
        if (s->paths[i].state == PEER_PATH_CHOSEN)
            return &s->paths[i];
    return NULL;
}

/* Frames are written as things stand then: what was to be said of an earlier state is not. */
static void forget_due(struct peer_session *s, uint8_t type)
{
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++)
        s->paths[i].due &= ~PEER_BIT(type);
}

void peer_path_choose(struct peer_session *s, struct peer_path *p)
{
    struct peer_path *before = pending(s);
    if (before)
        peer_path_set_state(s, before, PEER_PATH_SPARE);
    if (p == s->used)
        s->used = NULL;
    peer_path_set_state(s, p, PEER_PATH_CHOSEN);
    p->may_carry = true;
    forget_due(s, FRAME_NOMINATE);
    p->due |= PEER_BIT(FRAME_NOMINATE);
    s->generation++;
}

void peer_path_use(struct peer_session *s, struct peer_path *p)
{
    if (s->used && s->used != p)
        peer_path_set_state(s, s->used, PEER_PATH_SPARE);
    peer_path_set_state(s, p, PEER_PATH_USED);
    s->used = p;
    p->may_carry = true;
    s->close_is_written = false;
    s->waits = peer_session_is_waiting(s) ? s->now : INSTANT_NEVER;
    forget_due(s, FRAME_WANT);
    forget_due(s, FRAME_RESUME);
    if (!s->is_first)
        p->due |= PEER_BIT(FRAME_RESUME);
    for (size_t c = 0; c < PEER_CHANNELS; c++)
        lane_rewind(&s->lanes[c]);
    if (s->state == PEER_SESSION_WAITING)
        peer_session_raise(s, PEER_EVENT_OPEN);
    if (s->state == PEER_SESSION_WAITING || s->state == PEER_SESSION_LOST)
        peer_session_set_state(s, PEER_SESSION_OPEN);
    peer_session_raise(s, PEER_EVENT_PATH_CHANGED);
}

/* Is p better than what is chosen? One as good must be newer than what has settled, else two
 * that were proven at the same moment would take turns. */
static bool is_better(struct peer_session *s, const struct peer_path *p)
{
    const struct peer_path *c = pending(s) ? pending(s) : s->used;
    if (!c || p->kind > c->kind)
        return true;
    return p->kind == c->kind && s->now.ns - c->since.ns >= LIMIT_PEER_SETTLED_MS * 1000000;
}

void peer_path_proven(struct peer_session *s, struct peer_path *p)
{
    peer_path_set_state(s, p, PEER_PATH_SPARE);
    p->is_news = true;
    if (s->is_first && is_better(s, p))
        peer_path_choose(s, p);
    else if (!s->is_first && !s->used)
        p->due |= PEER_BIT(FRAME_WANT);
}

/* What was chosen or used is gone: the first side chooses again, the other asks it to. */
static void go_on(struct peer_session *s, bool was_used)
{
    struct peer_path *next = best(s);
    if (s->is_first && next && !pending(s))
        peer_path_choose(s, next);
    else if (!s->is_first && next && was_used)
        next->due |= PEER_BIT(FRAME_WANT);
    if (!s->used && s->state == PEER_SESSION_OPEN) {
        peer_session_set_state(s, PEER_SESSION_LOST);
        s->events &= ~PEER_BIT(PEER_EVENT_PATH_CHANGED);
        peer_session_raise(s, PEER_EVENT_PATH_LOST);
    }
}

/* p in a state that is none of a path in use: what follows from that. */
static void leave(struct peer_session *s, struct peer_path *p, enum peer_path_state state)
{
    bool was_used = p == s->used;
    bool mattered = was_used || p->state == PEER_PATH_CHOSEN;
    peer_path_set_state(s, p, state);
    if (was_used)
        s->used = NULL;
    if (mattered && s->state != PEER_SESSION_CLOSED)
        go_on(s, was_used);
}

void peer_path_drop(struct peer_session *s, struct peer_path *p, enum peer_drop why)
{
    p->why = why;
    p->is_news = true;
    leave(s, p, PEER_PATH_DROPPED);
}

void peer_path_free(struct peer_session *s, struct peer_path *p)
{
    leave(s, p, PEER_PATH_FREE);
    buffer_fini(&p->out);
    sodium_memzero(p, sizeof *p);
}
