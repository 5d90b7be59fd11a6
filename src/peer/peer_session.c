#include "peer/peer_session_inner.h"
#include "wire/peer_frame.h"

/* Which states may follow which. */
static const unsigned may_follow[] = {
    [PEER_SESSION_WAITING] = PEER_BIT(PEER_SESSION_OPEN) | PEER_BIT(PEER_SESSION_CLOSING) |
                             PEER_BIT(PEER_SESSION_CLOSED),
    [PEER_SESSION_OPEN] = PEER_BIT(PEER_SESSION_LOST) | PEER_BIT(PEER_SESSION_CLOSING) |
                          PEER_BIT(PEER_SESSION_CLOSED),
    [PEER_SESSION_LOST] = PEER_BIT(PEER_SESSION_OPEN) | PEER_BIT(PEER_SESSION_CLOSING) |
                          PEER_BIT(PEER_SESSION_CLOSED),
    [PEER_SESSION_CLOSING] = PEER_BIT(PEER_SESSION_CLOSED),
    [PEER_SESSION_CLOSED] = 0,
};

void peer_session_set_state(struct peer_session *s, enum peer_session_state state)
{
    assert(may_follow[s->state] & PEER_BIT(state));
    s->state = state;
}

void peer_session_raise(struct peer_session *s, enum peer_event_type type)
{
    s->events |= PEER_BIT(type);
}

void peer_session_init(struct peer_session *s, const struct pair *pair, struct instant now)
{
    *s = (struct peer_session){
        .pair = *pair, .is_first = pair_is_first(pair), .now = now, .waits = INSTANT_NEVER};
    for (size_t c = 0; c < PEER_CHANNELS; c++)
        lane_init(&s->lanes[c]);
}

void peer_session_fini(struct peer_session *s)
{
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++)
        buffer_fini(&s->paths[i].out);
    for (size_t c = 0; c < PEER_CHANNELS; c++)
        lane_fini(&s->lanes[c]);
}

static bool is_over(const struct peer_session *s)
{
    return s->state == PEER_SESSION_CLOSING || s->state == PEER_SESSION_CLOSED;
}

/* ---- connections ---- */

static struct peer_path *free_path(struct peer_session *s)
{
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++)
        if (s->paths[i].state == PEER_PATH_FREE)
            return &s->paths[i];
    return NULL;
}

int peer_session_attach(struct peer_session *s, enum peer_path_kind kind, enum proof_role role,
                        const struct public_key *shown,
                        const uint8_t exporter[PROOF_EXPORTER_BYTES], struct instant now,
                        unsigned *ret_path)
{
    s->now = now;
    if (memcmp(shown->bytes, s->pair.other.key.bytes, PUBLIC_KEY_BYTES) != 0)
        return PEER_SESSION_WRONG_KEY;
    if (s->state == PEER_SESSION_CLOSED)
        return PEER_SESSION_OVER;
    struct peer_path *p = free_path(s);
    if (!p)
        return PEER_SESSION_FULL;
    *p = (struct peer_path){.kind = kind, .role = role, .heard = now, .pinged = now};
    memcpy(p->exporter, exporter, PROOF_EXPORTER_BYTES);
    buffer_init(&p->out, 2 * LIMIT_PEER_TALK_AHEAD_BYTES);
    p->due = PEER_BIT(FRAME_PROOF);
    peer_path_set_state(s, p, PEER_PATH_PROVING);
    *ret_path = (unsigned)(p - s->paths);
    return 0;
}

void peer_session_detach(struct peer_session *s, unsigned path, struct instant now)
{
    s->now = now;
    if (s->paths[path].state != PEER_PATH_FREE)
        peer_path_free(s, &s->paths[path]);
}

static void count(struct peer_session *s, struct peer_path *p, size_t n)
{
    p->moved += n;
    if (p->moved < LIMIT_PEER_RENEW_BYTES || p != s->used)
        return;
    p->moved = 0;
    peer_session_raise(s, PEER_EVENT_RENEW);
}

void peer_session_feed(struct peer_session *s, unsigned path, struct bytes in,
                       struct instant now, size_t *ret_consumed)
{
    struct peer_path *p = &s->paths[path];
    size_t taken = 0;
    s->now = now;
    while (!(s->events & PEER_BIT(PEER_EVENT_MESSAGE))) {
        struct peer_frame frame;
        size_t n, max = p->state == PEER_PATH_PROVING ? LIMIT_PEER_PROOF_BYTES
                                                      : LIMIT_PEER_FRAME_BYTES;
        if (p->state == PEER_PATH_DROPPED || s->state == PEER_SESSION_CLOSED) {
            taken = in.len;
            break;
        }
        int r = peer_frame_parse(bytes_from(in, taken), max, &n, &frame);
        if (r == PEER_FRAME_MORE)
            break;
        if (r == PEER_FRAME_TOO_LONG) {
            peer_path_drop(
                s, p, p->state == PEER_PATH_PROVING ? PEER_DROP_UNPROVEN : PEER_DROP_BROKEN);
            continue;
        }
        p->heard = now;
        peer_session_take(s, p, frame.type, frame.payload);
        taken += n;
    }
    count(s, p, taken);
    *ret_consumed = taken;
}

int peer_session_output(struct peer_session *s, unsigned path, struct bytes *ret)
{
    struct peer_path *p = &s->paths[path];
    int r = 0;
    if (p->state != PEER_PATH_FREE &&
        (p->state != PEER_PATH_DROPPED || s->state == PEER_SESSION_CLOSED))
        r = peer_session_fill(s, p);
    *ret = buffer_view(&p->out);
    return r;
}

void peer_session_sent(struct peer_session *s, unsigned path, size_t n)
{
    buffer_consume(&s->paths[path].out, n);
    count(s, &s->paths[path], n);
}

/* ---- what is said ---- */

int peer_session_say(struct peer_session *s, enum peer_channel channel, struct bytes message)
{
    if (is_over(s))
        return PEER_SESSION_OVER;
    if (message.len > LIMIT_PEER_MESSAGE_BYTES)
        return PEER_SESSION_TOO_LONG;
    int r = lane_say(&s->lanes[channel], message);
    return r == LANE_FULL ? PEER_SESSION_FULL : r;
}

void peer_session_end(struct peer_session *s, enum peer_close close)
{
    peer_session_set_state(s, PEER_SESSION_CLOSED);
    s->close = close;
    s->events &= PEER_BIT(PEER_EVENT_MESSAGE);
    peer_session_raise(s, PEER_EVENT_CLOSED);
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++) {
        struct peer_path *p = &s->paths[i];
        if (p->state != PEER_PATH_FREE && p->state != PEER_PATH_DROPPED)
            peer_path_drop(s, p, PEER_DROP_OVER);
    }
}

void peer_session_close(struct peer_session *s, struct instant now)
{
    s->now = now;
    if (is_over(s))
        return;
    peer_session_set_state(s, PEER_SESSION_CLOSING);
    s->close_by = instant_after_ms(now, LIMIT_PEER_CLOSE_MS);
}

/* ---- events ---- */

static bool next_of_path(struct peer_session *s, bool dropped, struct peer_event *ret)
{
    for (unsigned i = 0; i < LIMIT_PEER_PATHS; i++) {
        struct peer_path *p = &s->paths[i];
        if (!p->is_news || (p->state == PEER_PATH_DROPPED) != dropped)
            continue;
        p->is_news = false;
        *ret = (struct peer_event){.type = dropped ? PEER_EVENT_DROP : PEER_EVENT_PROVEN,
                                   .path = i,
                                   .kind = p->kind,
                                   .drop = p->why};
        return true;
    }
    return false;
}

static bool next_room(struct peer_session *s, struct peer_event *ret)
{
    unsigned channel = s->room & PEER_BIT(PEER_TALK) ? PEER_TALK : PEER_BULK;
    s->room &= ~PEER_BIT(channel);
    if (s->room)
        peer_session_raise(s, PEER_EVENT_ROOM);
    *ret = (struct peer_event){.type = PEER_EVENT_ROOM, .channel = channel};
    return true;
}

static void describe(const struct peer_session *s, enum peer_event_type type,
                     struct peer_event *ret)
{
    *ret = (struct peer_event){.type = type, .close = s->close};
    if (s->used) {
        ret->path = (unsigned)(s->used - s->paths);
        ret->kind = s->used->kind;
    }
}

bool peer_session_next_event(struct peer_session *s, struct peer_event *ret)
{
    for (unsigned type = PEER_EVENT_PROVEN; type <= PEER_EVENT_CLOSED; type++) {
        if (type == PEER_EVENT_PROVEN && next_of_path(s, false, ret))
            return true;
        if (!(s->events & PEER_BIT(type)))
            continue;
        s->events &= ~PEER_BIT(type);
        if (type == PEER_EVENT_ROOM)
            return next_room(s, ret);
        if (type == PEER_EVENT_MESSAGE)
            *ret = s->heard;
        else
            describe(s, type, ret);
        return true;
    }
    return next_of_path(s, true, ret);
}

/* ---- time ---- */

static struct instant later(struct instant a, struct instant b)
{
    return a.ns > b.ns ? a : b;
}

bool peer_session_is_waiting(const struct peer_session *s)
{
    return s->lanes[PEER_TALK].count > 0 || s->lanes[PEER_BULK].count > 0;
}

/* What was said there waits for its acknowledgement, and since when is known. */
static bool is_waited_for(const struct peer_session *s, const struct peer_path *p)
{
    return p == s->used && s->waits.ns != INSTANT_NEVER.ns;
}

static struct instant ping_at(const struct peer_session *s, const struct peer_path *p)
{
    struct instant last = later(p->heard, p->pinged);
    struct instant at = instant_after_ms(last, LIMIT_PEER_PING_MS);
    if (!is_waited_for(s, p))
        return at;
    return instant_min(at, instant_after_ms(later(last, s->waits), LIMIT_PEER_WAITING_PING_MS));
}

static struct instant silent_at(const struct peer_session *s, const struct peer_path *p)
{
    struct instant at = instant_after_ms(p->heard, LIMIT_PEER_SILENCE_MS);
    if (!is_waited_for(s, p))
        return at;
    return instant_min(at, instant_after_ms(later(p->heard, s->waits), LIMIT_PEER_WAITING_MS));
}

static bool has_spare(const struct peer_session *s)
{
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++)
        if (s->paths[i].state == PEER_PATH_SPARE)
            return true;
    return false;
}

/* When p is dropped where nothing happens, and why. */
static struct instant drop_at(const struct peer_session *s, const struct peer_path *p,
                              enum peer_drop *ret_why)
{
    struct instant silent = silent_at(s, p), own = silent;
    *ret_why = PEER_DROP_SILENT;
    if (p->state == PEER_PATH_PROVING || p->state == PEER_PATH_CHOSEN) {
        bool has_other = p->state == PEER_PATH_CHOSEN && has_spare(s);
        *ret_why = PEER_DROP_SLOW;
        own =
            instant_after_ms(p->since, has_other ? LIMIT_PEER_CHOICE_MS : LIMIT_PEER_PROOF_MS);
    } else if (p->state == PEER_PATH_SPARE && s->is_first && s->used) {
        *ret_why = PEER_DROP_SURPLUS;
        own = instant_after_ms(later(p->since, s->used->since), LIMIT_PEER_SPARE_MS);
    }
    return instant_min(silent, own);
}

static bool is_alive(const struct peer_path *p)
{
    return p->state == PEER_PATH_PROVING || peer_path_is_proven(p);
}

struct instant peer_session_deadline(const struct peer_session *s)
{
    struct instant at = s->state == PEER_SESSION_CLOSING ? s->close_by : INSTANT_NEVER;
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++) {
        const struct peer_path *p = &s->paths[i];
        enum peer_drop why;
        if (is_alive(p))
            at = instant_min(at, drop_at(s, p, &why));
        if (peer_path_is_proven(p))
            at = instant_min(at, ping_at(s, p));
    }
    if (s->used && peer_session_is_waiting(s) && s->waits.ns == INSTANT_NEVER.ns)
        at = instant_min(at, s->now); /* for a tick, which notes since when */
    return at;
}

static void tick_path(struct peer_session *s, struct peer_path *p)
{
    enum peer_drop why;
    if (!is_alive(p))
        return;
    if (drop_at(s, p, &why).ns <= s->now.ns) {
        peer_path_drop(s, p, why);
    } else if (peer_path_is_proven(p) && ping_at(s, p).ns <= s->now.ns) {
        p->pinged = s->now;
        p->due |= PEER_BIT(FRAME_PING);
    }
}

void peer_session_tick(struct peer_session *s, struct instant now)
{
    s->now = now;
    if (s->state == PEER_SESSION_CLOSING && s->close_by.ns <= now.ns)
        peer_session_end(s, PEER_CLOSE_UNANSWERED);
    if (!s->used || !peer_session_is_waiting(s))
        s->waits = INSTANT_NEVER;
    else if (s->waits.ns == INSTANT_NEVER.ns)
        s->waits = now;
    for (size_t i = 0; i < LIMIT_PEER_PATHS; i++)
        tick_path(s, &s->paths[i]);
}
