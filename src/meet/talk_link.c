#include "meet/talk_link.h"

#include "io/clock.h"
#include "io/entropy.h"
#include "io/own_addresses.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* A text that was said, until it is delivered. */
struct talk_text {
    struct list link;
    uint64_t id;
    size_t len;
    uint8_t text[];
};

static void pump(struct talk_link *t);
static void end(struct talk_link *t, const char *why);

static void set_state(struct talk_link *t, enum talk_link_state state)
{
    t->state = state;
    t->since = clock_instant();
}

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
    detach(t, p);
    list_remove(&p->link);
    talk_path_free(p);
    pump(t);
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
    pump(p->owner);
}

static void on_read(struct peer_line *l, struct bytes in)
{
    struct talk_path *p = path_of(l);
    if (!p->attached)
        return;
    if (buffer_append_bytes(&p->in, in) != 0)
        peer_line_close(l);
    pump(p->owner);
}

static void on_room(struct peer_line *l)
{
    pump(path_of(l)->owner);
}

static const struct peer_line_handler line_handler = {
    .open = on_open, .read = on_read, .room = on_room, .closed = on_closed};

static void own(struct talk_link *t, struct talk_path *p)
{
    p->owner = t;
    list_append(&t->paths, &p->link);
}

void talk_link_take(struct talk_link *t, struct talk_path *path)
{
    list_remove(&path->link);
    own(t, path);
    path->line.handler = &line_handler;
    attach(t, path);
    pump(t);
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
    pump(t);
}

void talk_link_survey(struct talk_link *t, uint64_t wait_ms)
{
    dialing_survey(&t->dialing, wait_ms);
}

void talk_link_called(struct talk_link *t)
{
    dialing_called(&t->dialing, clock_instant());
    pump(t);
}

static void tell_survey(struct talk_link *t)
{
    if (t->surveyed || t->state == TALK_LINK_ENDING || !dialing_is_through(&t->dialing))
        return;
    t->surveyed = true;
    t->handler->surveyed(t);
}

static void take_dialing(struct talk_link *t)
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

/* ---- texts ---- */

static int say(struct talk_link *t, struct bytes message)
{
    int r = peer_session_say(&t->session, PEER_TALK, message);
    if (r == PEER_SESSION_OVER)
        return TALK_LINK_OVER;
    return r > 0 ? TALK_LINK_FULL : r;
}

int talk_link_say(struct talk_link *t, struct bytes text)
{
    struct talk before = t->talk;
    struct talk_text *kept = malloc(sizeof *kept + text.len);
    struct buffer message;
    uint64_t id = 0;
    buffer_init(&message, LIMIT_PEER_MESSAGE_BYTES);
    int r = kept ? talk_say(&t->talk, text, &message, &id) : -ENOMEM;
    if (r > 0)
        r = TALK_LINK_NO_TEXT;
    if (r == 0)
        r = say(t, buffer_view(&message));
    buffer_fini(&message);
    if (r != 0) {
        t->talk = before;
        free(kept);
        return r;
    }
    *kept = (struct talk_text){.id = id, .len = text.len};
    memcpy(kept->text, text.data, text.len);
    list_append(&t->said, &kept->link);
    pump(t);
    return 0;
}

static void forget_delivered(struct talk_link *t, uint64_t id)
{
    while (!list_is_empty(&t->said)) {
        struct talk_text *first = list_entry(t->said.next, struct talk_text, link);
        if (first->id > id)
            return;
        list_remove(&first->link);
        free(first);
    }
    t->handler->delivered(t);
}

static void mark_shown(struct talk_link *t, uint64_t id)
{
    struct buffer mark;
    buffer_init(&mark, LIMIT_PEER_MESSAGE_BYTES);
    if (talk_show(&t->talk, id, &mark) == 0 && buffer_len(&mark) > 0)
        say(t, buffer_view(&mark)); /* where it cannot be said, a later one says as much */
    buffer_fini(&mark);
}

/* ---- words to compare ---- */

/* COMMIT and REVEAL may both be due; each is a message. */
static int say_words(struct talk_link *t, struct bytes messages)
{
    int r = 0;
    while (r == 0 && messages.len > 0) {
        size_t n = compare_message_len(messages);
        r = say(t, bytes_first(messages, n));
        messages = bytes_from(messages, n);
    }
    return r;
}

static void tell_no_words(struct talk_link *t, enum trouble_kind kind, const char *words)
{
    struct trouble why;
    trouble_set(&why, kind, "%s", words);
    t->handler->no_words(t, &why);
}

static void lied(struct talk_link *t)
{
    tell_no_words(t, TROUBLE_CHANGED, "what came from there does not fit: somebody lies");
    end(t, "somebody lies about words to compare");
    peer_session_close(&t->session, clock_instant());
}

static void take_words(struct talk_link *t, struct bytes message)
{
    uint8_t nonce[WORDS_NONCE_BYTES];
    struct buffer out;
    enum compare_event e = COMPARE_NOTHING;
    buffer_init(&out, LIMIT_PEER_MESSAGE_BYTES);
    int r = entropy_fill(nonce, sizeof nonce);
    if (r == 0)
        r = compare_hear(&t->compare, message, nonce, &out, &e);
    sodium_memzero(nonce, sizeof nonce);
    if (r == 0)
        r = say_words(t, buffer_view(&out));
    buffer_fini(&out);
    if (r != 0)
        tell_no_words(t, TROUBLE_FAILED, "they cannot be sent now");
    else if (e == COMPARE_SHOWN)
        t->handler->words(t);
    else if (e == COMPARE_REFUSED)
        tell_no_words(t, TROUBLE_FAILED, "nobody is there to compare them");
    else if (e == COMPARE_DIFFER)
        t->handler->differ(t);
    else if (e == COMPARE_FAILED)
        lied(t);
}

int talk_link_compare(struct talk_link *t)
{
    uint8_t nonce[WORDS_NONCE_BYTES];
    struct buffer out;
    buffer_init(&out, LIMIT_PEER_MESSAGE_BYTES);
    int r = entropy_fill(nonce, sizeof nonce);
    if (r == 0)
        r = compare_begin(&t->compare, nonce, clock_instant(), &out);
    sodium_memzero(nonce, sizeof nonce);
    if (r == 0)
        r = say_words(t, buffer_view(&out));
    buffer_fini(&out);
    pump(t);
    return r;
}

void talk_link_differ(struct talk_link *t)
{
    const uint8_t type = TALK_WORDS_DIFFER;
    say(t, bytes_make(&type, 1)); /* where it cannot be said, the end is all he hears */
    pump(t);
}

void talk_link_show(struct talk_link *t, uint64_t id)
{
    mark_shown(t, id);
    pump(t);
}

static void take_message(struct talk_link *t, struct bytes message)
{
    struct talk_event e;
    if (talk_hear(&t->talk, message, &e) != 0) {
        peer_session_close(&t->session, clock_instant());
        return;
    }
    if (e.type == TALK_EVENT_DELIVERED) {
        forget_delivered(t, e.id);
    } else if (e.type == TALK_EVENT_TEXT && !t->over) {
        t->handler->heard(t, e.text);
        if (!t->ground->shows_later)
            mark_shown(t, e.id);
    } else if (e.type == TALK_EVENT_OTHER && t->state != TALK_LINK_ENDING) {
        take_words(t, message);
    }
}

bool talk_link_has_arrived(const struct talk_link *t)
{
    return t->session.lanes[PEER_TALK].count == 0;
}

/* ---- events of the session ---- */

static struct talk_path *find_path(struct talk_link *t, unsigned path)
{
    list_foreach (at, &t->paths) {
        struct talk_path *p = list_entry(at, struct talk_path, link);
        if (p->attached && p->path == path)
            return p;
    }
    return NULL;
}

static void describe_way(struct talk_link *t, const struct talk_path *p)
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

static void take_path(struct talk_link *t, const struct peer_event *e)
{
    struct talk_path *p = find_path(t, e->path);
    dialing_set_path(&t->dialing,
                     e->kind == PEER_PATH_DIRECT ? DIALING_DIRECT_PATH : DIALING_RELAY_PATH,
                     clock_instant());
    if (!p || t->state == TALK_LINK_ENDING)
        return;
    bool first = t->state == TALK_LINK_CONNECTING;
    describe_way(t, p);
    set_state(t, TALK_LINK_TALKING);
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

static void write_out(struct talk_link *t, struct talk_path *p)
{
    struct bytes out;
    while (p->attached && !peer_line_is_full(&p->line) &&
           peer_session_output(&t->session, p->path, &out) == 0 && out.len > 0) {
        size_t n = out.len;
        peer_line_write(&p->line, out);
        peer_session_sent(&t->session, p->path, n);
    }
}

static void drop_path(struct talk_link *t, const struct peer_event *e)
{
    struct talk_path *p = find_path(t, e->path);
    if (!p)
        return;
    if (e->drop == PEER_DROP_OVER)
        write_out(t, p);
    if (!p->proven)
        p->line.outcome = DIALING_UNPROVEN;
    detach(t, p);
    peer_line_close(&p->line);
}

/* As much has gone over the connection in use as one key is good for: whoever dialed it dials
 * it once more. */
static void renew(struct talk_link *t, unsigned path)
{
    struct talk_path *p = find_path(t, path);
    if (p && p->attempt >= 0)
        dial(t, (size_t)p->attempt, TALK_PATH_AGAIN);
    else if (p && p->line.relayed)
        ask_relay(t);
}

static void tell_undelivered(struct talk_link *t, bool all_is_there)
{
    struct list *link;
    while ((link = list_pop(&t->said))) {
        struct talk_text *text = list_entry(link, struct talk_text, link);
        if (!all_is_there)
            t->handler->undelivered(t, bytes_make(text->text, text->len));
        free(text);
    }
}

static void end(struct talk_link *t, const char *why)
{
    if (t->state == TALK_LINK_ENDING)
        return;
    set_state(t, TALK_LINK_ENDING);
    t->handler->ended(t, why);
}

/* The other side agrees to an end once it has everything that was said before. */
static void finish(struct talk_link *t, enum peer_close close)
{
    t->over = true;
    end(t, close == PEER_CLOSE_BY_OTHER ? NULL : "what the other side says makes no sense");
    tell_undelivered(t, close == PEER_CLOSE_AGREED);
}

static void take_proven(struct talk_link *t, struct talk_path *p)
{
    struct address from;
    p->proven = true;
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

static void take_event(struct talk_link *t, const struct peer_event *e)
{
    struct talk_path *p;
    switch (e->type) {
    case PEER_EVENT_MESSAGE:
        if (e->channel == PEER_TALK) /* what is on the other one is no talk */
            take_message(t, e->message);
        break;
    case PEER_EVENT_PROVEN:
        p = find_path(t, e->path);
        if (p)
            take_proven(t, p);
        break;
    case PEER_EVENT_PATH_CHANGED:
        take_path(t, e);
        break;
    case PEER_EVENT_PATH_LOST:
        lose_path(t);
        break;
    case PEER_EVENT_RENEW:
        renew(t, e->path);
        break;
    case PEER_EVENT_DROP:
        drop_path(t, e);
        break;
    case PEER_EVENT_CLOSED:
        finish(t, e->close);
        break;
    default: /* OPEN comes with PATH_CHANGED; who wants ROOM asks again */
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
    if (t->state == TALK_LINK_LOST)
        return instant_after_ms(t->since, LIMIT_TALK_LOST_MS);
    return INSTANT_NEVER;
}

static const char *no_connection(const struct talk_link *t)
{
    if (dialing_was_refused(&t->dialing))
        return "the other device is reached, but does not let this one in, which may be "
               "unsigned; kith doctor tells more";
    return "no connection came about; kith doctor tells more";
}

static void lose_patience(struct talk_link *t)
{
    if (patience(t).ns > clock_instant().ns)
        return;
    end(t, t->state == TALK_LINK_LOST ? "there is no way to the other side any more"
                                      : no_connection(t));
    talk_link_drop(t);
}

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
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
        tell_no_words(t, TROUBLE_FAILED, "none have come yet");
    lose_patience(t);
    take_dialing(t);
    list_foreach (at, &t->paths)
        write_out(t, list_entry(at, struct talk_path, link));
    take_events(t);
}

static void close_all(struct talk_link *t)
{
    list_foreach (at, &t->paths)
        peer_line_close(&list_entry(at, struct talk_path, link)->line);
    if (list_is_empty(&t->paths) && !uv_is_closing((uv_handle_t *)&t->timer))
        uv_close((uv_handle_t *)&t->timer, on_gone);
}

/* Does what there is to do. What it calls may ask for more: that is done in its turn. */
static void pump(struct talk_link *t)
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
    t->began = t->since;
    int r = uv_timer_init(ground->loop, &t->timer);
    t->timer.data = t;
    if (r < 0) {
        peer_session_fini(&t->session);
        free(t);
        return r;
    }
    uv_timer_start(&t->timer, on_timer, 0, 0);
    *ret = t;
    return 0;
}

void talk_link_close(struct talk_link *t)
{
    set_state(t, TALK_LINK_ENDING);
    peer_session_close(&t->session, clock_instant());
    if (list_is_empty(&t->said) && t->way[0] == '\0')
        talk_link_drop(t);
    else
        pump(t);
}

void talk_link_drop(struct talk_link *t)
{
    if (t->over)
        return;
    set_state(t, TALK_LINK_ENDING);
    t->over = true;
    tell_undelivered(t, false);
    pump(t);
}

void talk_link_replace(struct talk_link *t)
{
    end(t, "another one begins");
    talk_link_close(t);
}
