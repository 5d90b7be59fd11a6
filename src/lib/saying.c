#include "lib/saying.h"

#include "client/answer.h"

#include <errno.h>
#include <stdio.h>

void saying_init(struct saying *s, struct kith *k, struct presence *presence, uv_loop_t *loop)
{
    *s = (struct saying){.k = k, .presence = presence};
    uv_timer_init(loop, &s->again);
    s->again.data = s;
}

void saying_close(struct saying *s)
{
    uv_close((uv_handle_t *)&s->again, NULL);
}

bool saying_is_to(const struct saying *s, struct bytes name)
{
    return s->state != SAYING_NOTHING && account_name_equal(bytes_from_str(s->name), name);
}

static void finish(struct saying *s, enum kith_result result)
{
    s->state = SAYING_DONE;
    s->result = result;
}

static void refuse(struct saying *s, const char *why)
{
    handle_note(s->k, "%s %s", s->name, why);
    finish(s, KITH_REFUSED);
}

/* He is not there to say it to. */
static void miss(struct saying *s, const char *why)
{
    handle_note(s->k, "%s %s", s->name, why);
    finish(s, KITH_ABSENT);
}

/* ---- saying it ---- */

static void say(struct saying *s, struct talk_link *link)
{
    int r = talk_link_say(link, s->text);
    if (r == 0) {
        s->state = SAYING_WAITS;
        s->link = link;
    } else if (r == TALK_LINK_NO_TEXT) {
        handle_note(s->k, "a text is UTF-8, and 1 byte to 64 KiB");
        finish(s, KITH_INVALID);
    } else if (r == -ENOMEM) {
        handle_note(s->k, "out of memory for the text");
        finish(s, KITH_NO_MEMORY);
    } else {
        refuse(s, r == TALK_LINK_FULL ? "takes nothing: too much waits for him"
                                      : "is leaving the talk");
    }
}

static void take_back(struct saying *s)
{
    struct bytes cancel[] = {bytes_from_str("CANCEL"), bytes_from_str(s->id)};
    if (s->id[0])
        presence_ask(s->presence, cancel, 2);
}

static void ask(struct saying *s)
{
    s->id[0] = '\0';
    s->asked = presence_ask_meeting(s->presence, "MEET", bytes_from_str(s->name));
    if (s->asked == 0) {
        handle_note(s->k, "out of memory for the invitation");
        finish(s, KITH_NO_MEMORY);
    }
}

void saying_begin(struct saying *s, struct bytes name, struct bytes text)
{
    struct talk_link *link = talks_find(&s->presence->talks, name);
    snprintf(s->name, sizeof s->name, "%.*s", (int)name.len, (const char *)name.data);
    s->text = text;
    s->asked = 0;
    s->id[0] = '\0';
    s->state = link ? SAYING_CONNECTS : SAYING_ASKS;
    if (link && link->state != TALK_LINK_CONNECTING)
        say(s, link);
    else if (!link && s->presence->ready)
        ask(s);
}

/* ---- the end ---- */

static void late(struct saying *s)
{
    if (s->state == SAYING_ASKS)
        take_back(s);
    if (s->state == SAYING_ASKS && s->asked == 0)
        handle_note(s->k, "%s could not be asked in that time: there is no hub", s->name);
    else if (s->state == SAYING_ASKS)
        handle_note(s->k, "%s has not answered in that time", s->name);
    else if (s->state == SAYING_CONNECTS)
        handle_note(s->k, "no connection to %s came about in that time", s->name);
    else
        handle_note(s->k, "it was not shown to %s in that time", s->name);
}

enum kith_result saying_end(struct saying *s)
{
    enum kith_result result = s->state == SAYING_DONE ? s->result : KITH_NOTHING;
    if (result == KITH_NOTHING)
        late(s);
    uv_timer_stop(&s->again);
    s->state = SAYING_NOTHING;
    return result;
}

/* ---- the hub ---- */

void saying_ready(struct saying *s)
{
    if (s->state == SAYING_ASKS)
        ask(s);
}

void saying_lost(struct saying *s)
{
    uv_timer_stop(&s->again);
    s->asked = 0; /* an invitation does not outlive the connection it was made on */
    s->id[0] = '\0';
}

static void on_again(uv_timer_t *again)
{
    struct saying *s = again->data;
    if (s->state == SAYING_ASKS && s->presence->ready)
        ask(s);
}

void saying_answer(struct saying *s, uint64_t number, const struct resp_value *reply)
{
    struct bytes text = reply->text;
    if (s->state != SAYING_ASKS || number != s->asked)
        return;
    if (reply->kind == RESP_FAILURE && bytes_starts_with(text, "ABSENT "))
        miss(s, "is not here");
    else if (reply->kind == RESP_FAILURE && bytes_starts_with(text, "BUSY "))
        uv_timer_start(&s->again, on_again, LIMIT_SAY_AGAIN_MS, 0);
    else if (reply->kind == RESP_FAILURE)
        finish(s, handle_refused(s->k, answer_words(text)));
    if (reply->kind == RESP_FAILURE || text.len != RANDOM_ID_TEXT_LEN)
        return;
    snprintf(s->id, sizeof s->id, "%.*s", (int)text.len, (const char *)text.data);
    presence_agree(s->presence, text, bytes_from_str(s->name));
}

void saying_declined(struct saying *s, const struct notice *n)
{
    const char *why = notice_refusal(n->reason);
    if (s->state != SAYING_ASKS || !bytes_equal_str(n->id, s->id))
        return;
    if (bytes_equal_str(n->reason, "timeout") || bytes_equal_str(n->reason, "gone"))
        miss(s, why);
    else
        refuse(s, why);
}

void saying_introduced(struct saying *s, const struct notice *n)
{
    struct trouble t;
    bool mine = saying_is_to(s, n->name);
    enum trouble_kind kind = presence_begin(s->presence, n, &t);
    if (!mine)
        return;
    if (!bytes_equal_str(n->id, s->id) && s->state == SAYING_ASKS)
        take_back(s); /* one of the two is enough */
    if (kind != TROUBLE_NONE)
        finish(s, handle_trouble(s->k, &t));
    else if (s->state == SAYING_ASKS)
        s->state = SAYING_CONNECTS;
}

void saying_refused(struct saying *s, const char *name, const struct trouble *why)
{
    if (s->state == SAYING_CONNECTS && saying_is_to(s, bytes_from_str(name)))
        finish(s, handle_trouble(s->k, why));
}

/* ---- the talk ---- */

void saying_begun(struct saying *s, const char *name)
{
    struct talk_link *link = talks_find(&s->presence->talks, bytes_from_str(name));
    bool waits = s->state == SAYING_ASKS || s->state == SAYING_CONNECTS;
    if (link && waits && saying_is_to(s, bytes_from_str(name)))
        say(s, link);
}

void saying_give_way(struct saying *s)
{
    struct bytes name = bytes_from_str(s->name);
    if (s->state == SAYING_WAITS && talks_have_arrived(&s->presence->talks, name))
        talks_show_all(&s->presence->talks, name);
}

void saying_delivered(struct saying *s, const struct talk_link *link)
{
    if (s->state == SAYING_WAITS && link == s->link)
        finish(s, KITH_OK);
}

void saying_ended(struct saying *s, const char *name, const char *why)
{
    bool said = s->state == SAYING_WAITS;
    if ((!said && s->state != SAYING_CONNECTS) || !saying_is_to(s, bytes_from_str(name)))
        return;
    if (why) {
        handle_note(s->k, "not delivered to %s: %s", s->name, why);
        finish(s, KITH_REFUSED);
    } else {
        miss(s, "has ended the talk; not delivered");
    }
}

/* The link it was said over has ended; he may be there by another. */
void saying_undelivered(struct saying *s, const struct talk_link *link)
{
    if (s->state == SAYING_WAITS && link == s->link)
        miss(s, "has ended the talk; not delivered");
}
