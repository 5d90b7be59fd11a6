#include "kith/meeting.h"

#include "base/limits.h"
#include "client/answer.h"
#include "io/clock.h"
#include "meet/turn.h"

#include <errno.h>
#include <stdio.h>

static bool take_turn(struct meeting *m, struct contact *c)
{
    if (!m->has_turn)
        m->turn = turn_take(&c->session->self, TURN_SAYING, bytes_from_str(m->name));
    m->has_turn = m->turn >= 0;
    return m->turn != -EWOULDBLOCK; /* where there can be no lock, nobody is kept from asking */
}

static void give_turn_back(struct meeting *m)
{
    if (m->has_turn)
        turn_give_back(m->turn);
    m->has_turn = false;
}

static void put_off(struct meeting *m, uint64_t ms)
{
    give_turn_back(m);
    m->state = MEETING_AWAY;
    m->id[0] = '\0';
    m->again = instant_after_ms(clock_instant(), ms);
}

/* Once, until he has talked. */
static enum meeting_news waits(struct meeting *m, const char *why,
                               char ret_why[MEETING_WHY_BYTES])
{
    enum meeting_news news = m->awaits ? MEETING_NOTHING : MEETING_WAITS;
    m->awaits = true;
    snprintf(ret_why, MEETING_WHY_BYTES, "%s", why);
    return news;
}

static void withdraw(struct meeting *m, struct contact *c)
{
    const struct bytes argv[] = {bytes_from_str("CANCEL"), bytes_from_str(m->id)};
    contact_request(c, argv, 2);
    put_off(m, LIMIT_MEETING_AGAIN_MS);
}

/* A talk that has lost its connection for a while is none: his kith may have been started anew,
 * and know nothing of it. */
static bool is_talking(const struct meeting *m, struct contact *c)
{
    const struct talk_link *l = talks_find(&c->presence.talks, bytes_from_str(m->name));
    return l && (l->state != TALK_LINK_LOST ||
                 clock_instant().ns < instant_after_ms(l->since, LIMIT_MEETING_AGAIN_MS).ns);
}

void meeting_tick(struct meeting *m, struct contact *c)
{
    struct instant now = clock_instant();
    if (is_talking(m, c)) {
        give_turn_back(m);
        m->state = MEETING_TALKING;
        m->awaits = false;
    } else if (m->state == MEETING_TALKING) {
        put_off(m, LIMIT_SAY_AGAIN_MS);
    } else if (m->over || !c->presence.ready || now.ns < m->again.ns) {
        return;
    } else if (m->state == MEETING_AWAY && take_turn(m, c)) {
        m->asked = contact_ask(c, "MEET", bytes_from_str(m->name));
        m->state = MEETING_ASKING;
        m->again = instant_after_ms(now, LIMIT_ANSWER_MS);
    } else if (m->state == MEETING_ASKED) {
        withdraw(m, c);
    }
}

static void ask_about(struct meeting *m, struct contact *c)
{
    const struct bytes argv[] = {bytes_from_str("DEVICES"), bytes_from_str("OF"),
                                 bytes_from_str(m->name)};
    m->asked = contact_request(c, argv, 3);
    m->state = MEETING_DOUBTED;
}

static enum meeting_news take_doubt(struct meeting *m, const struct resp_value *reply,
                                    char ret_why[MEETING_WHY_BYTES])
{
    put_off(m, LIMIT_MEETING_AGAIN_MS);
    if (reply->kind != RESP_FAILURE)
        return waits(m, "is not here", ret_why);
    snprintf(ret_why, MEETING_WHY_BYTES, "has no account at this hub");
    return MEETING_REFUSED;
}

static enum meeting_news take_failure(struct meeting *m, struct contact *c, struct bytes why,
                                      char ret_why[MEETING_WHY_BYTES])
{
    if (bytes_starts_with(why, "BUSY ")) {
        put_off(m, LIMIT_SAY_AGAIN_MS);
        return MEETING_NOTHING;
    }
    if (bytes_starts_with(why, "ABSENT ") && !m->awaits) {
        ask_about(m, c);
        return MEETING_NOTHING;
    }
    put_off(m, LIMIT_MEETING_AGAIN_MS);
    if (bytes_starts_with(why, "ABSENT "))
        return MEETING_NOTHING;
    why = answer_words(why);
    snprintf(ret_why, MEETING_WHY_BYTES, "cannot be asked: %.*s",
             (int)(why.len < 150 ? why.len : 150), (const char *)why.data);
    return MEETING_REFUSED;
}

bool meeting_answer(struct meeting *m, struct contact *c, uint64_t number,
                    const struct resp_value *reply, enum meeting_news *ret,
                    char ret_why[MEETING_WHY_BYTES])
{
    if ((m->state != MEETING_ASKING && m->state != MEETING_DOUBTED) || number != m->asked)
        return false;
    *ret = MEETING_NOTHING;
    if (m->state == MEETING_DOUBTED) {
        *ret = take_doubt(m, reply, ret_why);
        return true;
    }
    if (reply->kind == RESP_FAILURE) {
        *ret = take_failure(m, c, reply->text, ret_why);
        return true;
    }
    m->state = MEETING_ASKED;
    m->again = instant_after_ms(clock_instant(), LIMIT_INVITED_MS + LIMIT_SAY_LATE_MS);
    snprintf(m->id, sizeof m->id, "%.*s", (int)reply->text.len, (const char *)reply->text.data);
    presence_agree(&c->presence, reply->text, bytes_from_str(m->name));
    return true;
}

static enum meeting_news take_refusal(struct meeting *m, struct bytes reason,
                                      char ret_why[MEETING_WHY_BYTES])
{
    put_off(m, LIMIT_MEETING_AGAIN_MS);
    if (bytes_equal_str(reason, "declined")) {
        snprintf(ret_why, MEETING_WHY_BYTES, "%s", notice_refusal(reason));
        return MEETING_REFUSED;
    }
    return waits(m, notice_refusal(reason), ret_why);
}

bool meeting_notice(struct meeting *m, struct contact *c, const struct notice *n,
                    enum meeting_news *ret, char ret_why[MEETING_WHY_BYTES])
{
    *ret = MEETING_NOTHING;
    if (m->over || !account_name_equal(n->name, bytes_from_str(m->name)))
        return false;
    if (n->kind == NOTICE_INVITED && m->takes)
        contact_accept(c, n);
    else if (n->kind == NOTICE_INVITED)
        contact_decline(c, n->id);
    else if (n->kind == NOTICE_INTRODUCED)
        contact_begin(c, n); /* what is wrong was said */
    else if (n->kind == NOTICE_DECLINED && bytes_equal_str(n->id, m->id))
        *ret = take_refusal(m, n->reason, ret_why);
    else if (n->kind == NOTICE_ONLINE && m->state == MEETING_AWAY)
        m->again = clock_instant();
    return true;
}

void meeting_end(struct meeting *m)
{
    m->over = true;
    give_turn_back(m);
}

void meeting_lost(struct meeting *m)
{
    if (m->state == MEETING_ASKING || m->state == MEETING_DOUBTED || m->state == MEETING_ASKED)
        put_off(m, 0);
}
