#include "meet/talks_inner.h"

#include "io/clock.h"
#include "io/own_addresses.h"
#include "io/problem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- who waits for a list of devices ---- */

/* An introduction. */
struct talks_waiting {
    struct list link;
    uint64_t number; /* of the request */
    bool given_up;   /* the answer is of no use any more */
    char own_name[ACCOUNT_NAME_BYTES + 1];
    struct notice_kept kept;
};

static struct talks_waiting *find_waiting(struct talks *t, uint64_t number)
{
    list_foreach (at, &t->waiting) {
        struct talks_waiting *w = list_entry(at, struct talks_waiting, link);
        if (w->number == number)
            return w;
    }
    return NULL;
}

/* Without a word he would wait for a connection. */
static void disbelieve(struct talks *t, struct bytes id, enum trouble_kind kind)
{
    if (kind == TROUBLE_CHANGED && t->handler->disbelieve)
        t->handler->disbelieve(t, id);
}

static void refuse(struct talks *t, const struct talks_waiting *w, const struct trouble *why)
{
    struct bytes name = w->kept.notice.name;
    char text[ACCOUNT_NAME_BYTES + 1];
    snprintf(text, sizeof text, "%.*s", (int)name.len, (const char *)name.data);
    if (t->handler->refused)
        t->handler->refused(t, text, why);
}

/* why NULL: nobody is told. */
static void forget_waiting(struct talks *t, const struct trouble *why)
{
    struct list *link;
    while ((link = list_pop(&t->waiting))) {
        struct talks_waiting *w = list_entry(link, struct talks_waiting, link);
        t->waiting_count--;
        if (why && !w->given_up)
            refuse(t, w, why);
        free(w);
    }
}

static enum trouble_kind wait_for_devices(struct talks *t, const char *own_name,
                                          const struct notice *n, struct trouble *ret)
{
    char name[ACCOUNT_NAME_BYTES + 1];
    if (t->waiting_count == LIMIT_INVITATIONS)
        return trouble_set(ret, TROUBLE_FAILED, "too many wait to be told apart by the hub");
    struct talks_waiting *w = calloc(1, sizeof *w);
    if (!w)
        return trouble_no_memory(ret);
    snprintf(name, sizeof name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    snprintf(w->own_name, sizeof w->own_name, "%s", own_name);
    notice_keep(&w->kept, n);
    w->number = t->handler->ask_devices ? t->handler->ask_devices(t, name) : 0;
    if (w->number == 0) {
        free(w);
        return trouble_set(ret, TROUBLE_FAILED, "the hub cannot be asked for his devices");
    }
    list_append(&t->waiting, &w->link);
    t->waiting_count++;
    return TROUBLE_NONE;
}

/* ---- the end ---- */

void talks_end_wait(struct talks *t)
{
    if (!uv_is_closing((uv_handle_t *)&t->leave))
        uv_close((uv_handle_t *)&t->leave, NULL);
    if (!uv_is_closing((uv_handle_t *)&t->look))
        uv_close((uv_handle_t *)&t->look, NULL);
}

static void on_leave(uv_timer_t *timer)
{
    struct talks *t = timer->data;
    list_foreach (at, &t->links)
        talk_link_drop(list_entry(at, struct talk_link, link));
    talks_end_wait(t);
}

void talks_close(struct talks *t)
{
    if (!t->opened || t->closing)
        return;
    t->closing = true;
    forget_waiting(t, NULL);
    arrivals_close(&t->arrivals);
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (l->state != TALK_LINK_ENDING)
            talk_link_close(l);
    }
    if (t->link_count > 0)
        uv_timer_start(&t->leave, on_leave, LIMIT_TALK_LEAVE_MS, 0);
    else
        talks_end_wait(t);
}

void talks_fini(struct talks *t)
{
    tls_config_free(t->ground.dials);
    tls_config_free(t->ground.answers);
    t->ground.dials = t->ground.answers = NULL;
}

/* ---- where this device is ---- */

static bool is_useful(const struct talks *t, const struct own_address *own)
{
    const uint8_t *b = own->address.bytes;
    bool link_local =
        !net_address_is_v4(&own->address) && b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
    return !link_local && (t->hub_is_local || !net_address_is_loopback(&own->address));
}

static void look(struct talks *t)
{
    t->own_count = own_addresses(t->own, OWN_ADDRESSES_MAX);
    t->candidate_count = 0;
    for (size_t i = 0; i < t->own_count && t->candidate_count < CANDIDATES_MAX; i++) {
        struct endpoint at = {.address = t->own[i].address, .port = t->arrivals.port.number};
        char *text = t->candidate_texts[t->candidate_count];
        if (!is_useful(t, &t->own[i]))
            continue;
        endpoint_write(text, &at);
        t->candidates[t->candidate_count++] = bytes_from_str(text);
    }
}

void talks_look_around(struct talks *t, bool hub_is_local)
{
    struct trouble why;
    trouble_set(&why, TROUBLE_FAILED, "the hub went away before it could be asked");
    if (t->opened)
        forget_waiting(t, &why);
    t->hub_is_local = hub_is_local;
    look(t);
}

struct candidate_rules talks_rules(const struct talks *t, const struct net_address *seen)
{
    return (struct candidate_rules){.own = t->own,
                                    .own_count = t->own_count,
                                    .hub_is_local = t->hub_is_local,
                                    .seen = *seen};
}

static struct talk_offer read_offer(const struct notice *n)
{
    struct talk_offer offer = {.count = 0};
    net_address_read(n->seen, &offer.seen);
    for (size_t i = 0; i < n->candidate_count && offer.count < CANDIDATES_MAX; i++)
        offer.count += endpoint_read(n->candidates[i], &offer.at[offer.count]);
    return offer;
}

static struct candidates judge(const struct talks *t, const struct talk_offer *offer)
{
    struct candidate_rules rules = talks_rules(t, &offer->seen);
    struct candidates out = {.count = 0};
    char text[ENDPOINT_TEXT_BYTES];
    for (size_t i = 0; i < offer->count; i++) {
        endpoint_write(text, &offer->at[i]);
        candidates_add(&out, &rules, bytes_from_str(text));
    }
    return out;
}

static void move(struct talks *t)
{
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        struct candidates candidates = judge(t, &l->offer);
        if (!l->over)
            talk_link_moved(l, t->own, t->own_count, &candidates);
    }
    if (t->handler->moved)
        t->handler->moved(t);
}

/* That none at all can be seen is no move. */
static void on_look(uv_timer_t *timer)
{
    struct talks *t = timer->data;
    struct own_address now[OWN_ADDRESSES_MAX];
    size_t count = own_addresses(now, OWN_ADDRESSES_MAX);
    arrivals_tick(&t->arrivals, clock_instant());
    if (count == 0 || own_addresses_equal(now, count, t->own, t->own_count))
        return;
    bool was_there = t->own_count > 0;
    look(t);
    if (was_there)
        move(t);
}

/* ---- begin ---- */

void talks_end(struct talks *t, struct bytes name)
{
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (talks_is_with(l, name))
            talk_link_close(l);
    }
    list_foreach (at, &t->waiting) {
        struct talks_waiting *w = list_entry(at, struct talks_waiting, link);
        w->given_up = w->given_up || account_name_equal(w->kept.notice.name, name);
    }
}

void talks_revoked(struct talks *t, const struct public_key *key)
{
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (l->state != TALK_LINK_ENDING && talk_link_expects(l, key))
            talk_link_revoke(l);
    }
}

void talks_review(struct talks *t)
{
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (l->state != TALK_LINK_ENDING && t->handler->ask_devices)
            l->review = t->handler->ask_devices(t, l->name);
    }
}

static struct talk_link *find_reviewed(struct talks *t, uint64_t number)
{
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (l->review == number)
            return l;
    }
    return NULL;
}

static void take_review(struct talk_link *l, const struct device *devices, size_t n)
{
    size_t i = 0;
    while (i < n && memcmp(&devices[i].key, &l->pair.other.key, sizeof devices[i].key) != 0)
        i++;
    if (i == n && l->state != TALK_LINK_ENDING)
        talk_link_revoke(l);
}

bool talks_have_room(const struct talks *t, struct bytes name)
{
    size_t n = 0;
    list_foreach (at, &t->links)
        n += talks_is_with(list_entry(at, struct talk_link, link), name);
    return n < LIMIT_TALKS_WITH_ONE && t->link_count < LIMIT_TALKS;
}

static int start(struct talks *t, const struct pair *pair, const struct notice *n,
                 bool verified)
{
    struct talk_offer offer = read_offer(n);
    struct candidates candidates = judge(t, &offer);
    struct talk_link *l;
    char name[ACCOUNT_NAME_BYTES + 1];
    snprintf(name, sizeof name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    int r = talk_link_new(&l, &t->ground, name, pair, &candidates, &talks_link_handler, t);
    if (r != 0)
        return r;
    l->offer = offer;
    l->verified = verified;
    list_append(&t->links, &l->link);
    t->link_count++;
    if (t->handler->connects)
        t->handler->connects(t, l, n);
    return 0;
}

/* Devices NULL: the list was not asked for yet, and *ret_unsure says whether it ought to be. */
static enum trouble_kind begin(struct talks *t, const char *own_name, const struct notice *n,
                               const struct device *devices, size_t count, bool *ret_unsure,
                               struct trouble *ret)
{
    const struct self *self = t->ground.self;
    struct peer_trust trust = {.unsure = false};
    struct pair pair;
    struct random_id id;
    char name[ACCOUNT_NAME_BYTES + 1];
    snprintf(name, sizeof name, "%.*s", (int)n->name.len, (const char *)n->name.data);
    if (!random_id_read(n->id, &id) ||
        pair_init(&pair, &id, bytes_from_str(own_name), identity_key(self->identity), n->name,
                  &n->key) != 0)
        return trouble_set(ret, TROUBLE_FAILED, "the hub introduces this device to itself");
    enum trouble_kind kind = peer_trust(self, name, &n->key, devices, count, &trust, ret);
    *ret_unsure = trust.unsure;
    if (kind != TROUBLE_NONE || trust.unsure)
        return kind;
    if (!talks_have_room(t, n->name))
        return trouble_set(ret, TROUBLE_FAILED, "there are too many talks");
    return start(t, &pair, n, trust.verified) == 0 ? TROUBLE_NONE : trouble_no_memory(ret);
}

enum trouble_kind talks_begin(struct talks *t, const char *own_name, const struct notice *n,
                              struct trouble *ret)
{
    bool unsure = false;
    enum trouble_kind kind = begin(t, own_name, n, NULL, 0, &unsure, ret);
    disbelieve(t, n->id, kind);
    return kind == TROUBLE_NONE && unsure ? wait_for_devices(t, own_name, n, ret) : kind;
}

static void take_waited(struct talks *t, struct talks_waiting *w, const struct device *devices,
                        size_t n)
{
    const struct notice *introduced = &w->kept.notice;
    struct trouble why;
    bool unsure;
    list_remove(&w->link);
    t->waiting_count--;
    enum trouble_kind kind = w->given_up
                                 ? TROUBLE_NONE
                                 : begin(t, w->own_name, introduced, devices, n, &unsure, &why);
    disbelieve(t, introduced->id, kind);
    if (kind != TROUBLE_NONE)
        refuse(t, w, &why);
    free(w);
}

bool talks_devices(struct talks *t, uint64_t number, const struct resp_value *values,
                   size_t count)
{
    struct talks_waiting *w = find_waiting(t, number);
    struct talk_link *reviewed = w ? NULL : find_reviewed(t, number);
    struct device devices[LIMIT_ACCOUNT_DEVICES];
    size_t n = 0;
    if (!w && !reviewed)
        return false;
    bool is_list = device_list_read(values, count, devices, &n);
    if (w) {
        take_waited(t, w, devices, is_list ? n : 0); /* none: nobody vouches for the device */
        return true;
    }
    reviewed->review = 0;
    if (is_list) /* else it says nothing of anybody */
        take_review(reviewed, devices, n);
    return true;
}

/* TLS between devices, either way. */
static int make_configs(struct talk_ground *ground, const struct identity *own)
{
    static const char *const protocols[] = {"kith-peer/1", NULL};
    int r = tls_config_new(&ground->dials, TLS_PEER_DIALS, own, protocols);
    return r == 0 ? tls_config_new(&ground->answers, TLS_PEER_ANSWERS, own, protocols) : r;
}

static int begin_timers(struct talks *t)
{
    int r = uv_timer_init(t->ground.loop, &t->leave);
    if (r == 0)
        r = uv_timer_init(t->ground.loop, &t->look);
    t->leave.data = t->look.data = t;
    if (r == 0)
        r = uv_timer_start(&t->look, on_look, LIMIT_LOOK_AROUND_MS, LIMIT_LOOK_AROUND_MS);
    return r;
}

enum trouble_kind talks_open(struct talks *t, uv_loop_t *loop, struct self *s, uint16_t port,
                             const struct talks_handler *handler, struct trouble *ret)
{
    *t = (struct talks){.handler = handler,
                        .ground = {.self = s,
                                   .loop = loop,
                                   .shows_later = handler->kept || !handler->heard,
                                   .person = handler->words != NULL}};
    list_init(&t->links);
    list_init(&t->waiting);
    enum trouble_kind kind = self_config(s, ret);
    if (kind != TROUBLE_NONE)
        return kind;
    int r = make_configs(&t->ground, s->identity);
    if (r == 0)
        r = begin_timers(t);
    if (r < 0)
        return trouble_set(ret, TROUBLE_FAILED, "%s", problem_text(r));
    t->opened = true;
    r = arrivals_open(&t->arrivals, port, &t->ground, &t->links);
    if (r == 0)
        return TROUBLE_NONE;
    t->closing = true;
    talks_end_wait(t);
    return trouble_set(ret, TROUBLE_FAILED, "cannot listen for people at port %u: %s", port,
                       problem_text(r));
}
