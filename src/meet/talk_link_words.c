#include "meet/talk_link_inner.h"

#include "io/clock.h"
#include "io/entropy.h"

#include <sodium.h>

/* ---- words to compare ---- */

/* COMMIT and REVEAL may both be due; each is a message. */
static int say_words(struct talk_link *t, struct bytes messages)
{
    int r = 0;
    while (r == 0 && messages.len > 0) {
        size_t n = compare_message_len(messages);
        r = talk_texts_send(t, bytes_first(messages, n));
        messages = bytes_from(messages, n);
    }
    return r;
}

void talk_words_none(struct talk_link *t, enum trouble_kind kind, const char *words)
{
    struct trouble why;
    trouble_set(&why, kind, "%s", words);
    t->handler->no_words(t, &why);
}

static void lied(struct talk_link *t)
{
    talk_words_none(t, TROUBLE_CHANGED, "what came from there does not fit: somebody lies");
    talk_link_end(t, "somebody lies about words to compare");
    peer_session_close(&t->session, clock_instant());
}

void talk_words_take(struct talk_link *t, struct bytes message)
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
        talk_words_none(t, TROUBLE_FAILED, "they cannot be sent now");
    else if (e == COMPARE_SHOWN)
        t->handler->words(t);
    else if (e == COMPARE_REFUSED)
        talk_words_none(t, TROUBLE_FAILED, "nobody is there to compare them");
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
    talk_link_pump(t);
    return r;
}

void talk_link_differ(struct talk_link *t)
{
    const uint8_t type = TALK_WORDS_DIFFER;
    talk_texts_send(
        t, bytes_make(&type, 1)); /* where it cannot be said, the end is all he hears */
    talk_link_pump(t);
}
