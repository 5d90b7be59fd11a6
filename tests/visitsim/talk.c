#include "talk.h"

#include "wire/resp_write.h"

#include <stdio.h>
#include <stdlib.h>

enum { RELAY = -1, TAKEN = -2 };

/* A connection of a talk, or of nobody yet: TLS over a wire, or through the relay over TLS to
 * the hub. */
struct path {
    struct list link;
    struct visitor *visitor;
    struct talk_end *talk; /* NULL: a stranger's */
    struct wire *wire;
    unsigned wire_side;
    enum proof_role role;
    int attempt;             /* of dialing: a candidate; RELAY, TAKEN */
    struct tls *outer, *tls; /* outer: of a relayed one, to the hub */
    bool joined;             /* +RELAY was heard */
    bool is_open, attached, proven;
    unsigned path;
    struct buffer said; /* of the hub, or what was said through it, in plain */
    struct buffer in;   /* for the session */
};

static struct instant now_of(const struct visitor *v)
{
    return v->world->trace.now;
}

static void work(struct talk_end *t);

/* ---- paths ---- */

static struct path *path_new(struct visitor *v, int attempt, enum proof_role role)
{
    struct path *p = calloc(1, sizeof *p);
    if (!p || tls_new(&p->tls, role == PROOF_DIALS ? v->dials : v->answers) != 0)
        abort();
    p->visitor = v;
    p->attempt = attempt;
    p->role = role;
    buffer_init(&p->said, SIZE_MAX / 4);
    buffer_init(&p->in, SIZE_MAX / 4);
    return p;
}

static void path_free(struct path *p)
{
    p->visitor->world->paths_freed++;
    list_remove(&p->link);
    tls_free(p->outer);
    tls_free(p->tls);
    buffer_fini(&p->said);
    buffer_fini(&p->in);
    free(p);
}

static void report(const struct path *p, enum dialing_outcome outcome)
{
    if (!p->talk)
        return;
    if (p->attempt >= 0)
        dialing_done(&p->talk->dialing, (size_t)p->attempt, outcome, now_of(p->visitor));
    else if (p->attempt == RELAY)
        dialing_relay_done(&p->talk->dialing, outcome, now_of(p->visitor));
}

/* Its wire is gone. */
static void path_end(struct path *p, enum dialing_outcome outcome)
{
    if (p->attached)
        peer_session_detach(&p->talk->session, p->path, now_of(p->visitor));
    if (!p->proven)
        report(p, outcome);
    path_free(p);
}

static void path_close(struct path *p, enum dialing_outcome outcome)
{
    wire_close(p->wire, p->wire_side);
    path_end(p, outcome);
}

static void say_raw(struct path *p, struct bytes data)
{
    struct buffer out;
    if (!p->outer) {
        wire_say(p->wire, p->wire_side, data);
        return;
    }
    buffer_init(&out, SIZE_MAX / 4);
    if (tls_write(p->outer, data, &out) != 0)
        abort();
    wire_say(p->wire, p->wire_side, buffer_view(&out));
    buffer_fini(&out);
}

static void begin_tls(struct path *p)
{
    struct buffer out;
    buffer_init(&out, SIZE_MAX / 4);
    if (p->role == PROOF_DIALS && tls_begin(p->tls, &out) != 0)
        abort();
    say_raw(p, buffer_view(&out));
    buffer_fini(&out);
}

/* ---- which of several ---- */

static bool is_with(const struct talk_end *t, const char *name)
{
    return t->state != TALK_ENDING && strcmp(t->name, name) == 0;
}

static bool has_begun(const struct talk_end *t)
{
    return t->state == TALK_TALKING || t->state == TALK_LOST;
}

static bool is_before(const struct talk_end *t, const struct talk_end *other)
{
    static const int ranks[] = {
        [TALK_CONNECTING] = 0, [TALK_LOST] = 1, [TALK_TALKING] = 2, [TALK_ENDING] = -1};
    return ranks[t->state] > ranks[other->state];
}

struct talk_end *talk_find(struct visitor *v, const char *name)
{
    struct talk_end *found = NULL;
    list_foreach (at, &v->talks) {
        struct talk_end *t = list_entry(at, struct talk_end, link);
        if (is_with(t, name) && (!found || is_before(t, found)))
            found = t;
    }
    return found;
}

struct talk_end *talk_of(struct visitor *v, const struct meeting *m)
{
    list_foreach (at, &v->talks) {
        struct talk_end *t = list_entry(at, struct talk_end, link);
        if (t->meeting == m)
            return t;
    }
    return NULL;
}

struct others {
    size_t all, begun;
};

static struct others others_of(const struct talk_end *t)
{
    struct others o = {.all = 0};
    list_foreach (at, &t->visitor->talks) {
        const struct talk_end *other = list_entry(at, struct talk_end, link);
        if (other == t || !is_with(other, t->name))
            continue;
        o.all++;
        o.begun += has_begun(other);
    }
    return o;
}

/* ---- whose it is ---- */

/* As meet/arrivals.h says: by its key, and then by its proof. *ret_more: too little was heard.
 */
static struct talk_end *find_claim(const struct path *p, bool *ret_more)
{
    uint8_t exporter[PROOF_EXPORTER_BYTES];
    *ret_more = false;
    if (tls_export(p->tls, PROOF_LABEL, exporter, sizeof exporter) != 0)
        abort();
    list_foreach (at, &p->visitor->talks) {
        struct talk_end *t = list_entry(at, struct talk_end, link);
        if (t->over)
            continue;
        enum peer_claim claim = peer_session_claim(&t->session, p->role, tls_peer(p->tls),
                                                   exporter, buffer_view(&p->in));
        if (claim == PEER_CLAIM_OURS)
            return t;
        *ret_more = *ret_more || claim == PEER_CLAIM_MORE;
    }
    return NULL;
}

/* False: it has been closed. */
static bool attach(struct path *p)
{
    struct world *w = p->visitor->world;
    uint8_t exporter[PROOF_EXPORTER_BYTES];
    struct talk_end *t = p->talk;
    const struct public_key *key = tls_peer(p->tls);
    bool right = memcmp(key, identity_key(w->identities[t->other]), sizeof *key) == 0;
    if (tls_export(p->tls, PROOF_LABEL, exporter, sizeof exporter) != 0)
        abort();
    int r = peer_session_attach(&t->session, p->outer ? PEER_PATH_RELAYED : PEER_PATH_DIRECT,
                                p->role, key, exporter, now_of(p->visitor), &p->path);
    CHECK(w, right == (r != PEER_SESSION_WRONG_KEY), "a key was judged wrongly");
    p->attached = r == 0;
    if (r != 0)
        path_close(p, right ? DIALING_GIVEN_UP : DIALING_WRONG_KEY);
    return r == 0;
}

static bool open_up(struct path *p)
{
    bool more = false;
    struct talk_end *t = p->talk ? p->talk : find_claim(p, &more);
    if (!t && more)
        return true;
    if (!t) {
        path_close(p, DIALING_GIVEN_UP);
        return false;
    }
    p->is_open = true;
    if (!p->talk) {
        p->talk = t;
        list_remove(&p->link);
        list_append(&t->paths, &p->link);
    }
    return attach(p);
}

/* ---- what arrives ---- */

static void got_within(struct path *p, struct bytes in)
{
    struct buffer out;
    buffer_init(&out, SIZE_MAX / 4);
    int r = tls_feed(p->tls, in, &p->in, &out);
    say_raw(p, buffer_view(&out));
    buffer_fini(&out);
    if (r != 0) {
        path_close(p, DIALING_NO_TLS);
        return;
    }
    if (!p->is_open && tls_is_open(p->tls) && !open_up(p))
        return;
    if (p->talk)
        work(p->talk);
}

/* Of the hub's answer; what follows it is the other device's. */
static void got_answer(struct path *p)
{
    struct bytes said = buffer_view(&p->said);
    size_t end = bytes_find(said, '\n');
    if (end == said.len)
        return;
    if (!bytes_equal_str(bytes_first(said, end), "+RELAY\r")) {
        path_close(p, DIALING_DENIED);
        return;
    }
    p->joined = true;
    buffer_consume(&p->said, end + 1);
    begin_tls(p);
}

static void ask_hub(struct path *p)
{
    struct buffer out;
    struct bytes argv[] = {bytes_from_str("RELAY"), bytes_from_str(p->talk->meeting->id)};
    buffer_init(&out, SIZE_MAX / 4);
    if (resp_write_request(&out, argv, 2) != 0)
        abort();
    say_raw(p, buffer_view(&out));
    buffer_fini(&out);
}

static void got_relayed(struct path *p, struct bytes in)
{
    struct world *w = p->visitor->world;
    struct buffer out;
    bool was_open = tls_is_open(p->outer);
    size_t before = w->paths_freed;
    buffer_init(&out, SIZE_MAX / 4);
    CHECK(w, tls_feed(p->outer, in, &p->said, &out) == 0, "TLS with the hub fails");
    buffer_fini(&out);
    if (!was_open && tls_is_open(p->outer))
        ask_hub(p);
    if (!p->joined && buffer_len(&p->said) > 0)
        got_answer(p);
    if (w->paths_freed != before || !p->joined)
        return;
    struct buffer said = p->said;
    buffer_init(&p->said, SIZE_MAX / 4);
    got_within(p, buffer_view(&said));
    buffer_fini(&said);
}

static void on_got(void *owner, struct bytes in)
{
    struct path *p = owner;
    if (p->outer)
        got_relayed(p, in);
    else
        got_within(p, in);
}

static void on_opened(void *owner)
{
    struct path *p = owner;
    struct buffer out;
    if (!p->outer) {
        begin_tls(p);
        return;
    }
    buffer_init(&out, SIZE_MAX / 4);
    if (tls_begin(p->outer, &out) != 0)
        abort();
    wire_say(p->wire, p->wire_side, buffer_view(&out));
    buffer_fini(&out);
}

static void on_closed(void *owner)
{
    struct path *p = owner;
    struct talk_end *t = p->talk;
    path_end(p, p->is_open ? DIALING_UNPROVEN : DIALING_REFUSED);
    if (t)
        work(t);
}

static void on_room(void *owner)
{
    struct path *p = owner;
    if (p->talk)
        work(p->talk);
}

static const struct wire_handler path_handler = {
    .opened = on_opened, .got = on_got, .closed = on_closed, .room = on_room};

void talk_take_stranger(struct visitor *v, struct wire *x)
{
    struct path *p = path_new(v, TAKEN, PROOF_ANSWERS);
    p->wire = x;
    p->wire_side = 1;
    wire_take(x, &path_handler, p);
    list_append(&v->strangers, &p->link);
}

void talk_drop_strangers(struct visitor *v)
{
    while (!list_is_empty(&v->strangers))
        path_close(list_entry(v->strangers.next, struct path, link), DIALING_GIVEN_UP);
}

/* ---- dialing ---- */

static void dial(struct talk_end *t, size_t candidate)
{
    struct visitor *v = t->visitor;
    struct path *p = path_new(v, (int)candidate, PROOF_DIALS);
    const struct endpoint *at = &t->dialing.candidates.list[candidate].at;
    p->talk = t;
    list_append(&t->paths, &p->link);
    CHECK(v->world, at->port == WORLD_PORT, "a port that nobody has told");
    p->wire =
        wire_dial(v->world, v->device, world_find(v->world, &at->address), &path_handler, p);
}

static void ask_relay(struct talk_end *t)
{
    struct visitor *v = t->visitor;
    struct path *p = path_new(v, RELAY, pair_is_first(&t->pair) ? PROOF_DIALS : PROOF_ANSWERS);
    if (tls_new(&p->outer, v->to_hub) != 0)
        abort();
    p->talk = t;
    list_append(&t->paths, &p->link);
    p->wire = wire_dial(v->world, v->device, PLACE_HUB, &path_handler, p);
}

static void cancel(struct talk_end *t, size_t candidate)
{
    for (struct list *at = t->paths.next, *next; at != &t->paths; at = next) {
        struct path *p = list_entry(at, struct path, link);
        next = at->next;
        if (p->attempt == (int)candidate && !p->proven)
            path_close(p, DIALING_GIVEN_UP);
    }
}

static void take_dialing(struct talk_end *t)
{
    struct dialing_event e;
    dialing_tick(&t->dialing, now_of(t->visitor));
    while (!t->over && dialing_next_event(&t->dialing, &e)) {
        if (e.type == DIALING_DIAL)
            dial(t, e.candidate);
        else if (e.type == DIALING_CANCEL)
            cancel(t, e.candidate);
        else
            ask_relay(t);
    }
}

/* ---- texts ---- */

void talk_say_text(struct talk_end *t, struct bytes text)
{
    struct talk before = t->talk;
    struct buffer message;
    uint64_t id;
    buffer_init(&message, LIMIT_PEER_MESSAGE_BYTES);
    if (talk_say(&t->talk, text, &message, &id) != 0)
        abort();
    int r = peer_session_say(&t->session, PEER_TALK, buffer_view(&message));
    buffer_fini(&message);
    if (r == 0) {
        t->meeting->said[t->side]++;
    } else {
        t->talk = before;
        visit_talk_refused(&t->visitor->visit, "not now");
    }
}

static void hear(struct talk_end *t, struct bytes text)
{
    struct world *w = t->visitor->world;
    struct meeting *m = t->meeting;
    char want[80];
    snprintf(want, sizeof want, "~%u.%llu %s", 1 - t->side,
             (unsigned long long)m->heard[t->side] + 1, m->id);
    CHECK(w, bytes_equal_str(text, want), "device %zu hears \"%.*s\" and not \"%s\"",
          t->visitor->device, (int)text.len, (const char *)text.data, want);
    m->heard[t->side]++;
    CHECK(w, m->heard[t->side] <= m->said[1 - t->side], "nobody has said that");
    CHECK(w,
          !notebook_doubts(&w->notebooks[t->visitor->device],
                           world_account(w, bytes_from_str(t->name)), t->other),
          "device %zu hears somebody whose words were not the same", t->visitor->device);
    w->texts++;
    visit_talk_heard(&t->visitor->visit, t->name, text);
}

static void mark_shown(struct talk_end *t, uint64_t id)
{
    struct buffer mark;
    buffer_init(&mark, LIMIT_PEER_MESSAGE_BYTES);
    if (talk_show(&t->talk, id, &mark) == 0 && buffer_len(&mark) > 0)
        peer_session_say(&t->session, PEER_TALK, buffer_view(&mark));
    buffer_fini(&mark);
}

/* ---- words to compare ---- */

static void draw_nonce(struct world *w, uint8_t nonce[WORDS_NONCE_BYTES])
{
    for (size_t i = 0; i < WORDS_NONCE_BYTES; i++)
        nonce[i] = (uint8_t)draw(w, 256);
}

/* COMMIT and REVEAL may both be due; each is a message. */
static void say_words(struct talk_end *t, struct bytes messages)
{
    int r = 0;
    while (r == 0 && messages.len > 0) {
        size_t n = compare_message_len(messages);
        r = peer_session_say(&t->session, PEER_TALK, bytes_first(messages, n));
        messages = bytes_from(messages, n);
    }
}

static void show_words(struct talk_end *t)
{
    const char *const *words = t->compare.words.shown;
    judge_words(t->visitor->world, t->meeting, t->side, words);
    visit_words(&t->visitor->visit, t->name, words, WORDS_COUNT, &t->pair.other.key);
}

static void take_words(struct talk_end *t, struct bytes message)
{
    struct visit *v = &t->visitor->visit;
    uint8_t nonce[WORDS_NONCE_BYTES];
    struct buffer out;
    enum compare_event e;
    buffer_init(&out, LIMIT_PEER_MESSAGE_BYTES);
    draw_nonce(t->visitor->world, nonce);
    if (compare_hear(&t->compare, message, nonce, &out, &e) != 0)
        abort();
    say_words(t, buffer_view(&out));
    buffer_fini(&out);
    CHECK(t->visitor->world, e != COMPARE_FAILED, "an honest side is said to lie about words");
    if (e == COMPARE_SHOWN)
        show_words(t);
    else if (e == COMPARE_REFUSED)
        visit_words_fail(v, t->name, "nobody is there");
    else if (e == COMPARE_DIFFER)
        visit_words_differ(v, t->name);
}

void talk_compare(struct talk_end *t)
{
    uint8_t nonce[WORDS_NONCE_BYTES];
    struct buffer out;
    if (!t->compare.person) {
        visit_words_fail(&t->visitor->visit, t->name, "a program has come, not a person");
        return;
    }
    buffer_init(&out, LIMIT_PEER_MESSAGE_BYTES);
    draw_nonce(t->visitor->world, nonce);
    if (compare_begin(&t->compare, nonce, now_of(t->visitor), &out) != 0)
        abort();
    say_words(t, buffer_view(&out));
    buffer_fini(&out);
}

void talk_differ(struct talk_end *t)
{
    const uint8_t type = TALK_WORDS_DIFFER;
    peer_session_say(&t->session, PEER_TALK, bytes_make(&type, 1));
}

static void take_message(struct talk_end *t, struct bytes message)
{
    struct talk_event e;
    CHECK(t->visitor->world, talk_hear(&t->talk, message, &e) == 0,
          "an honest word is nonsense");
    if (e.type == TALK_EVENT_DELIVERED) {
        CHECK(t->visitor->world, e.id <= t->meeting->heard[1 - t->side],
              "what was not shown is marked so");
    } else if (t->state == TALK_ENDING) {
        return;
    } else if (e.type == TALK_EVENT_TEXT) {
        hear(t, e.text);
        mark_shown(t, e.id);
    } else {
        take_words(t, message);
    }
}

/* ---- the session ---- */

static void set_state(struct talk_end *t, enum talk_state state)
{
    t->state = state;
    t->since = now_of(t->visitor);
}

static struct path *find_path(struct talk_end *t, unsigned path)
{
    list_foreach (at, &t->paths) {
        struct path *p = list_entry(at, struct path, link);
        if (p->attached && p->path == path)
            return p;
    }
    trace_fail(&t->visitor->world->trace, "no such path");
}

static void take_path(struct talk_end *t, const struct peer_event *e)
{
    const char *way = e->kind == PEER_PATH_DIRECT ? "direct" : "relayed";
    dialing_set_path(&t->dialing,
                     e->kind == PEER_PATH_DIRECT ? DIALING_DIRECT_PATH : DIALING_RELAY_PATH,
                     now_of(t->visitor));
    t->visitor->world->switches++;
    if (t->state == TALK_ENDING)
        return;
    bool first = t->state == TALK_CONNECTING;
    set_state(t, TALK_TALKING);
    if (first && others_of(t).begun == 0)
        visit_talk_begins(&t->visitor->visit, t->name, false);
    else if (first)
        visit_talk_joins(&t->visitor->visit, t->name, false);
    if (talk_find(t->visitor, t->name) == t)
        visit_talk_way(&t->visitor->visit, t->name, way);
    t->visitor->world->talks += first;
}

static void lose_path(struct talk_end *t)
{
    dialing_set_path(&t->dialing, DIALING_NO_PATH, now_of(t->visitor));
    if (t->state != TALK_TALKING)
        return;
    set_state(t, TALK_LOST);
    if (talk_find(t->visitor, t->name) == t)
        visit_talk_way(&t->visitor->visit, t->name, NULL);
}

static void write_out(struct talk_end *t, struct path *p)
{
    struct bytes out;
    while (p->attached && !wire_is_full(p->wire, p->wire_side) &&
           peer_session_output(&t->session, p->path, &out) == 0 && out.len > 0) {
        struct buffer sealed;
        size_t n = out.len;
        buffer_init(&sealed, SIZE_MAX / 4);
        if (tls_write(p->tls, out, &sealed) != 0)
            abort();
        say_raw(p, buffer_view(&sealed));
        buffer_fini(&sealed);
        peer_session_sent(&t->session, p->path, n);
    }
}

static void drop_path(struct talk_end *t, const struct peer_event *e)
{
    struct path *p = find_path(t, e->path);
    CHECK(t->visitor->world, e->drop != PEER_DROP_BROKEN, "an honest side is called broken");
    if (e->drop == PEER_DROP_OVER)
        write_out(t, p);
    path_close(p, DIALING_UNPROVEN);
}

static void end(struct talk_end *t, const char *why)
{
    bool begun = t->state != TALK_CONNECTING;
    if (t->state == TALK_ENDING)
        return;
    set_state(t, TALK_ENDING);
    t->meeting->ended[t->side] = true;
    struct others others = others_of(t);
    if (begun ? others.begun > 0 : others.all > 0)
        return;
    if (begun)
        visit_talk_ends(&t->visitor->visit, t->name, why);
    else
        visit_talk_fails(&t->visitor->visit, t->name,
                         why ? why : "the other side has ended it");
}

static void finish(struct talk_end *t, enum peer_close close)
{
    struct meeting *m = t->meeting;
    CHECK(t->visitor->world, close != PEER_CLOSE_BY_OTHER || m->ended[1 - t->side],
          "a talk ends that nobody has ended");
    CHECK(t->visitor->world, close != PEER_CLOSE_AGREED || m->ended[1 - t->side],
          "a side agrees that does not know");
    end(t, NULL);
    t->over = true;
}

static void take_event(struct talk_end *t, const struct peer_event *e)
{
    struct path *p;
    switch (e->type) {
    case PEER_EVENT_MESSAGE:
        take_message(t, e->message);
        break;
    case PEER_EVENT_PROVEN:
        p = find_path(t, e->path);
        p->proven = true;
        report(p, DIALING_PROVEN);
        break;
    case PEER_EVENT_PATH_CHANGED:
        take_path(t, e);
        break;
    case PEER_EVENT_PATH_LOST:
        lose_path(t);
        break;
    case PEER_EVENT_DROP:
        drop_path(t, e);
        break;
    case PEER_EVENT_CLOSED:
        finish(t, e->close);
        break;
    default:
        break;
    }
}

static void take_events(struct talk_end *t)
{
    struct peer_event e;
    while (peer_session_next_event(&t->session, &e))
        take_event(t, &e);
}

/* ---- the pump ---- */

/* What was heard lies in what was fed: it is taken before that goes. */
static bool feed(struct talk_end *t, struct path *p)
{
    size_t taken = 0;
    if (!p->attached || buffer_len(&p->in) == 0)
        return false;
    struct buffer in = p->in;
    struct visitor *v = t->visitor;
    buffer_init(&p->in, SIZE_MAX / 4);
    size_t before = v->world->paths_freed;
    peer_session_feed(&t->session, p->path, buffer_view(&in), now_of(v), &taken);
    take_events(t);
    bool same = v->world->paths_freed == before;
    buffer_consume(&in, taken);
    if (same)
        p->in = in;
    else
        buffer_fini(&in);
    return taken > 0 || !same;
}

static void feed_all(struct talk_end *t)
{
    bool again = true;
    while (again) {
        again = false;
        for (struct list *at = t->paths.next; at != &t->paths; at = at->next) {
            again = feed(t, list_entry(at, struct path, link));
            if (again)
                break; /* this one may be gone */
        }
    }
}

static struct instant patience(const struct talk_end *t)
{
    if (t->state == TALK_CONNECTING)
        return instant_after_ms(t->since, LIMIT_TALK_CONNECT_MS);
    if (t->state == TALK_LOST)
        return instant_after_ms(t->since, LIMIT_TALK_LOST_MS);
    return INSTANT_NEVER;
}

static void lose_patience(struct talk_end *t)
{
    if (t->over || patience(t).ns > now_of(t->visitor).ns)
        return;
    end(t, "there is no way to the other side");
    t->over = true;
}

static void work(struct talk_end *t)
{
    peer_session_tick(&t->session, now_of(t->visitor));
    feed_all(t);
    take_events(t);
    if (compare_is_late(&t->compare, now_of(t->visitor)))
        visit_words_fail(&t->visitor->visit, t->name, "none have come yet");
    lose_patience(t);
    take_dialing(t);
    list_foreach (at, &t->paths)
        write_out(t, list_entry(at, struct path, link));
    take_events(t);
}

struct instant talk_next(const struct talk_end *t)
{
    struct instant at = instant_min(peer_session_deadline(&t->session), patience(t));
    at = instant_min(at, t->compare.by);
    return t->over ? now_of(t->visitor) : instant_min(at, dialing_deadline(&t->dialing));
}

void talk_run(struct talk_end *t)
{
    if (talk_next(t).ns <= now_of(t->visitor).ns)
        work(t);
}

/* ---- begin and end ---- */

void talk_called(struct visitor *v, struct bytes id)
{
    struct random_id wanted;
    if (!random_id_read(id, &wanted))
        return;
    list_foreach (at, &v->talks) {
        struct talk_end *t = list_entry(at, struct talk_end, link);
        if (!t->over && random_id_equal(&t->pair.id, &wanted))
            dialing_called(&t->dialing, now_of(v));
    }
}

static void judge_candidates(const struct visitor *v, const struct notice *n,
                             struct candidates *out)
{
    struct endpoint own;
    struct candidate_rules rules = {.own_count = 1};
    struct own_address address = {.prefix_bits = 24};
    if (!endpoint_read(v->candidate, &own))
        abort();
    address.address = own.address;
    rules.own = &address;
    net_address_read(n->seen, &rules.seen);
    *out = (struct candidates){.count = 0};
    for (size_t i = 0; i < n->candidate_count; i++)
        candidates_add(out, &rules, n->candidates[i]);
}

static void start(struct visitor *v, const struct notice *n, size_t other, struct meeting *m,
                  const struct pair *pair)
{
    struct candidates candidates;
    struct talk_end *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->visitor = v;
    t->meeting = m;
    t->side = m->from != v->device;
    t->other = other;
    t->pair = *pair;
    snprintf(t->name, sizeof t->name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    list_init(&t->paths);
    judge_candidates(v, n, &candidates);
    dialing_init(&t->dialing, &candidates, true, draw(v->world, UINT64_MAX), now_of(v));
    peer_session_init(&t->session, pair, now_of(v));
    compare_init(&t->compare, pair, draw(v->world, 8));
    set_state(t, TALK_CONNECTING);
    list_append(&v->talks, &t->link);
}

void talk_begin(struct visitor *v, const struct notice *n, size_t other, struct meeting *m)
{
    struct pair pair;
    struct random_id id;
    if (!random_id_read(n->id, &id) ||
        pair_init(&pair, &id, bytes_from_str(v->visit.name),
                  identity_key(v->world->identities[v->device]), n->name, &n->key) != 0)
        trace_fail(&v->world->trace, "an introduction that is none");
    start(v, n, other, m, &pair);
}

static void close(struct talk_end *t)
{
    set_state(t, TALK_ENDING);
    t->meeting->ended[t->side] = true;
    peer_session_close(&t->session, now_of(t->visitor));
    work(t);
}

void talk_close(struct visitor *v, const char *name)
{
    for (struct talk_end *t; (t = talk_find(v, name));)
        close(t);
}

void talk_drop(struct talk_end *t)
{
    t->meeting->ended[t->side] = true;
    t->over = true;
}

void talk_free(struct talk_end *t)
{
    t->over = true;
    while (!list_is_empty(&t->paths))
        path_close(list_entry(t->paths.next, struct path, link), DIALING_GIVEN_UP);
    peer_session_fini(&t->session);
    compare_fini(&t->compare);
    list_remove(&t->link);
    free(t);
}
