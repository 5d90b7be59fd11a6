#include "meet/talk_link_inner.h"

#include "io/clock.h"
#include "io/entropy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void set_state(struct talk_link *t, enum talk_link_state state)
{
    t->state = state;
    t->since = clock_instant();
}

/* ---- events of the session ---- */

static void take_path(struct talk_link *t, const struct peer_event *e)
{
    struct talk_path *p = talk_paths_find(t, e->path);
    dialing_set_path(&t->dialing,
                     e->kind == PEER_PATH_DIRECT ? DIALING_DIRECT_PATH : DIALING_RELAY_PATH,
                     clock_instant());
    if (!p || t->state == TALK_LINK_ENDING)
        return;
    bool first = t->state == TALK_LINK_CONNECTING;
    talk_paths_describe(t, p);
    set_state(t, TALK_LINK_TALKING);
    t->succeeded = (struct instant){0};
    if (first)
        t->handler->begun(t);
    t->handler->path(t);
}

static void lose_path(struct talk_link *t)
{
    dialing_set_path(&t->dialing, DIALING_NO_PATH, clock_instant());
    if (t->state != TALK_LINK_TALKING)
        return;
    t->way[0] = '\0';
    set_state(t, TALK_LINK_LOST);
    t->handler->path(t);
}

void talk_link_end(struct talk_link *t, const char *why)
{
    if (t->state == TALK_LINK_ENDING)
        return;
    bool had_begun = t->state != TALK_LINK_CONNECTING;
    set_state(t, TALK_LINK_ENDING);
    t->handler->ended(t, had_begun, why);
}

/* The other side agrees to an end once it has everything that was said before. */
static void finish(struct talk_link *t, enum peer_close close)
{
    t->over = true;
    talk_link_end(t, close == PEER_CLOSE_BY_OTHER ? NULL
                                                  : "what the other side says makes no sense");
    t->arrived = close == PEER_CLOSE_AGREED;
    talk_texts_undelivered(t);
}

static void take_event(struct talk_link *t, const struct peer_event *e)
{
    struct talk_path *p;
    switch (e->type) {
    case PEER_EVENT_MESSAGE:
        if (e->channel == PEER_TALK)
            talk_texts_take(t, e->message);
        else if (t->state != TALK_LINK_ENDING)
            t->handler->bulk(t, e->message);
        break;
    case PEER_EVENT_ROOM:
        if (e->channel == PEER_BULK && t->state != TALK_LINK_ENDING)
            t->handler->room(t); /* who wants it for talk asks again */
        break;
    case PEER_EVENT_PROVEN:
        p = talk_paths_find(t, e->path);
        if (p)
            talk_paths_proven(t, p);
        break;
    case PEER_EVENT_PATH_CHANGED:
        take_path(t, e);
        break;
    case PEER_EVENT_PATH_LOST:
        lose_path(t);
        break;
    case PEER_EVENT_RENEW:
        talk_paths_renew(t, e->path);
        break;
    case PEER_EVENT_DROP:
        talk_paths_drop(t, e);
        break;
    case PEER_EVENT_CLOSED:
        finish(t, e->close);
        break;
    default: /* OPEN comes with PATH_CHANGED */
        break;
    }
}

static void take_events(struct talk_link *t)
{
    struct peer_event e;
    while (peer_session_next_event(&t->session, &e))
        take_event(t, &e);
}

/* ---- the pump ---- */

/* True where something was taken. */
static bool feed(struct talk_link *t, struct talk_path *p)
{
    size_t taken = 0;
    if (p->attached && buffer_len(&p->in) > 0) {
        peer_session_feed(&t->session, p->path, buffer_view(&p->in), clock_instant(), &taken);
        take_events(t); /* what was heard lies in the buffer */
        buffer_consume(&p->in, taken);
    }
    return taken > 0;
}

static void feed_all(struct talk_link *t)
{
    bool some = true;
    while (some) {
        some = false;
        list_foreach (at, &t->paths)
            some = feed(t, list_entry(at, struct talk_path, link)) || some;
    }
}

/* A talk without any connection for too long is over. */
static struct instant patience(const struct talk_link *t)
{
    if (t->state == TALK_LINK_CONNECTING)
        return instant_after_ms(t->since, LIMIT_TALK_CONNECT_MS);
    if (t->state == TALK_LINK_LOST && t->succeeded.ns > 0)
        return instant_after_ms(t->succeeded, LIMIT_TALK_SUCCEEDED_MS);
    if (t->state == TALK_LINK_LOST)
        return instant_after_ms(t->since, LIMIT_TALK_LOST_MS);
    return INSTANT_NEVER;
}

static const char *no_connection(const struct talk_link *t)
{
    if (t->is_used_up)
        return "only the hub's relay is left, and this hour's quota of it is used up";
    if (dialing_was_refused(&t->dialing))
        return "the other device is reached, but does not let this one in, which may be "
               "unsigned; kith doctor tells more";
    return "no connection came about; kith doctor tells more";
}

static void lose_patience(struct talk_link *t)
{
    if (patience(t).ns > clock_instant().ns)
        return;
    talk_link_end(t, t->state == TALK_LINK_LOST ? "there is no way to the other side any more"
                                                : no_connection(t));
    talk_link_drop(t);
}

static void on_timer(uv_timer_t *timer)
{
    talk_link_pump(timer->data);
}

static void set_timer(struct talk_link *t)
{
    struct instant at = instant_min(peer_session_deadline(&t->session), patience(t)),
                   now = clock_instant();
    at = instant_min(at, dialing_deadline(&t->dialing));
    at = instant_min(at, t->compare.by);
    uv_update_time(t->ground->loop);
    if (at.ns == INSTANT_NEVER.ns)
        uv_timer_stop(&t->timer);
    else
        uv_timer_start(&t->timer, on_timer, at.ns > now.ns ? (at.ns - now.ns) / 1000000 + 1 : 0,
                       0);
}

static void on_gone(uv_handle_t *handle)
{
    struct talk_link *t = handle->data;
    t->handler->gone(t);
    peer_session_fini(&t->session);
    compare_fini(&t->compare);
    free(t);
}

static void work(struct talk_link *t)
{
    peer_session_tick(&t->session, clock_instant());
    feed_all(t);
    take_events(t);
    if (compare_is_late(&t->compare, clock_instant()))
        talk_words_none(t, TROUBLE_FAILED, "none have come yet");
    lose_patience(t);
    talk_paths_dial(t);
    list_foreach (at, &t->paths)
        talk_paths_write(t, list_entry(at, struct talk_path, link));
    take_events(t);
}

static void close_all(struct talk_link *t)
{
    list_foreach (at, &t->paths)
        peer_line_close(&list_entry(at, struct talk_path, link)->line);
    if (list_is_empty(&t->paths) && !uv_is_closing((uv_handle_t *)&t->timer))
        uv_close((uv_handle_t *)&t->timer, on_gone);
}

void talk_link_pump(struct talk_link *t)
{
    t->again = true;
    if (t->pumping)
        return;
    t->pumping = true;
    while (t->again) {
        t->again = false;
        work(t);
    }
    t->pumping = false;
    if (t->over)
        close_all(t);
    else
        set_timer(t);
}

/* ---- bulk ---- */

int talk_link_bulk(struct talk_link *t, struct bytes message)
{
    int r = t->over ? PEER_SESSION_OVER : peer_session_say(&t->session, PEER_BULK, message);
    if (r == PEER_SESSION_OVER)
        return TALK_LINK_OVER;
    if (r == 0 && t->pumping)
        t->again = true;
    else if (r == 0)
        uv_timer_start(&t->timer, on_timer, 0, 0);
    return r > 0 ? TALK_LINK_FULL : r;
}

/* ---- begin and end ---- */

int talk_link_new(struct talk_link **ret, const struct talk_ground *ground, const char *name,
                  const struct pair *pair, const struct candidates *candidates,
                  const struct talk_link_handler *handler, void *owner)
{
    struct talk_link *t = calloc(1, sizeof *t);
    uint64_t chance = 0;
    if (!t)
        return -ENOMEM;
    *t =
        (struct talk_link){.handler = handler, .ground = ground, .owner = owner, .pair = *pair};
    snprintf(t->name, sizeof t->name, "%s", name);
    list_init(&t->paths);
    list_init(&t->said);
    entropy_fill(&chance, sizeof chance);
    dialing_init(&t->dialing, candidates, true, chance, clock_instant());
    peer_session_init(&t->session, pair, clock_instant());
    compare_init(&t->compare, pair, ground->person);
    set_state(t, TALK_LINK_CONNECTING);
    int r = uv_timer_init(ground->loop, &t->timer);
    t->timer.data = t;
    if (r < 0) {
        compare_fini(&t->compare);
        peer_session_fini(&t->session);
        free(t);
        return r;
    }
    uv_timer_start(&t->timer, on_timer, 0, 0);
    *ret = t;
    return 0;
}

/* The other side may have begun, and would wait for this one. */
static bool may_be_heard(struct talk_link *t)
{
    list_foreach (at, &t->paths) {
        if (list_entry(at, struct talk_path, link)->proven)
            return true;
    }
    return false;
}

void talk_link_close(struct talk_link *t)
{
    set_state(t, TALK_LINK_ENDING);
    peer_session_close(&t->session, clock_instant());
    if (list_is_empty(&t->said) && !may_be_heard(t))
        talk_link_drop(t);
    else
        talk_link_pump(t);
}

void talk_link_succeed(struct talk_link *t)
{
    t->succeeded = clock_instant();
    talk_link_pump(t);
}

void talk_link_drop(struct talk_link *t)
{
    if (t->over)
        return;
    set_state(t, TALK_LINK_ENDING);
    t->over = true;
    talk_texts_undelivered(t);
    talk_link_pump(t);
}

void talk_link_revoke(struct talk_link *t)
{
    talk_link_end(t, "the hub says that the other device was revoked");
    talk_link_drop(t);
}

/* Who has proven himself has shown that he believes. */
void talk_link_disbelieved(struct talk_link *t)
{
    if (may_be_heard(t))
        return;
    t->disbelieved = true;
    talk_link_end(t, "this device is not believed there to be yours: sign it on one that is "
                     "(kith devices --sign), or he begins anew there (kith forget)");
    talk_link_drop(t);
}
