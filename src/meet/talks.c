#include "meet/talks.h"

#include "io/clock.h"
#include "io/own_addresses.h"
#include "io/problem.h"

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

enum trouble_kind talks_begin(struct talks *t, const char *own_name, const struct notice *n,
                              struct trouble *ret)
{
    const struct self *s = t->ground.self;
    struct pair pair;
    struct random_id id;
    char name[ACCOUNT_NAME_BYTES + 1];
    snprintf(name, sizeof name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    if (!random_id_read(n->id, &id) ||
        pair_init(&pair, &id, bytes_from_str(own_name), identity_key(s->identity), n->name,
                  &n->key) != 0)
        return trouble_set(ret, TROUBLE_FAILED, "the hub introduces this device to itself");
    struct talk_link *old = talks_find(t, n->name);
    if (old && is_crossed(old, &id))
        return TROUBLE_NONE;
    enum trouble_kind kind = peer_trust(s, name, &n->print, ret);
    if (kind != TROUBLE_NONE)
        return kind;
    if (old)
        talk_link_replace(old);
    if (t->link_count >= LIMIT_TALKS)
        return trouble_set(ret, TROUBLE_FAILED, "there are too many talks");
    return start(t, &pair, n) == 0 ? TROUBLE_NONE : trouble_no_memory(ret);
}

/* TLS between devices, either way. */
static int make_configs(struct talk_ground *ground, const struct identity *own)
{
    static const char *const protocols[] = {"kith-peer/1", NULL};
    int r = tls_config_new(&ground->dials, TLS_PEER_DIALS, own, protocols);
    return r == 0 ? tls_config_new(&ground->answers, TLS_PEER_ANSWERS, own, protocols) : r;
}

enum trouble_kind talks_open(struct talks *t, uv_loop_t *loop, struct self *s, uint16_t port,
                             const struct talks_handler *handler, struct trouble *ret)
{
    *t = (struct talks){.handler = handler, .ground = {.self = s, .loop = loop}};
    list_init(&t->links);
    list_init(&t->strangers);
    enum trouble_kind kind = self_config(s, ret);
    if (kind != TROUBLE_NONE)
        return kind;
    int r = make_configs(&t->ground, s->identity);
    if (r == 0)
        r = uv_timer_init(loop, &t->leave);
    if (r < 0)
        return trouble_set(ret, TROUBLE_FAILED, "%s", problem_text(r));
    t->leave.data = t;
    t->opened = true;
    r = peer_port_open(&t->port, loop, port, on_arrived);
    if (r == 0)
        return TROUBLE_NONE;
    t->closing = true;
    end_wait(t);
    return trouble_set(ret, TROUBLE_FAILED, "cannot listen for people at port %u: %s", port,
                       problem_text(r));
}
