#include "lib/letters.h"

#include "client/accepting.h"
#include "client/answer.h"
#include "client/post_words.h"

#include <errno.h>

enum { LATER_MS = 1000 };

static struct letters *letters_of(struct post *p)
{
    return (struct letters *)((char *)p - offsetof(struct letters, post));
}

/* ---- taking ---- */

static void on_later(uv_timer_t *later)
{
    struct letters *l = later->data;
    post_letter_came(&l->post);
}

static void look_later(struct letters *l)
{
    uv_timer_start(&l->later, on_later, LATER_MS, 0);
}

static bool on_accepts(struct post *p, struct bytes name)
{
    return accepting_allows(letters_of(p)->k->accepts, name);
}

static bool on_keep(struct post *p, const struct peer_letter *letter)
{
    struct letters *l = letters_of(p);
    struct message m = {.kind = KITH_LETTER,
                        .id = letter->id,
                        .written = (time_t)(letter->written.ms / 1000),
                        .words = letter->text};
    memcpy(m.from, letter->from.name, sizeof m.from);
    if (messages_has_letter(l->messages, &letter->id) || messages_add(l->messages, &m) == 0)
        return true;
    look_later(l);
    return false;
}

static void on_idle(struct post *p)
{
    if (p->was_busy)
        look_later(letters_of(p));
}

/* What is not believed stays with the hub, for `kith letters` to tell of. */
static void on_warn(struct post *p, enum post_warning warning, struct bytes name)
{
}

void letters_look(struct letters *l)
{
    l->post.takes = true;
    post_letter_came(&l->post);
}

bool letters_claim(struct letters *l, const struct random_id *id)
{
    bool claimed = post_show(&l->post, id);
    if (l->post.was_busy)
        look_later(l);
    return claimed;
}

/* ---- sending ---- */

static enum kith_result result_of(const struct post_outcome *o)
{
    switch (o->result) {
    case POST_KEPT:
        return KITH_OK;
    case POST_NO_DEVICE:
    case POST_NO_OTHER:
    case POST_BOX_FULL:
        return KITH_REFUSED;
    case POST_NO_TRUST:
        return KITH_CHANGED;
    case POST_REFUSED:
        return answer_is_denial(o->why) ? KITH_DENIED : KITH_REFUSED;
    case POST_UNDECIDED:
        return KITH_NOTHING;
    case POST_NO_KNOWLEDGE:
        return KITH_FAILED;
    case POST_NOT_SEALED:
        break;
    }
    return KITH_NO_MEMORY;
}

static void on_sent(struct post *p, const struct post_outcome *o)
{
    struct letters *l = letters_of(p);
    char words[POST_WORDS_BYTES];
    l->sending = false;
    l->sent = result_of(o);
    post_words_outcome(o, words);
    if (l->sent != KITH_OK)
        handle_note(l->k, "%s", words);
}

enum kith_result letters_send(struct letters *l, struct bytes name, struct bytes text)
{
    char words[POST_WORDS_BYTES];
    l->sending = true; /* it may be over at once */
    int r = post_send(&l->post, name, text);
    if (r == 0)
        return KITH_OK;
    l->sending = false;
    post_words_refusal(r, words);
    handle_note(l->k, "%s", words);
    return r == -ENOMEM ? KITH_NO_MEMORY : KITH_INVALID;
}

enum kith_result letters_end_sending(struct letters *l)
{
    if (l->sending)
        post_give_up(&l->post);
    return l->sent;
}

/* ---- begin and end ---- */

static int on_request(struct post *p, const struct bytes *argv, size_t argc)
{
    return postman_ask(&letters_of(p)->postman, argv, argc);
}

static const struct post_handler post_handler = {.request = on_request,
                                                 .accepts = on_accepts,
                                                 .keep = on_keep,
                                                 .warn = on_warn,
                                                 .sent = on_sent,
                                                 .idle = on_idle};

enum kith_result letters_open(struct letters *l, struct kith *k, struct presence *presence,
                              struct messages *messages, uv_loop_t *loop)
{
    struct trouble t;
    *l = (struct letters){.k = k, .messages = messages};
    uv_timer_init(loop, &l->later);
    l->later.data = l;
    if (postman_open(&l->postman, &l->post, &post_handler, presence, &k->self, NULL, &t) !=
        TROUBLE_NONE)
        return handle_trouble(k, &t);
    l->post.takes = k->wants & KITH_LETTERS;
    return KITH_OK;
}

void letters_close(struct letters *l)
{
    uv_close((uv_handle_t *)&l->later, NULL);
}

void letters_fini(struct letters *l)
{
    postman_close(&l->postman);
}
