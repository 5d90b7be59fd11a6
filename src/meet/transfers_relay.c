#include "meet/transfers_inner.h"

#include "base/limits.h"
#include "io/problem.h"

#include <errno.h>

/* ---- one's stream ---- */

static struct sluice *find(const struct transfers *all, const struct random_id *token)
{
    list_foreach (at, &all->sluices) {
        struct sluice *s = list_entry(at, struct sluice, link);
        if (random_id_equal(&s->token, token))
            return s;
    }
    return NULL;
}

/* With those that still wait to say their END. */
static bool has_room(const struct transfers *all)
{
    size_t n = 0;
    list_foreach (at, &all->sluices)
        n++;
    return n < LIMIT_TRANSFERS;
}

static struct talk_link *link_of(const struct sluice *s)
{
    const struct transfers *all = s->owner;
    return talks_find_introduced(all->talks, &s->talk);
}

static int on_say(struct sluice *s, struct bytes message)
{
    struct talk_link *l = link_of(s);
    int r = l ? talk_link_bulk(l, message) : TALK_LINK_OVER;
    return r == TALK_LINK_FULL ? SLUICE_FULL : r;
}

static const struct sluice_handler handler = {.say = on_say};

/* Who offered counts as the one that dialed. */
void transfer_carry_over(struct transfer *t, struct talk_link *l)
{
    struct transfers *all = t->all;
    struct sluice *s;
    int fd, r = -EBUSY;
    if (has_room(all) && !find(all, &t->token)) /* tokens of others are theirs to choose */
        r = sluice_new(&s, all->talks->ground.loop, &t->token, &handler, all, &fd);
    if (r < 0) {
        transfer_wait(t, problem_text(r));
        return;
    }
    t->sluiced = t->token;
    s->talk = l->pair.id;
    list_append(&all->sluices, &s->link);
    transfer_carry_on(t, fd, !t->record.incoming);
}

/* ---- the talk below it ---- */

/* NULL: it can go on. */
static const char *why_not(const struct talk_link *l, struct instant now)
{
    if (!l || l->state == TALK_LINK_ENDING)
        return "the talk is over";
    if (l->state == TALK_LINK_TALKING)
        return talk_link_carries(l) ? NULL : transfer_reason_text(TRANSFER_RELAYED);
    if (l->is_used_up)
        return "this hour's quota of the hub's relay is used up";
    return now.ns > instant_after_ms(l->since, LIMIT_TALK_CONNECT_MS).ns
               ? "the connection is lost"
               : NULL;
}

void transfer_look_at_sluice(struct transfer *t, struct instant now)
{
    struct sluice *s = t->carrier.running ? find(t->all, &t->sluiced) : NULL;
    const char *why = s ? why_not(link_of(s), now) : NULL;
    if (!why)
        return;
    t->cut = why;
    sluice_cut(s);
}

void transfer_leave_sluice(struct transfer *t)
{
    struct sluice *s = find(t->all, &t->sluiced);
    if (s)
        sluice_leave(s);
    t->sluiced = (struct random_id){.bytes = {0}};
}

void transfers_sweep_sluices(struct transfers *all, bool every)
{
    struct list *next;
    for (struct list *at = all->sluices.next; at != &all->sluices; at = next) {
        struct sluice *s = list_entry(at, struct sluice, link);
        const struct talk_link *l = link_of(s);
        next = at->next;
        if (every || sluice_is_done(s) || !l || l->state == TALK_LINK_ENDING)
            sluice_free(s);
    }
}

/* ---- what is said there ---- */

static struct transfer *transfer_of(const struct transfers *all, const struct sluice *s)
{
    list_foreach (at, &all->all) {
        struct transfer *t = list_entry(at, struct transfer, link);
        if (random_id_equal(&t->sluiced, &s->token))
            return t;
    }
    return NULL;
}

/* What is of no attempt that is under way here is passed over. */
void transfers_bulk(struct transfers *all, struct talk_link *l, struct bytes message)
{
    struct bulk_message m;
    if (!all->open || all->closing || bulk_message_read(message, &m) != 0)
        return;
    struct sluice *s = find(all, &m.token);
    if (!s || !random_id_equal(&s->talk, &l->pair.id) || sluice_take(s, &m) == 0)
        return;
    struct transfer *t = transfer_of(all, s);
    sluice_free(s);
    if (t)
        transfer_end(t, TRANSFER_BROKEN);
}

void transfers_room(struct transfers *all, struct talk_link *l)
{
    if (!all->open || all->closing)
        return;
    list_foreach (at, &all->sluices) {
        struct sluice *s = list_entry(at, struct sluice, link);
        if (random_id_equal(&s->talk, &l->pair.id))
            sluice_room(s);
    }
}
