#include "kith/talks.h"

#include "base/number.h"
#include "io/clock.h"
#include "io/own_addresses.h"
#include "io/problem.h"
#include "kith/trust.h"

#include <errno.h>
#include <stdio.h>

/* Two that invite each other at once are introduced twice: within this time both keep the
 * same one of the two. */
enum { CROSSED_MS = 5000 };

static struct talks *talks_of(struct talk_link *l)
{
    return l->owner;
}

/* ---- the end ---- */

static void end_wait(struct talks *t)
{
    if (!uv_is_closing((uv_handle_t *)&t->leave))
        uv_close((uv_handle_t *)&t->leave, NULL);
}

static void on_leave(uv_timer_t *timer)
{
    struct talks *t = timer->data;
    list_foreach (at, &t->links)
        talk_link_drop(list_entry(at, struct talk_link, link));
    end_wait(t);
}

void talks_close(struct talks *t)
{
    if (!t->opened || t->closing)
        return;
    t->closing = true;
    peer_port_close(&t->port);
    list_foreach (at, &t->strangers)
        peer_line_close(&list_entry(at, struct talk_path, link)->line);
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (l->state != TALK_LINK_ENDING)
            talk_link_close(l);
    }
    if (t->link_count > 0)
        uv_timer_start(&t->leave, on_leave, LIMIT_TALK_LEAVE_MS, 0);
    else
        end_wait(t);
}

void talks_fini(struct talks *t)
{
    tls_config_free(t->ground.dials);
    tls_config_free(t->ground.answers);
    t->ground.dials = t->ground.answers = NULL;
}

/* ---- what the talks tell ---- */

static void on_begun(struct talk_link *l)
{
    if (talks_of(l)->handler->begun)
        talks_of(l)->handler->begun(talks_of(l), l->name);
}

static void on_path(struct talk_link *l)
{
    if (talks_of(l)->handler->path)
        talks_of(l)->handler->path(talks_of(l), l->name, l->way[0] ? l->way : NULL);
}

static void on_heard(struct talk_link *l, struct bytes text)
{
    if (talks_of(l)->handler->heard)
        talks_of(l)->handler->heard(talks_of(l), l->name, text);
}

static void on_delivered(struct talk_link *l)
{
    if (talks_of(l)->handler->delivered)
        talks_of(l)->handler->delivered(talks_of(l), l->name);
}

static void on_ended(struct talk_link *l, const char *why)
{
    if (talks_of(l)->handler->ended)
        talks_of(l)->handler->ended(talks_of(l), l->name, why);
}

static void on_undelivered(struct talk_link *l, struct bytes text)
{
    if (talks_of(l)->handler->undelivered)
        talks_of(l)->handler->undelivered(talks_of(l), l->name, text);
}

static void on_gone(struct talk_link *l)
{
    struct talks *t = talks_of(l);
    list_remove(&l->link);
    if (--t->link_count == 0 && t->closing)
        end_wait(t);
}

static const struct talk_link_handler link_handler = {.begun = on_begun,
                                                      .path = on_path,
                                                      .heard = on_heard,
                                                      .delivered = on_delivered,
                                                      .ended = on_ended,
                                                      .undelivered = on_undelivered,
                                                      .gone = on_gone};

/* ---- who connects ---- */

static struct talk_path *path_of(struct peer_line *l)
{
    return (struct talk_path *)((char *)l - offsetof(struct talk_path, line));
}

/* The last that expects this key. */
static struct talk_link *find_key(struct talks *t, const struct public_key *key)
{
    struct talk_link *found = NULL;
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        bool is_it = !l->over && memcmp(&l->pair.other.key, key, sizeof *key) == 0;
        if (is_it && (!found || l->state != TALK_LINK_ENDING))
            found = l;
    }
    return found;
}

static void on_stranger_open(struct peer_line *line)
{
    struct talk_path *p = path_of(line);
    struct talks *t = p->owner;
    const struct public_key *key = peer_line_key(line);
    struct talk_link *l = key ? find_key(t, key) : NULL;
    if (!l) {
        peer_line_close(line);
        return;
    }
    t->stranger_count--;
    talk_link_take(l, p);
}

static void on_stranger_closed(struct peer_line *line)
{
    struct talk_path *p = path_of(line);
    struct talks *t = p->owner;
    list_remove(&p->link);
    talk_path_free(p);
    t->stranger_count--;
}

static void on_stranger_read(struct peer_line *line, struct bytes in)
{
    /* It is being closed: what it says is nobody's. */
}

static void on_stranger_room(struct peer_line *line)
{
}

static const struct peer_line_handler stranger_handler = {.open = on_stranger_open,
                                                          .read = on_stranger_read,
                                                          .room = on_stranger_room,
                                                          .closed = on_stranger_closed};

static void on_arrived(struct peer_port *port)
{
    struct talks *t = (struct talks *)((char *)port - offsetof(struct talks, port));
    struct talk_path *p =
        t->stranger_count < LIMIT_PEER_HANDSHAKES ? talk_path_new(TALK_PATH_TAKEN) : NULL;
    if (!p) {
        peer_port_refuse(port);
        return;
    }
    p->owner = t;
    if (peer_line_accept(&p->line, (uv_stream_t *)&port->tcp, t->ground.answers,
                         &stranger_handler) != 0) {
        talk_path_free(p);
        return;
    }
    list_append(&t->strangers, &p->link);
    t->stranger_count++;
}

/* ---- where this device is ---- */

static bool is_useful(const struct talks *t, const struct own_address *own)
{
    const uint8_t *b = own->address.bytes;
    bool link_local =
        !net_address_is_v4(&own->address) && b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
    return !link_local && (t->hub_is_local || !net_address_is_loopback(&own->address));
}

void talks_look_around(struct talks *t, bool hub_is_local)
{
    t->hub_is_local = hub_is_local;
    t->own_count = own_addresses(t->own, OWN_ADDRESSES_MAX);
    t->candidate_count = 0;
    for (size_t i = 0; i < t->own_count && t->candidate_count < CANDIDATES_MAX; i++) {
        struct endpoint at = {.address = t->own[i].address, .port = t->port.number};
        char *text = t->candidate_texts[t->candidate_count];
        if (!is_useful(t, &t->own[i]))
            continue;
        endpoint_write(text, &at);
        t->candidates[t->candidate_count++] = bytes_from_str(text);
    }
}

static void judge_candidates(const struct talks *t, const struct notice *n,
                             struct candidates *out)
{
    struct candidate_rules rules = {
        .own = t->own, .own_count = t->own_count, .hub_is_local = t->hub_is_local};
    net_address_read(n->seen, &rules.seen);
    *out = (struct candidates){.count = 0};
    for (size_t i = 0; i < n->candidate_count; i++)
        candidates_add(out, &rules, n->candidates[i]);
}

/* ---- begin ---- */

struct talk_link *talks_find(struct talks *t, struct bytes name)
{
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (l->state != TALK_LINK_ENDING && account_name_equal(bytes_from_str(l->name), name))
            return l;
    }
    return NULL;
}

static bool is_crossed(const struct talk_link *old, const struct random_id *id)
{
    uint64_t age = clock_instant().ns - old->began.ns;
    return age < (uint64_t)CROSSED_MS * 1000000 &&
           memcmp(old->pair.id.bytes, id->bytes, RANDOM_ID_BYTES) > 0;
}

static int start(struct talks *t, const struct pair *pair, const struct notice *n)
{
    struct candidates candidates;
    struct talk_link *l;
    char name[ACCOUNT_NAME_BYTES + 1];
    snprintf(name, sizeof name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    judge_candidates(t, n, &candidates);
    int r = talk_link_new(&l, &t->ground, name, pair, &candidates, &link_handler, t);
    if (r != 0)
        return r;
    list_append(&t->links, &l->link);
    t->link_count++;
    return 0;
}

int talks_begin(struct talks *t, const char *own_name, const struct notice *n,
                char why[PEER_TRUST_BYTES])
{
    struct session *s = t->ground.session;
    struct pair pair;
    struct random_id id;
    char name[ACCOUNT_NAME_BYTES + 1];
    snprintf(name, sizeof name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    if (!random_id_read(n->id, &id) ||
        pair_init(&pair, &id, bytes_from_str(own_name), identity_key(s->identity), n->name,
                  &n->key) != 0) {
        snprintf(why, PEER_TRUST_BYTES, "the hub introduces this device to itself");
        return EXIT_NO;
    }
    struct talk_link *old = talks_find(t, n->name);
    if (old && is_crossed(old, &id))
        return EXIT_DONE;
    int code = peer_trust(s, name, &n->print, why);
    if (code != EXIT_DONE)
        return code;
    if (old)
        talk_link_replace(old);
    if (t->link_count >= LIMIT_TALKS) {
        snprintf(why, PEER_TRUST_BYTES, "there are too many talks");
        return EXIT_NO;
    }
    if (start(t, &pair, n) == 0)
        return EXIT_DONE;
    snprintf(why, PEER_TRUST_BYTES, "out of memory");
    return EXIT_NO;
}

int talks_port(struct session *s, uint16_t *ret)
{
    const char *text = s->options.peer_port;
    uint64_t port = 0;
    if (text && (!number_parse_u64(bytes_from_str(text), &port) || port < 1024 || port > 65535))
        return session_fail(s, EXIT_USAGE, "--peer-port is 1024 to 65535, not '%.64s'", text);
    *ret = (uint16_t)port;
    return EXIT_DONE;
}

int talks_open(struct talks *t, uv_loop_t *loop, struct session *s, uint16_t port,
               const struct talks_handler *handler)
{
    static const char *const protocols[] = {"kith-peer/1", NULL};
    *t = (struct talks){.handler = handler, .ground = {.session = s, .loop = loop}};
    list_init(&t->links);
    list_init(&t->strangers);
    int code = trust_config(s);
    if (code != EXIT_DONE)
        return code;
    int r = tls_config_new(&t->ground.dials, TLS_PEER_DIALS, s->identity, protocols);
    if (r == 0)
        r = tls_config_new(&t->ground.answers, TLS_PEER_ANSWERS, s->identity, protocols);
    if (r == 0)
        r = uv_timer_init(loop, &t->leave);
    if (r < 0)
        return session_fail(s, EXIT_NO, "%s", problem_text(r));
    t->leave.data = t;
    t->opened = true;
    r = peer_port_open(&t->port, loop, port, on_arrived);
    if (r == 0)
        return EXIT_DONE;
    t->closing = true;
    end_wait(t);
    return session_fail(s, EXIT_NO, "cannot listen for people at port %u: %s", port,
                        problem_text(r));
}
