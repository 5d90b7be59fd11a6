#include "meet/talk_link_inner.h"

#include "io/clock.h"
#include "peer/transfer_note.h"

#include <errno.h>
#include <stdlib.h>

/* A text that was said, until it is delivered. */
struct talk_text {
    struct list link;
    uint64_t id;
    size_t len;
    uint8_t text[];
};

/* ---- texts ---- */

int talk_texts_send(struct talk_link *t, struct bytes message)
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
        r = talk_texts_send(t, buffer_view(&message));
    buffer_fini(&message);
    if (r != 0) {
        t->talk = before;
        free(kept);
        return r;
    }
    *kept = (struct talk_text){.id = id, .len = text.len};
    memcpy(kept->text, text.data, text.len);
    list_append(&t->said, &kept->link);
    talk_link_pump(t);
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
        talk_texts_send(
            t, buffer_view(&mark)); /* where it cannot be said, a later one says as much */
    buffer_fini(&mark);
}

void talk_texts_undelivered(struct talk_link *t)
{
    struct list *link;
    while ((link = list_pop(&t->said))) {
        struct talk_text *text = list_entry(link, struct talk_text, link);
        t->handler->undelivered(t, bytes_make(text->text, text->len));
        free(text);
    }
}

void talk_link_show(struct talk_link *t, uint64_t id)
{
    mark_shown(t, id);
    talk_link_pump(t);
}

void talk_texts_take(struct talk_link *t, struct bytes message)
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
        if (transfer_note_is(message))
            t->handler->noted(t, message);
        else
            talk_words_take(t, message);
    }
}

int talk_link_note(struct talk_link *t, struct bytes message)
{
    int r = talk_texts_send(t, message);
    if (r == 0)
        talk_link_pump(t);
    return r;
}

bool talk_link_has_arrived(const struct talk_link *t)
{
    return t->session.lanes[PEER_TALK].count == 0;
}
