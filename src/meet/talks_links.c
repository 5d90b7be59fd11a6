#include "meet/talks_inner.h"

#include "io/clock.h"
#include "peer/transfer_note.h"

static struct talks *talks_of(struct talk_link *l)
{
    return l->owner;
}

/* ---- which of several ---- */

bool talks_is_with(const struct talk_link *l, struct bytes name)
{
    return l->state != TALK_LINK_ENDING && account_name_equal(bytes_from_str(l->name), name);
}

static bool is_succeeded(const struct talk_link *l)
{
    return l->state == TALK_LINK_LOST && l->succeeded.ns > 0;
}

static bool has_begun(const struct talk_link *l)
{
    return l->state == TALK_LINK_TALKING || (l->state == TALK_LINK_LOST && !is_succeeded(l));
}

static bool waits(const struct talk_link *l)
{
    return !list_is_empty(&l->said);
}

/* What was said over one and is not there yet stays ahead of what is said next, unless he has
 * shown since that he is elsewhere. */
static bool is_before(const struct talk_link *l, const struct talk_link *other)
{
    if (has_begun(l) != has_begun(other))
        return has_begun(l);
    if (l->state == TALK_LINK_LOST && other->state == TALK_LINK_TALKING)
        return waits(l) && other->spoke.ns <= l->since.ns;
    if (l->state == TALK_LINK_TALKING && other->state == TALK_LINK_LOST)
        return !is_before(other, l);
    return waits(l) != waits(other) ? waits(l) : l->spoke.ns > other->spoke.ns;
}

struct talk_link *talks_find(struct talks *t, struct bytes name)
{
    struct talk_link *found = NULL;
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (talks_is_with(l, name) && (!found || is_before(l, found)))
            found = l;
    }
    return found;
}

struct talk_link *talks_find_device(struct talks *t, struct bytes name,
                                    const struct public_key *key)
{
    struct talk_link *found = NULL;
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (l->state == TALK_LINK_TALKING && talks_is_with(l, name) &&
            (!key || talk_link_expects(l, key)))
            found = l;
    }
    return found;
}

/* How many others there are with him whom l is with. */
struct others {
    size_t all;
    size_t begun; /* of all */
    size_t there; /* of those: at the same device */
};

static struct others others_of(struct talk_link *l)
{
    struct others o = {.all = 0};
    list_foreach (at, &talks_of(l)->links) {
        const struct talk_link *other = list_entry(at, struct talk_link, link);
        if (other == l || !talks_is_with(other, bytes_from_str(l->name)))
            continue;
        o.all++;
        o.begun += has_begun(other);
        o.there += has_begun(other) && talk_link_expects(other, &l->pair.other.key);
    }
    return o;
}

static void tell_way(struct talks *t, const char *name)
{
    const struct talk_link *l = talks_find(t, bytes_from_str(name));
    if (t->handler->path && l)
        t->handler->path(t, name, l->way[0] ? l->way : NULL);
}

/* ---- what the talks tell ---- */

/* His kith has been started again, and knows nothing of what was lost. True where there was
 * any. */
static bool succeed_lost(struct talk_link *l)
{
    bool any = false;
    list_foreach (at, &talks_of(l)->links) {
        struct talk_link *other = list_entry(at, struct talk_link, link);
        if (other->state != TALK_LINK_LOST || !talks_is_with(other, bytes_from_str(l->name)) ||
            !talk_link_expects(other, &l->pair.other.key))
            continue;
        talk_link_succeed(other);
        any = true;
    }
    return any;
}

/* What is said goes on where it went, until he says something here; or where it went to this
 * device, and is lost. */
static void on_begun(struct talk_link *l)
{
    const struct talks_handler *h = talks_of(l)->handler;
    struct others others = others_of(l);
    bool goes_on = others.begun > 0 && !succeed_lost(l);
    l->spoke = goes_on ? (struct instant){0} : l->since;
    if (others.begun == 0 && h->begun)
        h->begun(talks_of(l), l->name);
    else if (others.begun > 0 && others.there == 0 && h->joined)
        h->joined(talks_of(l), l->name, l->verified);
}

static void on_path(struct talk_link *l)
{
    tell_way(talks_of(l), l->name);
}

static void on_came(struct talk_link *l, const struct address *from)
{
    if (talks_of(l)->handler->came)
        talks_of(l)->handler->came(talks_of(l), l->name, from);
}

static void on_surveyed(struct talk_link *l)
{
    if (talks_of(l)->handler->surveyed)
        talks_of(l)->handler->surveyed(talks_of(l), l->name);
}

/* He is answered where he spoke last. */
static void on_heard(struct talk_link *l, struct bytes text)
{
    struct talks *t = talks_of(l);
    if (t->handler->kept)
        t->handler->kept(t, l, text);
    else if (t->handler->heard)
        t->handler->heard(t, l->name, text);
    if (l->state != TALK_LINK_TALKING)
        return;
    l->spoke = clock_instant();
    if (others_of(l).all > 0)
        tell_way(t, l->name);
}

static void on_delivered(struct talk_link *l)
{
    if (talks_of(l)->handler->delivered && !waits(l))
        talks_of(l)->handler->delivered(talks_of(l), l);
}

/* Those that do not come back end with what came after them. */
static void drop_succeeded(struct talk_link *l)
{
    list_foreach (at, &talks_of(l)->links) {
        struct talk_link *other = list_entry(at, struct talk_link, link);
        if (is_succeeded(other) && talks_is_with(other, bytes_from_str(l->name)))
            talk_link_drop(other);
    }
}

static void on_ended(struct talk_link *l, bool had_begun, const char *why)
{
    struct talks *t = talks_of(l);
    struct others others = others_of(l);
    bool goes_on = had_begun ? others.begun > 0 : others.all > 0;
    if (!goes_on && t->handler->ended)
        t->handler->ended(t, l->name, why);
    if (!goes_on)
        drop_succeeded(l);
    else if (had_begun)
        tell_way(t, l->name);
}

static void on_undelivered(struct talk_link *l, struct bytes text)
{
    if (talks_of(l)->handler->undelivered)
        talks_of(l)->handler->undelivered(talks_of(l), l, text);
}

static void on_words(struct talk_link *l)
{
    if (talks_of(l)->handler->words)
        talks_of(l)->handler->words(talks_of(l), l->name, l->compare.words.shown,
                                    &l->pair.other.key);
}

static void on_no_words(struct talk_link *l, const struct trouble *why)
{
    if (talks_of(l)->handler->no_words)
        talks_of(l)->handler->no_words(talks_of(l), l->name, why);
}

static void on_differ(struct talk_link *l)
{
    if (talks_of(l)->handler->differ)
        talks_of(l)->handler->differ(talks_of(l), l->name);
}

static void refuse_offer(struct talk_link *l, struct bytes message)
{
    struct transfer_note n;
    uint8_t out[TRANSFER_NOTE_BYTES];
    if (transfer_note_read(message, &n) != 0 || n.type != TRANSFER_NOTE_OFFER)
        return;
    n.type = TRANSFER_NOTE_OVER;
    n.reason = TRANSFER_NOT_HERE;
    talk_link_note(l, bytes_make(out, transfer_note_write(out, &n)));
}

static void on_noted(struct talk_link *l, struct bytes message)
{
    if (talks_of(l)->handler->noted)
        talks_of(l)->handler->noted(talks_of(l), l, message);
    else
        refuse_offer(l, message);
}

static void on_bulk(struct talk_link *l, struct bytes message)
{
    if (talks_of(l)->handler->bulk)
        talks_of(l)->handler->bulk(talks_of(l), l, message);
}

static void on_room(struct talk_link *l)
{
    if (talks_of(l)->handler->room)
        talks_of(l)->handler->room(talks_of(l), l);
}

static void on_gone(struct talk_link *l)
{
    struct talks *t = talks_of(l);
    list_remove(&l->link);
    if (--t->link_count == 0 && t->closing)
        talks_end_wait(t);
}

const struct talk_link_handler talks_link_handler = {.begun = on_begun,
                                                     .path = on_path,
                                                     .came = on_came,
                                                     .surveyed = on_surveyed,
                                                     .heard = on_heard,
                                                     .delivered = on_delivered,
                                                     .words = on_words,
                                                     .no_words = on_no_words,
                                                     .differ = on_differ,
                                                     .noted = on_noted,
                                                     .bulk = on_bulk,
                                                     .room = on_room,
                                                     .ended = on_ended,
                                                     .undelivered = on_undelivered,
                                                     .gone = on_gone};

/* ---- one of them ---- */

void talks_differ(struct talks *t, struct bytes name, const struct public_key *key)
{
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (talks_is_with(l, name) && talk_link_expects(l, key))
            talk_link_differ(l);
    }
}

struct talk_link *talks_find_introduced(struct talks *t, const struct random_id *id)
{
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (!l->over && random_id_equal(&l->pair.id, id))
            return l;
    }
    return NULL;
}

static struct talk_link *find_named(struct talks *t, struct bytes text)
{
    struct random_id id;
    return random_id_read(text, &id) ? talks_find_introduced(t, &id) : NULL;
}

void talks_show(struct talks *t, const struct random_id *introduction, uint64_t id)
{
    struct talk_link *l = talks_find_introduced(t, introduction);
    if (l)
        talk_link_show(l, id);
}

bool talks_have_arrived(struct talks *t, struct bytes name)
{
    bool all = true;
    list_foreach (at, &t->links) {
        const struct talk_link *l = list_entry(at, struct talk_link, link);
        all = all && (!talks_is_with(l, name) || talk_link_has_arrived(l));
    }
    return all;
}

void talks_show_all(struct talks *t, struct bytes name)
{
    list_foreach (at, &t->links) {
        struct talk_link *l = list_entry(at, struct talk_link, link);
        if (talks_is_with(l, name) && l->talk.shown < l->talk.heard)
            talk_link_show(l, l->talk.heard);
    }
}

void talks_called(struct talks *t, struct bytes id)
{
    struct talk_link *l = find_named(t, id);
    if (l)
        talk_link_called(l);
}

void talks_disbelieved(struct talks *t, struct bytes id)
{
    struct talk_link *l = find_named(t, id);
    if (l && l->state == TALK_LINK_CONNECTING)
        talk_link_disbelieved(l);
}
